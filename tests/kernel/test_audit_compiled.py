# SPDX-License-Identifier: GPL-2.0-or-later
"""Each instruction of the compiled kernel that calls a hypervisor is a site of the audit.

And vice versa. The guest's objects are built with all options for guests; the audit follows the
same .config. VMCALL, VMMCALL, VMGEXIT and TDCALL are compared, in the code and in the replacements
of alternatives. IN, OUT, MSRs and hypercall pages are not: they have other uses, too.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from patchgen.kernel import BuildConfig, Builder, check_build_tools
from patchgen.verify.builds import NEEDED
from tests.support.audits import audit_kernel
from tests.support.kernels import check_out
from tests.support.machine_hypercalls import MachineCall, count_replacements, read_machine_calls

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

CONFIG = BuildConfig(
    "guest",
    "x86_64",
    "x86_64_defconfig",
    on=(
        *("HYPERVISOR_GUEST", "PARAVIRT", "PARAVIRT_SPINLOCKS", "KVM_GUEST", "AMD_MEM_ENCRYPT"),
        *("X86_X2APIC", "INTEL_TDX_GUEST", "HYPERV", "XEN", "XEN_PV", "XEN_PVH", "PVH"),
        *("ACRN_GUEST", "JAILHOUSE_GUEST"),
    ),
    off=("WERROR",),
)
INSTRUCTIONS = ("alternative", "vmcall", "vmmcall", "vmgexit", "tdcall")
# Identifiers of files that may call a hypervisor by one of them, for `git grep -w -i -E`.
IDENTIFIERS = (
    r"vmm?call|vmgexit|tdcall|__tdx_hypercall|__tdcall\w*|kvm_(sev_)?hypercall[0-9]"
    r"|(VMWARE|KVM)_HYPERCALL|vmware_hypercall[0-9]|acrn_hypercall[0-9]|hv_do_\w*hypercall\w*"
)
# Code of guests. Drivers are modules or run late; the excluded folders are not guest code.
FOLDERS = ("arch/x86", ":!arch/x86/kvm", ":!arch/x86/boot", ":!arch/x86/tools", ":!arch/x86/um")
# An expression may extend over some lines after the one that the audit reports.
EXPRESSION = 12


@dataclass(frozen=True)
class Compiled:
    """The calls in the machine code of a kernel, and the audit of the same .config."""

    calls: tuple[MachineCall, ...]
    replacements: int
    audit: dict[str, Any]
    built: frozenset[str]


def list_suspects(tree: Path) -> list[PurePosixPath]:
    """Return the files of guest code that may have such an instruction, by their identifiers."""
    argv = ["git", "-C", str(tree), "grep", "-l", "-w", "-i", "-E", IDENTIFIERS, "HEAD", "--"]
    completed = subprocess.run([*argv, *FOLDERS], capture_output=True, check=True, text=True)
    names = [line.removeprefix("HEAD:") for line in completed.stdout.splitlines()]
    paths = [PurePosixPath(name) for name in names if name.endswith((".c", ".S"))]
    # head_64.S includes Xen's.
    return [*paths, PurePosixPath("arch/x86/kernel/head_64.S")]


@pytest.fixture(scope="module", params=["6.1", "6.12"])
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    check_build_tools()
    tree = request.getfixturevalue(f"kernel_{request.param.replace('.', '_')}")
    folder = tmp_path_factory.mktemp("compiled")
    source, output = folder / "source", folder / "out"
    check_out(tree, "master", NEEDED, source)
    builder = Builder(source, output, CONFIG, jobs=os.cpu_count() or 1)
    builder.configure(folder / "configure.log")
    targets = builder.find_objects(list_suspects(tree))
    make(source, output, targets)
    objects = [output / target for target in targets]
    return Compiled(
        tuple(call for file in objects for call in read_machine_calls(file, output, source)),
        sum(map(count_replacements, objects)),
        audit_kernel(tree, "--config", str(output / ".config")),
        frozenset(targets),
    )


def make(source: Path, output: Path, targets: list[str]) -> None:
    """Build objects with line numbers."""
    argv = ["make", "-s", f"-j{os.cpu_count()}", f"O={output}", "KCFLAGS=-g", "KAFLAGS=-g"]
    completed = subprocess.run(
        [*argv, *targets], cwd=source, capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stderr[-3000:]


def is_site_of(site: dict[str, Any], call: MachineCall) -> bool:
    """Return whether an instruction was compiled from a site of the audit."""
    instruction = site["instruction"]
    forms = {call.form} | call.replaced_by if call.form == "io" else {call.form}
    if instruction["form"] not in forms:
        return False
    path, _, line = site["place"].rpartition(":")
    for frame in call.frames:
        same = frame.function == site["function"] and frame.path == path
        if same and 0 <= frame.line - int(line) < EXPRESSION:
            return True
    # A function in assembly: the audit's sites are where it is called.
    names = {site["call"], instruction["function"], site["function"]}
    return call.frames[-1].path.endswith(".S") and call.symbol in names


def test_the_build_has_instructions_to_compare(compiled):
    """An empty build would make the other tests pass."""
    forms = {call.form for call in compiled.calls}
    assert forms >= {"alternative", "vmcall", "vmmcall", "vmgexit", "tdcall"}
    assert len(compiled.calls) >= 25
    files = {call.object for call in compiled.calls}
    assert files >= {"arch/x86/kernel/kvm.o", "arch/x86/hyperv/ivm.o"}
    # Every replacement is assigned to the instruction that it replaces.
    assert compiled.replacements == sum(len(call.replaced_by) for call in compiled.calls)


def test_each_instruction_is_a_site(compiled):
    sites = compiled.audit["hypercalls"]
    differences = [str(c) for c in compiled.calls if not any(is_site_of(s, c) for s in sites)]
    assert differences == []


def test_each_site_is_an_instruction(compiled):
    """Of the files that were built: a site without an instruction is a false alarm."""
    # A file may be a part of another one, as sev-shared.c is of sev.c.
    parts = {frame.path for call in compiled.calls for frame in call.frames}
    differences = []
    for site in compiled.audit["hypercalls"]:
        path = site["place"].rpartition(":")[0]
        form = site["instruction"]["form"]
        if form not in INSTRUCTIONS or not (name_object(path) in compiled.built or path in parts):
            continue
        if not any(is_site_of(site, call) for call in compiled.calls):
            differences.append(f"{site['place']} {site['function']}(): {site['call']}: {form}")
    assert differences == []


def name_object(path: str) -> str:
    """Return the object that kbuild makes from a file."""
    return str(PurePosixPath(path).with_suffix(".o"))
