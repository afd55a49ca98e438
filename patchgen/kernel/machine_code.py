# SPDX-License-Identifier: GPL-2.0-or-later
"""Digests of the machine code of each function in an object, such that equal code compares equal.

A change in another part of the file moves functions, strings and variables. So addresses are made
relative to the function that contains them, and a relocation against a section is replaced by the
symbol at its target. What remains is what the processor executes.
"""

from __future__ import annotations

import bisect
import hashlib
import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from patchgen.kernel.objdump import DisassembledLine, SectionData, read_code, read_data

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

# The symbols of each section, sorted by offset.
_Symbols = Mapping[str, Sequence[tuple[int, str]]]


def read_functions(path: Path) -> dict[str, str]:
    """Return a digest for each function of an object, and for its data as `(section)`.

    Raises ToolError if objdump cannot read the object.
    """
    code = read_code(path)
    digests: dict[str, str] = {}
    for function in code.functions:
        instructions = [
            _normalise(line, following.offset if following else None, code.symbols)
            for line, following in zip_longest(function.lines, function.lines[1:])
        ]
        # Padding before the next function is not part of the code.
        while instructions and _PADDING.match(instructions[-1]):
            instructions.pop()
        # Functions with the same name, numbered ones included, share a digest.
        name = _NUMBER.sub("", function.name)
        digests[name] = _digest(digests.get(name, "") + "\n".join(instructions))
    return digests | {
        f"({name})": _digest_data(data, code.symbols)
        for name, data in read_data(path).items()
        if _DATA.match(name)
    }


def list_changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names whose digests differ, or that only one side has, sorted."""
    return sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))


def _normalise(line: DisassembledLine, end: int | None, symbols: _Symbols) -> str:
    """Return an instruction without addresses; `end` is the start of the next one."""
    if line.offset is None:
        return line.text
    code = _COMMENT.sub("", line.text)
    code = _TARGET.sub(lambda m: f"<{_NUMBER.sub('', m['name'])}>", code)
    relocation = line.relocation
    if relocation is None:
        return code
    distance = 0
    if relocation.kind in _RELATIVE:
        # A relative reference counts from the end of the instruction, where immediate operands
        # may follow it (psABI for x86-64, 4.4.1).
        distance = end - relocation.offset if end is not None else 4
    return f"{code} {relocation.kind} {_name_target(relocation.target, distance, symbols)}"


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


def _digest_data(data: SectionData, symbols: _Symbols) -> str:
    """Return a digest of a section: its bytes, and the targets of its pointers."""
    pointers = [
        f"{r.offset:x} {r.kind} {_name_target(r.target, 0, symbols)}" for r in data.relocations
    ]
    return _digest("\n".join([*data.contents, *pointers]))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
