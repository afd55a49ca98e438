# SPDX-License-Identifier: GPL-2.0-or-later
"""The variants beside pvops: what each is made of, and that all four tell the host the same."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from tests.conftest import Patchgen
from tests.support.terminal import patchgen_on_terminal

HOST = Path(__file__).parent.parent / "data" / "report"
PATCHES = {
    "pvops": ["op", "callers", "hypercall", "sev"],
    "sev-hypercall": ["hypercall", "report", "sites"],
    "vmmcall-default": ["feature", "invert", "report", "sites"],
    "x86-platform": ["hooks", "hypercall", "sev", "callers"],
}
OTHERS = [name for name in PATCHES if name != "pvops"]
KVM_PARA = "arch/x86/include/asm/kvm_para.h"
ALT_NOT = "#define ALT_NOT(feature)\t((1 << 15) | (feature))\n"


def apply(patchgen: Patchgen, variant: str, tree: Path, *args: str | Path) -> dict:
    completed = patchgen("apply", "--variant", variant, "--tree", tree, "--json", *args)
    assert completed.code == 0, completed.err
    return json.loads(completed.out)


def commit(tree: Path, git, path: str, text: str) -> None:
    (tree / path).write_text(text)
    git(tree, "add", path)
    git(tree, "commit", "-q", "-m", path)


def test_there_are_four(patchgen):
    listed = json.loads(patchgen("variants", "--json").out)
    known = {v["name"]: v for v in listed if v["kind"] == "variant"}
    assert known.keys() == PATCHES.keys()


@pytest.mark.parametrize("variant", OTHERS)
def test_is_made_once_and_continues_from_any_commit(variant, patchgen, toy, git):
    document = apply(patchgen, variant, toy)
    assert [p["name"] for p in document["patches"]] == PATCHES[variant]
    assert {p["status"] for p in document["patches"]} == {"made"}
    tree = git(toy, "rev-parse", f"{document['tip']}^{{tree}}")
    commits = [p["commit"] for p in document["patches"]]

    for count, completed in enumerate(commits[:-1], 1):
        rest = apply(patchgen, variant, toy, "--base", completed, "--force")
        status = ["already there"] * count + ["made"] * (len(commits) - count)
        assert [p["status"] for p in rest["patches"]] == status
        assert git(toy, "rev-parse", f"{rest['tip']}^{{tree}}") == tree

    again = patchgen("apply", "--variant", variant, "--tree", toy, "--base", commits[-1])
    assert again.code == 0, again.err
    assert again.out.count("already there (arch/x86/") == len(commits)
    assert "patches are already in" in again.out


@pytest.mark.parametrize("variant", OTHERS)
def test_the_cover_letter_weighs_it_and_names_the_calls(variant, patchgen, toy, git):
    cover = Path(apply(patchgen, variant, toy)["mails"][0]).read_text()
    body = cover[: cover.index("The semantic patches, in the order")]
    for args in (
        "What speaks for it",
        "What speaks against it:",
        "Intel VT-x",
        "TDX",
        "  Tools:  ",
    ):
        assert args in body
    sites = re.findall(r"^  (arch/\S+):(\d+) (\w+)\(\)$", body, re.MULTILINE)
    late = next(site for site in sites if site[2] == "__set_memory_enc_dec")
    early = {function for _, _, function in sites} - {late[2]}
    helper = {"early_set_memory_and_notify"}
    each = {"kvm_map_percpu_data", "sev_es_init_vc_handling"}
    assert early == (helper if variant == "x86-platform" else each)
    for path, line, _ in sites:
        source = git(toy, "show", f"patchgen/{variant}-v1:{path}").splitlines()
        assert re.search(r"kvm_sev_notify_range|enc_status_change_finish", source[int(line) - 1])


@pytest.mark.parametrize("variant", OTHERS)
def test_refuses_a_base_that_reports_through_pv_ops(variant, patchgen, toy, git):
    apply(patchgen, "pvops", toy)
    refs = git(toy, "for-each-ref")
    args = ("--tree", toy, "--base", "patchgen/pvops-v4", "-o", toy / "other")
    completed = patchgen("apply", "--variant", variant, *args)
    assert (completed.code, completed.out) == (1, "")
    assert "the host must get each report only once" in completed.err
    assert git(toy, "for-each-ref") == refs and not (toy / "other").exists()


def test_alternatives_patch_vmcall_in_by_what_the_base_has(patchgen, toy, git):
    """Without ALT_NOT() it takes a feature, and that is KVM's to set; VMware chooses by it, too."""
    apply(patchgen, "vmmcall-default", toy)
    without = git(toy, "show", f"patchgen/vmmcall-default-v1:{KVM_PARA}")
    assert 'KVM_HYPERCALL ALTERNATIVE("vmmcall", "vmcall", X86_FEATURE_VMCALL)\n' in without
    found = git(toy, "grep", "-l", "cap(X86_FEATURE_VMCALL)", "patchgen/vmmcall-default-v1")
    assert found == "patchgen/vmmcall-default-v1:arch/x86/kernel/kvm.c\n"

    commit(toy, git, "arch/x86/include/asm/alternative.h", ALT_NOT)
    document = apply(patchgen, "vmmcall-default", toy, "--force")
    assert [p["name"] for p in document["patches"]] == ["invert", "report", "sites"]
    by_not = git(toy, "show", f"patchgen/vmmcall-default-v1:{KVM_PARA}")
    assert 'ALTERNATIVE("vmmcall", "vmcall", ALT_NOT(X86_FEATURE_VMMCALL))\n' in by_not


