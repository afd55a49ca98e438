# SPDX-License-Identifier: GPL-2.0-or-later
"""What functions of objects execute, and which of the objects' functions they come to."""

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
# "  1a:\t49 89 fc \tmov    %rdi,%r12", with -w -r a relocation behind it.
_CODE = re.compile(r"^ *[0-9a-f]+:\t(?P<bytes>[0-9a-f ]+?) *\t(?P<text>[^\t]*)(?P<rest>.*)$")
# AT&T syntax: what is written comes last.
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
        """Tell whether the bytes of an instruction are among those of the function."""
        return any(raw.startswith(instruction) for raw, _ in self.code)


def disassemble(*objects: Path) -> dict[str, Function]:
    """Return the functions of some objects, by name."""
    found: dict[str, Function] = {}
    for path in objects:
        words = ["objdump", "-d", "-r", "-w", "--insn-width=16", path]
        said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        current = Function()
        for line in said.splitlines():
            if match := _FUNCTION.match(line):
                current = found.setdefault(match["name"], Function())
            elif match := _CODE.match(line):
                current.code.append((match["bytes"], match["text"].strip()))
                if match["text"].startswith(("call", "jmp")):
                    target = _RELOCATION.search(match["rest"]) or _TARGET.search(match["text"])
                    if target:
                        current.callees.add(target["name"])
    return found


def reachable(functions: Mapping[str, Function], start: str) -> set[str]:
    """Return the names of what a function comes to by calls, itself among them."""
    found: set[str] = set()
    todo = [start]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += functions[name].callees if name in functions else ()
    return found


def loads_before(function: Function, instruction: str) -> Iterator[dict[str, str]]:
    """For each place of an instruction, yield what each register was last loaded with before it.

    In the order of the code, not of its execution. Registers are named by their 64 bits. Constants
    are `$0x...`, also where they came by way of another register; all else is the instruction.
    """
    last: dict[str, str] = {}
    for raw, text in function.code:
        if raw.startswith(instruction):
            yield dict(last)
        if match := _CLEAR.match(text):
            last[_whole(match["to"])] = "$0x0"
        elif match := _MOVE.match(text):
            source = match["source"]
            last[_whole(match["to"])] = last.get(_whole(source.lstrip("%")), source)
        elif match := _WRITE.search(text):
            last[_whole(match["to"])] = text


def _whole(register: str) -> str:
    if match := re.fullmatch(r"(r\d+)[dwb]", register):
        return match[1]
    return f"r{register[1:]}" if register.startswith("e") else register
