# SPDX-License-Identifier: GPL-2.0-or-later
"""Read an object file by objdump(1): its instructions, its symbols and the data of its sections."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from patchgen.process import run

_HEADER = re.compile(r"^ *\d+ (?P<name>\S+) +(?P<size>[0-9a-f]+) ")
_SYMBOL = re.compile(
    r"^(?P<value>[0-9a-f]+) (?P<flags>.{7}) (?P<section>\S+)\t[0-9a-f]+ (?:\.\w+ )?(?P<name>\S+)$"
)
_DISASSEMBLY = re.compile(r"^Disassembly of section (?P<name>\S+):$")
_FUNCTION = re.compile(r"^[0-9a-f]+ <(?P<name>[^>]+)>:$")
_CODE = re.compile(r"^\s*(?P<at>[0-9a-f]+):\t(?P<text>.*?)\s*$")
# With -w it follows its instruction: "1e: R_X86_64_32S", a tab, and its target.
_INLINE = re.compile(r"^(?P<at>[0-9a-f]+): (?P<kind>R_\S+)\s+(?P<target>\S+)$")
_SECTION_HEAD = re.compile(
    r"^(?:Contents of section |RELOCATION RECORDS FOR \[)(?P<name>[^\s\]]+)\]?:$"
)
_RECORD = re.compile(r"^(?P<at>[0-9a-f]{8,}) (?P<kind>R_\S+) +(?P<target>\S+)$")


@dataclass(frozen=True, slots=True)
class Relocation:
    """A reference at an offset of a section. `target` is `symbol+0x10`, or `.section-0x4`."""

    offset: int
    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class DisassembledLine:
    """An instruction. `offset` is None for a line that is not one, such as the `...` for zeros."""

    offset: int | None
    text: str
    relocation: Relocation | None = None


@dataclass(frozen=True, slots=True)
class DisassembledFunction:
    """The lines after a label of a section."""

    section: str
    name: str
    lines: list[DisassembledLine] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ObjectCode:
    """The code of an object. `symbols` are those of each section, by offset.

    `size` is that of the machine code in bytes, over all sections.
    """

    functions: Sequence[DisassembledFunction]
    symbols: Mapping[str, Sequence[tuple[int, str]]]
    size: int


@dataclass(frozen=True, slots=True)
class SectionData:
    """The bytes of a section, in hexadecimal, 16 to an entry, and the references in it."""

    contents: list[str] = field(default_factory=list)
    relocations: list[Relocation] = field(default_factory=list)


def read_code(path: Path) -> ObjectCode:
    """Disassemble an object. Raises ToolError if objdump cannot read it."""
    functions: list[DisassembledFunction] = []
    symbols: dict[str, list[tuple[int, str]]] = {}
    size = 0
    section = ""
    for line in _run_objdump(path, "-h", "--syms", "-d", "-r", "-w", "--no-show-raw-insn"):
        if match := _DISASSEMBLY.match(line):
            section = match["name"]
        elif not section and (match := _SYMBOL.match(line)):
            # "d" marks debugging symbols, among them the sections' own.
            if "d" not in match["flags"] and not match["name"].startswith(".L"):
                symbols.setdefault(match["section"], []).append(
                    (int(match["value"], 16), match["name"])
                )
        elif not section and "CODE" in line and (match := _HEADER.match(line)):
            size += int(match["size"], 16)
        elif section and (match := _FUNCTION.match(line)):
            functions.append(DisassembledFunction(section, match["name"]))
        elif functions and functions[-1].section == section and line.strip():
            functions[-1].lines.append(_read_line(line))
    return ObjectCode(functions, {name: sorted(codes) for name, codes in symbols.items()}, size)


def _read_line(line: str) -> DisassembledLine:
    match = _CODE.match(line)
    if match is None:
        return DisassembledLine(None, line.strip())
    at = int(match["at"], 16)
    text, _, operands = match["text"].partition("\t")
    if relocation := _INLINE.match(operands):
        return DisassembledLine(at, text.rstrip(), _read_relocation(relocation))
    return DisassembledLine(at, f"{text} {operands}".rstrip())


def read_data(path: Path) -> Mapping[str, SectionData]:
    """Return the data of each section. Raises ToolError if objdump cannot read the object."""
    sections: dict[str, SectionData] = {}
    section = SectionData()
    for line in _run_objdump(path, "-r", "-s"):
        if match := _SECTION_HEAD.match(line):
            section = sections.setdefault(match["name"], SectionData())
        elif match := _RECORD.match(line):
            section.relocations.append(_read_relocation(match))
        elif line.startswith(" "):
            # " 0000 61626364 ...": 16 bytes in hexadecimal, then as text.
            section.contents.append(line[1:].partition(" ")[2][:35])
    return sections


def _read_relocation(match: re.Match[str]) -> Relocation:
    return Relocation(int(match["at"], 16), match["kind"], match["target"])


def _run_objdump(path: Path, *options: str) -> list[str]:
    return run(["objdump", *options, str(path)]).stdout.decode("utf-8", "replace").splitlines()