SITES = {
    "returned": ("\treturn err;\n", True),
    "freed": ("\tgoto out;\n", True),
    "not asked for": (None, True),
    "only logged": ('\tpr_warn("private");\n', False),
}


@pytest.mark.parametrize(("failure", "known"), SITES.values(), ids=SITES)
def test_handles_all_sites_or_reports_the_others(failure, known, patchgen, toy, git):
    call = "early_set_memory_encrypted(addr, size);\n"
    body = f"\t{call}" if failure is None else f"\terr = {call}\tif (err)\n\t{failure}"
    source = toy / "arch/x86/kernel/sev.c"
    function = "int f(unsigned long addr, unsigned long size)\n{\n\tint err = 0;\n\n"
    text = f"{source.read_text()}\n{function}{body}\n\tdone();\nout:\n\treturn err;\n}}\n"
    commit(toy, git, "arch/x86/kernel/sev.c", text)
    completed = patchgen("apply", "--variant", "sev-hypercall", "--tree", toy)
    if known:
        assert completed.code == 0, completed.err
        made = git(toy, "show", "patchgen/sev-hypercall-v1:arch/x86/kernel/sev.c")
        condition = "if (!early_set_memory_encrypted(addr, size))\n\t\t" if failure is None else ""
        assert f"{condition}kvm_sev_notify_range(addr, size, true);\n" in made
    else:
        line = text[: text.index(call)].count("\n") + 1
        assert (completed.code, completed.out) == (1, "")
        assert f"arch/x86/kernel/sev.c:{line}" in completed.err and "site_other" in completed.err


# Early code that changes what the test asks for: a variant may have to change it.
SITE = """\
#include <asm/mem_encrypt.h>

int __init site_{change}(unsigned long vaddr, unsigned long size)
{{
	int err;

	err = early_set_memory_{change}(vaddr, size);
	if (err)
		return err;

	return 0;
}}
"""


@dataclass(frozen=True)
class Pages:
    """Which page frames are shared in the end, as the guest has it and as the host was told."""

    guest: set[int]
    host: set[int]
    output: str
    walks: int


