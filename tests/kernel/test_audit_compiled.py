# SPDX-License-Identifier: GPL-2.0-or-later
"""Each instruction of the compiled kernel that calls a hypervisor is a site of the audit.

And vice versa. The guest's objects are built with all options for guests; the audit follows the
same .config. VMCALL, VMMCALL, VMGEXIT, TDCALL, Xen's SYSCALL, static calls of hypercalls and calls
and jumps into hypercall pages are compared, in the code and in the replacements of alternatives. IN
and OUT are not: they have other uses, too. v7.1 is compared where PATCHGEN_LINUX_7_1 names a tree.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from patchgen.kernel import BuildConfig, Builder, check_build_tools
from patchgen.verify.build_files import NEEDED
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
        *("ACRN_GUEST", "JAILHOUSE_GUEST", "XEN_DOM0", "MOUSE_PS2_VMMOUSE"),
    ),
    off=("WERROR",),
)
# The environment is read before a test seals it.
TREE_7_1 = os.environ.get("PATCHGEN_LINUX_7_1")
INSTRUCTIONS = (
    *("alternative", "vmcall", "vmmcall", "vmgexit", "tdcall"),
    *("syscall", "static-call", "page"),
)
# Identifiers of files that may call a hypervisor by one of them, for `git grep -w -i -E`.
IDENTIFIERS = (
    r"vmm?call|vmgexit|tdcall|__tdx_hypercall|__tdcall\w*|kvm_(sev_)?hypercall[0-9]"
    r"|(VMWARE|KVM)_HYPERCALL|vmware_hypercall[0-9]|acrn_hypercall[0-9]|hv_do_\w*hypercall\w*"
    r"|HYPERVISOR_\w+|xen_(single_call|hypercall\w*)|hypercall_page|__hv_hypercall"
)
# Code of guests, and of drivers that may call a hypervisor.
FOLDERS = ("arch/x86", "drivers/hv", "drivers/xen", "drivers/input/mouse")
# Code of the host, and other programs; arch/x86/boot/startup is part of the kernel.
EXCLUDED = re.compile(r"arch/x86/(kvm|tools|um|boot/(?!startup/))")
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
    names = [line.rpartition(":")[2] for line in search(tree, "-l", "-i", IDENTIFIERS)]
    # A file may include another one, as head_64.S does Xen's.
    includes = search(tree, "-o", r'#include "[^"]*\.[cS]"')
    stems = {PurePosixPath(name).name for name in names}
    including = [
        line.split(":")[1]
        for line in includes
        if PurePosixPath(line.rpartition('include "')[2].rstrip('"')).name in stems
    ]
    unique = dict.fromkeys([*names, *including])
    return [PurePosixPath(name) for name in unique if not EXCLUDED.match(name)]


def search(tree: Path, *args: str) -> list[str]:
    """Return the lines of `git grep` in the .c and .S files of FOLDERS."""
    patterns = [f"{folder}/*.{kind}" for folder in FOLDERS for kind in "cS"]
    argv = ["git", "-C", str(tree), "grep", "-w", "-E", *args, "HEAD", "--", *patterns]
    return subprocess.run(argv, capture_output=True, check=True, text=True).stdout.splitlines()


@pytest.fixture(scope="module", params=["6.1", "6.12", "7.1"])
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    check_build_tools()
    if request.param == "7.1":
        if not TREE_7_1:
            pytest.skip("KERNEL TEST NOT RUN: set PATCHGEN_LINUX_7_1 to a git tree of v7.1")
        tree = Path(TREE_7_1)
    else:
        tree = request.getfixturevalue(f"kernel_{request.param.replace('.', '_')}")
    folder = tmp_path_factory.mktemp("compiled")
    source, output = folder / "source", folder / "out"
    check_out(tree, "HEAD", [*NEEDED, *(f"/{folder}/" for folder in FOLDERS)], source)
    # A tree may have the headers of an earlier build.
    subprocess.run(["make", "-s", "mrproper"], cwd=source, check=True)
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
    if call.static_call:
        if instruction["text"] != f"static_call({call.static_call})":
            return False
    elif instruction["form"] not in forms:
        return False
    path, _, line = site["place"].rpartition(":")
    for frame in call.frames:
        same = frame.function == site["function"] and frame.path == path
        if same and 0 <= frame.line - int(line) < EXPRESSION:
            return True
    # In assembly, or in a function of a header that was not inlined: sites are where it is called.
    names = {site["call"], instruction["function"], site["function"], *site["through"]}
    symbols = {call.symbol, call.frames[-1].function}
    return call.frames[-1].path.endswith((".S", ".h")) and not names.isdisjoint(symbols)


def test_the_build_has_instructions_to_compare(compiled):
    """An empty build would make the other tests pass."""
    forms = {call.form for call in compiled.calls}
    assert forms >= {*INSTRUCTIONS[:5], "syscall", "static-call"}
    assert len(compiled.calls) >= 100
    files = {call.object for call in compiled.calls}
    assert files >= {"arch/x86/kernel/kvm.o", "arch/x86/hyperv/ivm.o", "drivers/xen/grant-table.o"}
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
        # The compiler may join equal calls at the end of two branches of a function.
        same = [
            other for other in compiled.audit["hypercalls"] if name_call(other) == name_call(site)
        ]
        if not any(is_site_of(other, call) for other in same for call in compiled.calls):
            differences.append(f"{site['place']} {site['function']}(): {site['call']}: {form}")
    assert differences == []


def name_call(site: dict[str, Any]) -> tuple[str, ...]:
    """Return what two sites that the compiler may join have in common."""
    path = site["place"].rpartition(":")[0]
    return (path, site["function"], site["call"], site["instruction"]["form"])


def name_object(path: str) -> str:
    """Return the object that kbuild makes from a file."""
    return str(PurePosixPath(path).with_suffix(".o"))
