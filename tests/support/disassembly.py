# SPDX-License-Identifier: GPL-2.0-or-later
"""Disassemble objects: what a function executes, and which functions it reaches by calls."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TDCALL = "66 0f 01 cc"
VMCALL = "0f 01 c1"
VMMCALL = "0f 01 d9"

_FUNCTION = re.compile(r"^[0-9a-f]+ <(?P<name>[^>]+)>:$")
# "  1a:\t49 89 fc \tmov    %rdi,%r12"; with -w -r a relocation follows.
_CODE = re.compile(r"^ *[0-9a-f]+:\t(?P<bytes>[0-9a-f ]+?) *\t(?P<text>[^\t]*)(?P<relocation>.*)$")
# AT&T syntax: the destination is the last operand.
_CLEAR = re.compile(r"^xor +%(?P<to>\w+),%(?P=to)$")
_MOVE = re.compile(r"^mov\w* +(?P<source>\$0x[0-9a-f]+|%\w+),%(?P<to>\w+)$")
_WRITE = re.compile(r"%(?P<to>\w+)$")
_TARGET = re.compile(r"<(?P<name>[\w.]+)(?:\+0x[0-9a-f]+)?>")
_RELOCATION = re.compile(r"R_X86_64_(?:PLT32|PC32)\s+(?P<name>[A-Za-z_][\w.]*)")


@dataclass
class Function:
    """Instructions in order, as bytes and as text, and the functions it calls or jumps to."""

    code: list[tuple[str, str]] = field(default_factory=list)
    callees: set[str] = field(default_factory=set)

    def executes(self, instruction: str) -> bool:
        """Return whether the bytes of an instruction are among those of the function."""
        return any(raw.startswith(instruction) for raw, _ in self.code)


def disassemble(*objects: Path) -> dict[str, Function]:
    """Return the functions of some objects, by name."""
    functions: dict[str, Function] = {}
    for path in objects:
        argv = ["objdump", "-d", "-r", "-w", "--insn-width=16", path]
        listing = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        current = Function()
        for line in listing.splitlines():
            if match := _FUNCTION.match(line):
                current = functions.setdefault(match["name"], Function())
            elif match := _CODE.match(line):
                current.code.append((match["bytes"], match["text"].strip()))
                if match["text"].startswith(("call", "jmp")):
                    target = _RELOCATION.search(match["relocation"]) or _TARGET.search(
                        match["text"]
                    )
                    if target:
                        current.callees.add(target["name"])
    return functions


def reachable(functions: Mapping[str, Function], start: str) -> set[str]:
    """Return the names of all functions that a function reaches by calls, including its own."""
    reached: set[str] = set()
    pending = [start]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += functions[name].callees if name in functions else ()
    return reached


def loads_before(function: Function, instruction: str) -> Iterator[dict[str, str]]:
    """For each occurrence of an instruction, yield the last load of each register before it.

    "Before" is the order of the code, not of its execution. Registers have their 64-bit names. A
    constant is `$0x...`, even if it was copied from another register; any other load is the text
    of the instruction.
    """
    last: dict[str, str] = {}
    for raw, text in function.code:
        if raw.startswith(instruction):
            yield dict(last)
        if match := _CLEAR.match(text):
            last[_widen(match["to"])] = "$0x0"
        elif match := _MOVE.match(text):
            source = match["source"]
            last[_widen(match["to"])] = last.get(_widen(source.lstrip("%")), source)
        elif match := _WRITE.search(text):
            last[_widen(match["to"])] = text


def _widen(register: str) -> str:
    if match := re.fullmatch(r"(r\d+)[dwb]", register):
        return match[1]
    return f"r{register[1:]}" if register.startswith("e") else register
