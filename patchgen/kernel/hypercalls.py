# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the hypercalls of an object: VMCALL, VMMCALL and TDCALL in its machine code.

Before apply_alternatives() the code itself is executed; an entry in .altinstructions means that it
is replaced later. Both are read from the object, since no source shows what the compiler and the
macros made of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from patchgen.process import run

INSTRUCTIONS = ("vmcall", "vmmcall", "tdcall")
# KVM_HC_MAP_GPA_RANGE is hypercall 12 (include/uapi/linux/kvm_para.h), and goes into EAX.
_MAP_GPA_RANGE = re.compile(r"\bmov +\$0xc,%[er]ax$")
# TDG.VP.VMCALL<MapGPA> is sub-function 0x10001 (Intel GHCI 1.0).
_MAP_GPA = re.compile(r"\$0x10001\b")
_TDX_HYPERCALL = re.compile(r"\bR_X86_64_(PLT|PC)32\s+tdx_\w*hypercall\b")
_SECTION = re.compile(r"^Disassembly of section (?P<name>\S+):$")
_FUNCTION = re.compile(r"^[0-9a-f]+ <(?P<name>[^>]+)>:$")
_CODE = re.compile(r"^\s*(?P<at>[0-9a-f]+):\t(?P<text>[^\t]*?)\s*(?:\t.*)?$")
_RELOCATION = re.compile(r"^[0-9a-f]{8,} R_\S+ +(?P<section>\.[\w.]+?)(?:\+0x(?P<at>[0-9a-f]+))?$")
_REPLACEMENTS = ".altinstr_replacement"
_HEADER = re.compile(r"^ *\d+ (?P<name>\S+) +(?P<size>[0-9a-f]+) ")


@dataclass(frozen=True, slots=True)
class HypercallSite:
    """One such instruction, before alternatives are patched.

    `patched` is set if alternatives may replace it. `reports` is set if its function is about the
    encryption status of pages: it contains the number of KVM_HC_MAP_GPA_RANGE or of MapGPA.
    `spares_tdx` is set if the function takes another way in a TDX guest (kvm_hypercall*() from
    v5.19 on): it also refers to the hypercall by TDCALL.
    """

    function: str
    instruction: str
    patched: bool
    reports: bool
    spares_tdx: bool = False


def read_hypercalls(path: Path) -> list[HypercallSite]:
    """Return the sites of an object in order. Raises ToolError if it cannot be read."""
    listing = run(["objdump", "-d", "-r", "-w", "--no-show-raw-insn", str(path)])
    patched = _read_alternatives(path)
    found: list[tuple[str, str, bool]] = []
    reporting: set[str] = set()
    sparing: set[str] = set()
    section = function = ""
    for line in listing.stdout.decode("utf-8", "replace").splitlines():
        if match := _SECTION.match(line):
            section = match["name"]
        elif match := _FUNCTION.match(line):
            function = match["name"]
        elif section != _REPLACEMENTS and (match := _CODE.match(line)):
            if _MAP_GPA_RANGE.search(match["text"]) or _MAP_GPA.search(match["text"]):
                reporting.add(function)
            if _TDX_HYPERCALL.search(line):
                sparing.add(function)
            if match["text"] in INSTRUCTIONS:
                place = (section, int(match["at"], 16))
                found.append((function, match["text"], place in patched))
    return [
        HypercallSite(function, instruction, may_change, function in reporting, function in sparing)
        for function, instruction, may_change in found
    ]


def converts_by_tdcall(path: Path) -> bool:
    """Return whether an object requests TDG.VP.VMCALL<MapGPA>, by its own TDCALL or by a helper."""
    listing = run(["objdump", "-d", "--no-show-raw-insn", str(path)])
    return bool(_MAP_GPA.search(listing.stdout.decode("utf-8", "replace")))


def read_text_size(path: Path) -> int:
    """Return the size of an object's machine code in bytes, over all its sections."""
    lines = run(["objdump", "-h", "-w", str(path)]).stdout.decode("utf-8", "replace").splitlines()
    heads = [match for line in lines if "CODE" in line and (match := _HEADER.match(line))]
    return sum(int(match["size"], 16) for match in heads)


def _read_alternatives(path: Path) -> set[tuple[str, int]]:
    """Return section and offset of each instruction that .altinstructions replaces.

    Each entry begins with a reference to it and one to its replacement (struct alt_instr in
    arch/x86/include/asm/alternative.h).
    """
    argv = ["objdump", "-r", "-w", "-j", ".altinstructions", str(path)]
    lines = run(argv, ok=(0, 1)).stdout.decode("utf-8", "replace").splitlines()
    matches = [match for line in lines if (match := _RELOCATION.match(line))]
    return {
        (match["section"], int(match["at"] or "0", 16))
        for match in matches
        if match["section"] != _REPLACEMENTS
    }