@pytest.fixture
def boot(patchgen, toy, git, tmp_path) -> Callable[..., Callable[..., Pages]]:
    """Make a variant and compile the toy tree with it: a guest, and a host that listens."""
    if platform.machine() != "x86_64":
        pytest.skip("the code is for x86-64")
    include = toy / "arch/x86/include"
    stubs = tmp_path / "stubs"
    flags = ["-std=gnu11", "-O2", "-mno-red-zone", "-no-pie", "-fno-pie", "-Wall"]
    # The toy tree's defaults are void (*)(void), as those of the kernel were.
    flags += ["-Wno-incompatible-pointer-types"]
    flags += [f"-DCONFIG_{o}" for o in ("PARAVIRT", "KVM_GUEST", "AMD_MEM_ENCRYPT")]
    flags += [f"-I{folder}" for folder in (HOST, toy, include, toy / "include", stubs)]

    def build(variant: str | None) -> Callable[..., Pages]:
        for change in ("decrypted", "encrypted"):
            commit(toy, git, f"arch/x86/kernel/{change}.c", SITE.format(change=change))
        if variant is not None:
            git(toy, "checkout", "-q", apply(patchgen, variant, toy)["branch"])
        header = toy / KVM_PARA
        text = header.read_text()
        for instruction in ("vmcall", "vmmcall"):
            text = text.replace(f'"{instruction}"', f'"call toy_{instruction}"')
        header.write_text(text)
        for path in toy.glob("arch/**/*.[ch]"):
            for name in re.findall(r"#include <(\S+)>", path.read_text()):
                if not any((top / name).exists() for top in (include, toy / "include", stubs)):
                    (stubs / name).parent.mkdir(parents=True, exist_ok=True)
                    (stubs / name).write_text('#include "stubs.h"\n')
        kvm_para = [f"#include <{name}asm/kvm_para.h>" for name in ("uapi/", "")]
        (stubs / "linux/kvm_para.h").write_text(
            "\n".join(["#include <uapi/linux/kvm_para.h>", *kvm_para, ""])
        )
        program = tmp_path / "guest"
        subprocess.run(["gcc", *flags, HOST / "host.c", "-o", program], check=True)
        return lambda *changes, feature=1: run(program, feature, changes)

    def run(program: Path, feature: int, changes: Sequence[tuple[str, int, int]]) -> Pages:
        args = [word for how, at, size in changes for word in (how, f"{at:x}", f"{size:x}")]
        completed = subprocess.run(
            [program, str(feature), *args], capture_output=True, text=True, check=True
        )
        *output, guest, host, walks = completed.stdout.splitlines()
        pages = [{int(pfn, 16) for pfn in line.split()[1:]} for line in (guest, host)]
        assert [guest.split()[0], host.split()[0]] == ["guest", "host"]
        return Pages(*pages, "\n".join(output), int(walks.removeprefix("walks ")))

    return build


SMALL, LARGE, NOWHERE, HUGE, FAR = 0x100000, 0x40000000, 0x40400000, 0x80000000, 0x8000000000
PAGE = 4096
# Of the first page; the small ones go downwards.
SMALL_PFN, LARGE_PFN, HUGE_PFN = 0x500F, 0x8000, 0x48000


