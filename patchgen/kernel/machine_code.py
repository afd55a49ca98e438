# SPDX-License-Identifier: GPL-2.0-or-later
"""Digests of the machine code of each function in an object, such that equal code compares equal.

A change elsewhere in the file moves functions, strings and variables. So addresses are made
relative to the function that contains them, and a relocation against a section is replaced by the
symbol at its target. What remains is what the processor executes.
"""

from __future__ import annotations

import bisect
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from patchgen.process import run

_SYMBOL = re.compile(
    r"^(?P<value>[0-9a-f]+) (?P<flags>.{7}) (?P<section>\S+)\t[0-9a-f]+ (?:\.\w+ )?(?P<name>\S+)$"
)
_FUNCTION = re.compile(r"^[0-9a-f]+ <(?P<name>[^>]+)>:$")
_CODE = re.compile(r"^\s*(?P<at>[0-9a-f]+):\t(?P<text>.*?)\s*$")
# With -w it follows its instruction: "1e: R_X86_64_32S", a tab, and its target.
_RELOCATION = re.compile(r"^(?P<at>[0-9a-f]+): (?P<kind>R_\S+)\s+(?P<target>\S+)$")
_RELATIVE = ("R_X86_64_PC32", "R_X86_64_PLT32")
_PADDING = re.compile(r"(nop|cs nop|data16|xchg +%ax,%ax|int3)")
# "call 4a0 <name+0x10>": the address adds nothing to the name.
_TARGET = re.compile(r"\b[0-9a-f]+ <(?P<name>[^>]+)>")
# "__already_done.3", "find.constprop.0": the numbers shift when a static variable is added.
_NUMBER = re.compile(r"\.\d+(?=[-+]|$)")
_COMMENT = re.compile(r"(?<!\s)\s+#.*$")
_BY_SECTION = re.compile(r"^(?P<section>\.[\w.]+?)(?P<sign>[-+])0x(?P<offset>[0-9a-f]+)$")
# Excludes data that line numbers or layout change: bug tables, unwinder, debug and version data.
_DATA = re.compile(r"^\.(rodata|data|init\.data|init\.rodata|bss)")
_SECTION_HEAD = re.compile(
    r"^(?:Contents of section |RELOCATION RECORDS FOR \[)(?P<name>[^\s\]]+)\]?:$"
)
_POINTER = re.compile(r"^(?P<offset>[0-9a-f]{8,}) (?P<kind>R_\S+) +(?P<target>\S+)$")

# The symbols of each section, sorted by offset.
_Symbols = Mapping[str, list[tuple[int, str]]]


def read_functions(path: Path) -> dict[str, str]:
    """Return a digest for each function of an object, and for its data as `(section)`.

    Raises ToolError if objdump cannot read the object.
    """
    argv = ["objdump", "--syms", "-d", "-r", "-w", "--no-show-raw-insn", str(path)]
    listing = run(argv).stdout.decode("utf-8", "replace")
    symbols = _read_symbols(listing)
    digests: dict[str, str] = {}
    for label, lines in _split_functions(listing):
        ends = [_CODE.match(line) for line in [*lines[1:], ""]]
        instructions = [
            _normalise(line, int(end["at"], 16) if end else None, symbols)
            for line, end in zip(lines, ends, strict=True)
        ]
        # Padding before the next function is not part of the code.
        while instructions and _PADDING.match(instructions[-1]):
            instructions.pop()
        code = "\n".join(instructions)
        # Functions with the same name, numbered ones included, share a digest.
        name = _NUMBER.sub("", label)
        digests[name] = _digest(digests.get(name, "") + code)
    return digests | _read_data(path, symbols)


def list_changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names whose digests differ, or that only one side has, sorted."""
    return sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))


def _read_symbols(listing: str) -> _Symbols:
    found: dict[str, list[tuple[int, str]]] = {}
    for line in listing.splitlines():
        match = _SYMBOL.match(line)
        # "d" marks debugging symbols, among them the sections' own.
        if match and "d" not in match["flags"] and not match["name"].startswith(".L"):
            found.setdefault(match["section"], []).append((int(match["value"], 16), match["name"]))
    return {section: sorted(places) for section, places in found.items()}


def _split_functions(listing: str) -> Iterator[tuple[str, list[str]]]:
    name = None
    lines: list[str] = []
    for line in listing.splitlines():
        if match := _FUNCTION.match(line):
            if name is not None:
                yield name, lines
            name, lines = match["name"], []
        elif line.startswith("Disassembly of section"):
            if name is not None:
                yield name, lines
            name, lines = None, []
        elif name is not None and line.strip():
            lines.append(line)
    if name is not None:
        yield name, lines


def _normalise(line: str, end: int | None, symbols: _Symbols) -> str:
    """Return an instruction without addresses; `end` is the start of the next one."""
    match = _CODE.match(line)
    if match is None:
        return line.strip()
    code, _, text = match["text"].partition("\t")
    code = _TARGET.sub(lambda m: f"<{_NUMBER.sub('', m['name'])}>", _COMMENT.sub("", code))
    relocation = _RELOCATION.match(text)
    if relocation is None:
        return f"{code} {text}".rstrip()
    kind, distance = relocation["kind"], 0
    if kind in _RELATIVE:
        # A relative reference counts from the end of the instruction, where immediate operands
        # may follow it (psABI for x86-64, 4.4.1).
        distance = end - int(relocation["at"], 16) if end is not None else 4
    return f"{code} {kind} {_name_target(relocation['target'], distance, symbols)}"


def _name_target(target: str, distance: int, symbols: _Symbols) -> str:
    """Return the symbol at the target of a relocation that names a section and an offset."""
    match = _BY_SECTION.match(target)
    section = match["section"] if match else target
    if not section.startswith("."):
        return target
    offset = (int(f"{match['sign']}0x{match['offset']}", 16) if match else 0) + distance
    places = symbols.get(section, [])
    index = bisect.bisect_right(places, (offset, "\U0010ffff")) - 1
    if index < 0:
        return section
    place, name = places[index]
    return f"{_NUMBER.sub('', name)}{offset - place:+#x}"


def _read_data(path: Path, symbols: _Symbols) -> dict[str, str]:
    """Return a digest of each data section: its bytes, and the targets of its pointers."""
    listing = run(["objdump", "-r", "-s", str(path)]).stdout.decode("utf-8", "replace")
    contents: dict[str, list[str]] = {}
    section: str | None = None
    for line in listing.splitlines():
        if match := _SECTION_HEAD.match(line):
            section = match["name"] if _DATA.match(match["name"]) else None
        elif section is None or not line.strip():
            continue
        elif match := _POINTER.match(line):
            name = _name_target(match["target"], 0, symbols)
            contents.setdefault(section, []).append(f"{match['offset']} {match['kind']} {name}")
        else:
            # " 0000 61626364 ...": 16 bytes in hexadecimal, then as text.
            contents.setdefault(section, []).append(line[1:].partition(" ")[2][:35])
    return {f"({name})": _digest("\n".join(lines)) for name, lines in contents.items()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
