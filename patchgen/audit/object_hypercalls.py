# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the hypercalls of an object: VMCALL, VMMCALL and TDCALL in its machine code.

Before apply_alternatives() the code itself is executed; an entry in .altinstructions means that it
is replaced later. Both are read from the object, since no source shows what the compiler and the
macros generate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from patchgen.kernel import ObjectCode, SectionData, read_code, read_data

INSTRUCTIONS = ("vmcall", "vmmcall", "tdcall")
# KVM_HC_MAP_GPA_RANGE is hypercall 12 (include/uapi/linux/kvm_para.h), which EAX contains.
_MAP_GPA_RANGE = re.compile(r"\bmov +\$0xc,%[er]ax$")
# TDG.VP.VMCALL<MapGPA> is sub-function 0x10001 (Intel GHCI 1.0).
_MAP_GPA = re.compile(r"\$0x10001\b")
_TDX_HYPERCALL = re.compile(r"R_X86_64_(PLT|PC)32 tdx_\w*hypercall\b")
_IN_SECTION = re.compile(r"(?P<section>\.[\w.]+?)(?:\+0x(?P<at>[0-9a-f]+))?")
_REPLACEMENTS = ".altinstr_replacement"


@dataclass(frozen=True, slots=True)
class HypercallSite:
    """One such instruction, before alternatives are patched.

    `patched` is set if alternatives may replace it. `reports` is set if its function is about the
    encryption status of pages: it contains the number of KVM_HC_MAP_GPA_RANGE or of MapGPA.
    `spares_tdx` is set if the function takes another path in a TDX guest (kvm_hypercall*() from
    v5.19 on): it also refers to the hypercall by TDCALL.
    """

    function: str
    instruction: str
    patched: bool
    reports: bool
    spares_tdx: bool = False


@dataclass(frozen=True, slots=True)
class MachineCode:
    """The hypercalls of an object, in order, and the size of its machine code in bytes.

    `requests_map_gpa` is set if it requests TDG.VP.VMCALL<MapGPA>, by its own TDCALL or by a
    helper.
    """

    sites: tuple[HypercallSite, ...]
    requests_map_gpa: bool
    size: int


def read_machine_code(path: Path) -> MachineCode:
    """Return what an object executes. Raises ToolError if it cannot be read."""
    code = read_code(path)
    lines = [line for function in code.functions for line in function.lines]
    maps = any(_MAP_GPA.search(line.text) for line in lines)
    return MachineCode(tuple(_find_sites(code, read_data(path))), maps, code.size)


def _find_sites(code: ObjectCode, data: Mapping[str, SectionData]) -> list[HypercallSite]:
    patched = _find_patched(data)
    instructions: list[tuple[str, str, bool]] = []
    reporting: set[str] = set()
    sparing: set[str] = set()
    for function in code.functions:
        for line in function.lines if function.section != _REPLACEMENTS else ():
            if _MAP_GPA_RANGE.search(line.text) or _MAP_GPA.search(line.text):
                reporting.add(function.name)
            relocation = line.relocation
            if relocation and _TDX_HYPERCALL.match(f"{relocation.kind} {relocation.target}"):
                sparing.add(function.name)
            if line.text in INSTRUCTIONS:
                may_change = (function.section, line.offset) in patched
                instructions.append((function.name, line.text, may_change))
    return [
        HypercallSite(function, instruction, may_change, function in reporting, function in sparing)
        for function, instruction, may_change in instructions
    ]


def _find_patched(data: Mapping[str, SectionData]) -> set[tuple[str, int]]:
    """Return section and offset of each instruction that .altinstructions replaces.

    Each entry begins with a reference to it and one to its replacement (struct alt_instr in
    arch/x86/include/asm/alternative.h).
    """
    entries = data.get(".altinstructions", SectionData()).relocations
    matches = [match for entry in entries if (match := _IN_SECTION.fullmatch(entry.target))]
    return {
        (match["section"], int(match["at"] or "0", 16))
        for match in matches
        if match["section"] != _REPLACEMENTS
    }
