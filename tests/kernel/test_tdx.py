# SPDX-License-Identifier: GPL-2.0-or-later
"""The TDX backend on kernels with TDX guest support: Debian's 6.1, also without the op, and 6.12.

On older kernels it adds a new file, which tests/cli/test_tdx.py tests.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from patchgen.kernel import Builder, find_config
from patchgen.verify.build_files import NEEDED
from tests.support.checks import checkpatch
from tests.support.disassembly import TDCALL, VMCALL, VMMCALL, disassemble, reachable
from tests.support.kernels import check_out, clone_bare
from tests.support.prepared import WITHOUT_OP

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

BRANCH = "patchgen/pvops-v4"
OP = ["op", "callers"]
CONVERT = ["convert", "tdx-notify"]
BASES = {
    "6.1 without the op": ("kernel_6_1", WITHOUT_OP, [], [*OP, "prepare", "tdx-percpu", *CONVERT]),
    "6.1": ("kernel_6_1", "master", OP, ["prepare", "tdx-keep", "tdx-percpu", *CONVERT]),
    "6.12": ("kernel_6_12", "master", OP, ["prepare", "tdx-keep-vendor", *CONVERT]),
}


@pytest.mark.parametrize(("kernel", "base", "present", "missing"), BASES.values(), ids=BASES)
def test_the_tdx_backend_alone(kernel, base, present, missing, request, patchgen, git, tmp_path):
    kernel = request.getfixturevalue(kernel)
    if base == WITHOUT_OP:
        repository = request.getfixturevalue("without_op")
    else:
        repository = clone_bare(kernel, tmp_path / "linux.git")
    only_tdx = ("--variant", "pvops", "--backend", "tdx", "--tree", repository)
    output = ("--signoff", "--json", "-o", tmp_path / "outgoing")
    result = patchgen("apply", *only_tdx, "--base", base, *output)
    assert result.code == 0, result.err
    document = json.loads(result.out)
    statuses = [(patch["name"], patch["status"]) for patch in document["patches"]]
    assert statuses == [(n, "already there") for n in present] + [(n, "made") for n in missing]

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for mail in document["mails"][1:]:
        assert checkpatch(kernel, Path(mail), scratch) == (0, 0, 0), mail

    check_sources(git, repository)

    # The thread proposed callbacks per platform, but none that fails, and none before the change.
    credited = list_credited(git, repository, document)
    assert credited == [name for name in missing if name in {*OP, "tdx-notify"}]

    # In 6.1, a TDX guest can be built without paravirt operations; the series changes that.
    configs = ("--config", "x86_64", "--config", "no-paravirt")
    checked = patchgen("verify", BRANCH, "--base", base, "--tree", repository, *configs)
    assert checked.code == 0, checked.out + checked.err
    check_out(repository, BRANCH, NEEDED, tmp_path / "source")
    check_machine_code(tmp_path / "source", tmp_path / "out")

    # The base has the right order, so it has "tdx-private-first", too.
    again = patchgen("apply", *only_tdx, "--base", BRANCH)
    assert again.code == 0, again.err
    assert again.out.count("already there") == len(present + missing) + 1
    assert "patches are already in" in again.out


def list_credited(git, repository: Path, document: dict) -> list[str]:
    """Return the made patches with a Suggested-by."""
    return [
        patch["name"]
        for patch in document["patches"]
        if patch["status"] == "made"
        and "Suggested-by:" in git(repository, "show", "-s", "--format=%B", patch["commit"])
    ]


def check_sources(git, repository: Path) -> None:
    """Check who installs callbacks, who calls them, and what the defaults are."""
    # SEV's code does not replace the callback of a TDX guest.
    source = git(repository, "show", f"{BRANCH}:arch/x86/kernel/kvm.c")
    before, installs, _ = source.partition("pv_ops.mmu.notify_page_enc_status_changed =")
    guards = ("!cpu_feature_enabled(X86_FEATURE_TDX_GUEST)", "cc_vendor == CC_VENDOR_AMD")
    assert not installs or any(guard in before[-400:] for guard in guards)

    # Pages are reported once, by the generic code, and converted by the callbacks only.
    args = ("grep", "-cw", "notify_page_enc_status_changed(.*", BRANCH, "--", "arch/x86/mm")
    assert git(repository, *args) == f"{BRANCH}:arch/x86/mm/pat/set_memory.c:1\n"
    tdx = git(repository, "show", f"{BRANCH}:arch/x86/coco/tdx/tdx.c")
    assert "x86_platform.guest.enc_status_change_" not in tdx

    # The default operations are the kernel's own no-ops.
    default = "notify_page_enc_status_changed = (void *)paravirt_ret0,"
    assert default in git(repository, "show", f"{BRANCH}:arch/x86/kernel/paravirt.c")
    init = git(repository, "show", f"{BRANCH}:arch/x86/kernel/x86_init.c")
    assert "= enc_status_change_finish_noop," in init


def check_machine_code(source: Path, output: Path) -> None:
    """Check that the callback reaches TDCALL, and no instruction that TDX does not support."""
    folder = Path("arch/x86/coco/tdx")
    objects = [
        str(folder / f"{path.stem}.o")
        for path in (source / folder).iterdir()
        if path.suffix in (".c", ".S")
    ]
    builder = Builder(source, output, find_config("x86_64"), jobs=2)
    builder.configure(output / "log")
    assert "CONFIG_INTEL_TDX_GUEST=y\n" in (output / ".config").read_text()
    builder.build(objects, output / "log")
    functions = disassemble(*(builder.output / name for name in objects))
    path = [
        functions[name]
        for start in ("tdx_prepare_enc_status", "tdx_notify_enc_status")
        for name in reachable(functions, start)
        if name in functions
    ]
    assert any(function.executes(TDCALL) for function in path)
    assert not any(function.executes(call) for function in path for call in (VMCALL, VMMCALL))