@pytest.mark.parametrize("variant", PATCHES)
def test_the_host_knows_what_the_guest_has_changed(variant, boot):
    guest = boot(variant)
    # __bss_decrypted, the GHCB and apf_reason, and nothing beside them.
    booted = guest()
    assert len(booted.guest) == 4
    assert (booted.host, booted.output) == (booted.guest, "")

    def changed(*changes: tuple[str, int, int]) -> set[int]:
        pages = guest(*changes)
        assert (pages.host, pages.output) == (pages.guest, "")
        return pages.guest - booted.guest

    # From within a page on, into the next one, and no further.
    assert changed(("d", SMALL + 0x40, 64)) == {SMALL_PFN}
    assert changed(("d", SMALL + 0xFC0, 128)) == {SMALL_PFN, SMALL_PFN - 1}
    assert changed(("D", SMALL, 3)) == {SMALL_PFN - i for i in range(3)}
    assert changed(("D", SMALL, 3), ("E", SMALL + PAGE, 1)) == {SMALL_PFN, SMALL_PFN - 2}
    assert changed(("d", SMALL, 3 * PAGE), ("e", SMALL, PAGE)) == {SMALL_PFN - 1, SMALL_PFN - 2}
    # Parts of large mappings, over their border.
    assert changed(("D", LARGE + 510 * PAGE, 4)) == {LARGE_PFN + 510 + i for i in range(4)}
    assert changed(("d", LARGE + 0x1000, 0x10)) == {LARGE_PFN + 1}
    assert changed(("D", HUGE + 0x123 * PAGE, 2)) == {HUGE_PFN + 0x123, HUGE_PFN + 0x124}
    # One run of more pages than one report can have.
    assert changed(("D", LARGE, 1024)) == {LARGE_PFN + i for i in range(1024)}


def test_only_arch_x86_mm_sees_the_function_that_reports_a_range(patchgen, toy, git):
    branch = apply(patchgen, "pvops", toy)["branch"]
    users = git(toy, "grep", "-l", "notify_range_enc_status_changed", branch).splitlines()
    mm = f"{branch}:arch/x86/mm/"
    assert users == [f"{mm}mem_encrypt.c", f"{mm}mm_internal.h", f"{mm}pat/set_memory.c"]


@pytest.mark.parametrize("variant", PATCHES)
def test_a_report_walks_the_page_tables_once_for_each_mapping(variant, boot):
    guest = boot(variant)
    assert guest(("D", SMALL, 3)).walks == 3
    assert guest(("D", LARGE + 510 * PAGE, 4)).walks == 2
    assert guest(("d", LARGE + 0x1FFFF8, 16), ("D", HUGE + PAGE, 512)).walks == 3


@pytest.mark.parametrize("variant", PATCHES)
def test_a_mapping_of_unknown_size_ends_a_report_with_a_warning(variant, boot):
    guest = boot(variant)
    pages = guest(("D", FAR, 2))
    assert pages.output == f"WARNING: no page frame at {FAR:#x}"
    assert pages.host == guest().host


@pytest.mark.parametrize("variant", PATCHES)
def test_failed_changes_are_not_reported_to_the_host(variant, boot):
    guest = boot(variant)
    booted = guest()
    for how, size in (("d", 16), ("D", 1)):
        pages = guest((how, NOWHERE, size))
        assert pages.output == f"refused {NOWHERE:x}"
        assert pages.host == booted.host


@pytest.mark.parametrize("variant", PATCHES)
def test_a_host_without_the_feature_is_left_alone(variant, boot):
    pages = boot(variant)(("d", SMALL, 1), ("D", LARGE, 1), feature=0)
    assert {SMALL_PFN, LARGE_PFN} < pages.guest
    assert (pages.host, pages.output) == (set(), "")


def test_without_a_variant_the_host_knows_nothing(boot):
    """What the tests above compare does not come from the toy tree itself."""
    pages = boot(None)(("d", SMALL, 1))
    assert SMALL_PFN in pages.guest and pages.host == set()


@pytest.mark.parametrize("args", [("show", "pvops"), ("variants",)], ids=" ".join)
def test_a_narrow_terminal_breaks_no_word(patchgen, toy, args):
    raw = patchgen(*args, cwd=toy).out
    shown = click.unstyle(patchgen_on_terminal("--no-pager", *args, cwd=toy, columns=60).text)
    for line in shown.splitlines():
        assert len(line) <= 60 or " " not in line.strip(), line
    # A row that is a paragraph has the names of its columns with a colon.
    words = {*raw.split(), *(f"{word}:" for word in raw.split())}
    assert not [word for word in shown.split() if word.strip("─") and word not in words]
