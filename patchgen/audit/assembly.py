# SPDX-License-Identifier: GPL-2.0-or-later
"""Read .S files: symbols, their calls, and instructions that may call a hypervisor.

The reader matches lines of text. SYM_FUNC_START() or SYM_CODE_START() begins a symbol, and a use of
an assembler macro (.macro) is a call by its name. The part of a macro under `.if \\ARGUMENT` is a
separate function, "MACRO ARGUMENT=1", and the part under `.else` is "MACRO ARGUMENT=0": a use
that passes the argument calls that function, too.
"""

from __future__ import annotations

import re

from patchgen.audit.c_text import TRAMPOLINE
from patchgen.audit.directives import read_directives
from patchgen.audit.facts import (
    Access,
    Asm,
    CallFact,
    FileFacts,
    Function,
    StoreFact,
    VariableFact,
    access_static_call,
)

_START = re.compile(r"\bSYM_(?:FUNC|CODE|TYPED_FUNC|INNER)_(?:START|LABEL)\w*\(\s*(\w+)")
_END = re.compile(r"\bSYM_(?:FUNC|CODE|TYPED_FUNC)_END\w*\(")
_DATA_SYMBOL = re.compile(r"\bSYM_DATA\(\s*(\w+)\s*,\s*\.(?:quad|long)\s+([A-Za-z_]\w*)\s*\)")
_MACRO = re.compile(r"^\s*\.macro\s+(\w+)")
_BRANCH = re.compile(r"^\s*(?:call|jmp|j[a-z]{1,3}|callq|jmpq|lea[ql]?)\s+([A-Za-z_]\w*)")
# A branch to an address in a register, or in memory that one points to.
_INDIRECT = re.compile(r"^\s*(?:(?:call|jmp)[lq]?\s+\*\s*|(?:CALL|JMP)_NOSPEC\s+)(\S*%?\w+\)?)")
# The type of an access that loads a pointer, which later code may call.
LOADED = "(loaded)"
_STATIC_CALL = re.compile(rf"^\s*(?:call|jmp)q?\s+{TRAMPOLINE}")
_LOAD = re.compile(r"\b([A-Za-z_]\w*)\(%rip\)|\bpa\((\w+)\)|\*\(?([A-Za-z_]\w*)\)?\s*$")
_IF = re.compile(r"^\s*\.if(?:n?def|c|nc|eq|ne)?\b\s*(?:\\(\w+)\s*$)?")
_ARGUMENT = re.compile(r"\b(\w+)=(\w+)")
_MNEMONIC = re.compile(r"^\s*(?:[\w.]+:\s*)?(?:rep;?\s*)?([A-Za-z_][\w.]*)")


def parse_assembly(content: bytes) -> FileFacts:
    """Return the facts of a .S file. An assembler macro becomes a function of the same name."""
    prepared = read_directives(content)
    reader = _AssemblyReader()
    for number, line in enumerate(prepared.text.decode("utf-8", "replace").split("\n"), 1):
        reader.read(number, line.partition("# ")[0])
    reader.end()
    return FileFacts(
        prepared.includes,
        prepared.regions,
        prepared.macros,
        tuple(reader.functions),
        tuple(reader.variables),
    )


class _AssemblyReader:
    """Reads line by line; one symbol or macro is open at a time."""

    def __init__(self) -> None:
        self.functions: list[Function] = []
        self.variables: list[VariableFact] = []
        self._name = ""
        self._first = 0
        self._static = False
        self._calls: list[CallFact] = []
        self._asms: list[Asm] = []
        self._identifiers: set[str] = set()
        self._ifs: list[tuple[str, bool]] = []
        self._parts: dict[str, tuple[list[CallFact], list[Asm]]] = {}

    def read(self, number: int, line: str) -> None:
        if match := _MACRO.match(line):
            self._begin(match[1], number, static=True)
        elif match := _START.search(line):
            before = self._name
            if before and "INNER" in line:
                # Control falls through to it.
                self._calls.append(CallFact(number, match[1]))
            # Local symbols, too: macros of headers call them from other files.
            self._begin(match[1], number, static=False)
        elif ".endm" in line or _END.search(line):
            self.end()
        elif match := _DATA_SYMBOL.search(line):
            target = Access(match[1], "", ())
            store = StoreFact(number, target, (match[2],))
            self.variables.append(
                VariableFact(match[1], number, False, "()", (store,), (match[2],))
            )
        elif self._name and not self._read_condition(line):
            self._read_instruction(number, line)

    def _read_condition(self, line: str) -> bool:
        """Record an `.if`, `.else` or `.endif`; return whether the line is one."""
        if match := _IF.match(line):
            self._ifs.append((match[1] or "", True))
        elif re.match(r"\s*\.else\b", line) and self._ifs:
            self._ifs[-1] = (self._ifs[-1][0], False)
        elif re.match(r"\s*\.endif\b", line) and self._ifs:
            self._ifs.pop()
        else:
            return False
        return True

    def _choose_part(self) -> tuple[list[CallFact], list[Asm]]:
        """Return the lists for calls and instructions: the symbol's, or those of a macro's part."""
        parts = [f"{name}={int(value)}" for name, value in self._ifs if name]
        if not parts:
            return self._calls, self._asms
        return self._parts.setdefault(parts[-1], ([], []))

    def _begin(self, name: str, number: int, *, static: bool) -> None:
        self.end()
        self._name, self._first, self._static = name, number, static

    def end(self) -> None:
        if self._name:
            self._add(self._name, self._calls, self._asms)
            for part, (calls, asms) in self._parts.items():
                self._add(f"{self._name} {part}", calls, asms)
        self._name, self._calls, self._asms, self._identifiers = "", [], [], set()
        self._ifs, self._parts = [], {}

    def _add(self, name: str, calls: list[CallFact], asms: list[Asm]) -> None:
        identifiers = tuple(sorted(self._identifiers))
        self.functions.append(
            Function(name, self._first, self._static, tuple(calls), identifiers, tuple(asms))
        )

    def _read_instruction(self, number: int, line: str) -> None:
        text = " ".join(line.split())
        if not text:
            return
        calls, asms = self._choose_part()
        branch = _BRANCH.match(line)
        if match := _STATIC_CALL.match(line):
            calls.append(CallFact(number, "", access_static_call(match[1] or match[2])))
        elif branch:
            calls.append(CallFact(number, branch[1]))
        elif (indirect := _INDIRECT.match(line)) and not _LOAD.search(line):
            calls.append(CallFact(number, "", Access(indirect[1], "", (), local=True)))
        elif mnemonic := _MNEMONIC.match(line):
            asms.append(Asm(number, text, ""))
            calls.append(CallFact(number, mnemonic[1]))
            calls += [
                CallFact(number, f"{mnemonic[1]} {argument[1]}={argument[2]}")
                for argument in _ARGUMENT.finditer(line)
            ]
        for match in _LOAD.finditer(line):
            name = match[1] or match[2] or match[3]
            if not branch or branch[1] != name:
                self._identifiers.add(name)
                calls.append(CallFact(number, "", Access(name, LOADED, ())))
