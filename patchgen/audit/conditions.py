# SPDX-License-Identifier: GPL-2.0-or-later
"""Evaluate #if expressions by a .config, and find the lines of a file that are not compiled.

Without a .config, CONFIG_* options are unknown and all branches are followed. Macros of the
compiler and of other headers are unknown, too, except those that are the same in all C code of the
kernel.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from patchgen.audit.facts import Asm, CallFact, Region, StoreFact

_Lined = TypeVar("_Lined", CallFact, StoreFact, Asm)

_TOKEN = re.compile(r"(defined|\w+|&&|\|\||[!<>=]=|[<>!()+*/&|~^?:,-])")
_OPTION = re.compile(r"CONFIG_\w+")
_TESTS = ("IS_ENABLED", "IS_BUILTIN", "IS_MODULE", "IS_REACHABLE")
# The same in all C code of the kernel.
_DEFINED = frozenset(["__KERNEL__", "__GNUC__"])
_DEFINED_ELSEWHERE = """
    __ASSEMBLY__ __ASSEMBLER__ MODULE __CHECKER__ __GENKSYMS__ BUILD_VDSO BUILD_VDSO32
    BUILD_VDSO32_64 _SETUP __BOOT_COMPRESSED BOOT_COMPRESSED_MISC_H __DTS__ __DISABLE_EXPORTS
    __BPF__
"""
_UNDEFINED = frozenset(_DEFINED_ELSEWHERE.split())

# The options of a .config that are set (patchgen.kernel.DotConfig).
Settings = Mapping[str, str]


class Conditions:
    """Evaluates #if expressions. `settings` is None to follow all branches."""

    def __init__(self, settings: Settings | None, *, assembly: bool = False):
        self._settings = settings
        self._assembly = assembly
        self._results: dict[str, bool | None] = {}

    def holds(self, condition: str) -> bool | None:
        """Return whether a condition is true, None if unknown."""
        if condition not in self._results:
            try:
                self._results[condition] = _Expression(condition, self).read()
            except (IndexError, ValueError, RecursionError):
                self._results[condition] = None
        return self._results[condition]

    def is_defined(self, name: str) -> bool | None:
        """Return whether a macro is defined, None if unknown."""
        if name in _DEFINED:
            return True
        if name in ("__ASSEMBLY__", "__ASSEMBLER__"):
            return self._assembly
        if name in _UNDEFINED:
            return False
        if not name.startswith("CONFIG_") or self._settings is None:
            return None
        if name.endswith("_MODULE") and self._settings.get(name.removesuffix("_MODULE")) == "m":
            return True
        return self._settings.get(name, "n") not in ("n", "m")

    def is_enabled(self, test: str, name: str) -> bool | None:
        """Return the value of IS_ENABLED() or a similar test, None if unknown."""
        if self._settings is None or not name.startswith("CONFIG_"):
            return None
        value = self._settings.get(name, "n")
        accepted = {"IS_BUILTIN": ("y",), "IS_MODULE": ("m",)}.get(test, ("y", "m"))
        return value in accepted

    def read_term(self, text: str) -> bool | None:
        """Return the value of a comparison or of another macro, None if unknown."""
        return None


class AssumedConditions(Conditions):
    """Evaluates #if expressions under assumptions about the terms that are otherwise unknown.

    `assumed` is the value of each term, None until one is assumed.
    """

    def __init__(self, known: Conditions):
        super().__init__(known._settings, assembly=known._assembly)
        self.assumed: dict[str, bool | None] = {}

    def holds(self, condition: str) -> bool | None:
        self._results.clear()
        return super().holds(condition)

    def is_defined(self, name: str) -> bool | None:
        value = super().is_defined(name)
        return self.read_term(f"defined({name})") if value is None else value

    def is_enabled(self, test: str, name: str) -> bool | None:
        value = super().is_enabled(test, name)
        return self.read_term(f"{test}({name})") if value is None else value

    def read_term(self, text: str) -> bool | None:
        return self.assumed.setdefault(text, None)


class _Expression:
    """A recursive-descent parser of one expression. The value of arithmetic is unknown."""

    def __init__(self, text: str, conditions: Conditions):
        self._tokens = _TOKEN.findall(text)
        self._at = 0
        self._conditions = conditions

    def read(self) -> bool | None:
        value = self._read_or()
        return None if self._at < len(self._tokens) else value

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token: str = self._tokens[self._at]
        self._at += 1
        return token

    def _read_or(self) -> bool | None:
        value = self._read_and()
        while self._peek() == "||":
            self._next()
            other = self._read_and()
            value = True if True in (value, other) else None if None in (value, other) else False
        return value

    def _read_and(self) -> bool | None:
        value = self._read_unary()
        while self._peek() == "&&":
            self._next()
            other = self._read_unary()
            value = False if False in (value, other) else None if None in (value, other) else True
        return value

    def _read_unary(self) -> bool | None:
        start = self._at
        value = self._read_atom()
        if self._peek() not in ("", "&&", "||", ")"):
            self._skip()
            return self._conditions.read_term(" ".join(self._tokens[start : self._at]))
        return value

    def _skip(self) -> None:
        """Skip the rest of a comparison."""
        depth = 0
        while self._peek() and (depth or self._peek() not in ("&&", "||", ")")):
            token = self._next()
            depth += {"(": 1, ")": -1}.get(token, 0)

    def _read_atom(self) -> bool | None:
        token = self._next()
        if token == "!":
            value = self._read_atom()
            return None if value is None else not value
        if token == "(":
            return self._read_closed()
        if token == "defined":
            return self._conditions.is_defined(self._read_name())
        if self._peek() == "(":
            return self._read_macro(token)
        if token.isdigit():
            return int(token) != 0
        is_option = _OPTION.fullmatch(token) is not None
        read = self._conditions.is_defined if is_option else self._conditions.read_term
        return read(token)

    def _read_closed(self) -> bool | None:
        value = self._read_or()
        if self._next() != ")":
            raise ValueError
        return value

    def _read_name(self) -> str:
        if self._peek() != "(":
            return self._next()
        _, name, _ = self._next(), self._next(), self._next()
        return name

    def _read_macro(self, name: str) -> bool | None:
        self._next()
        argument = self._next()
        depth = 1
        while depth:
            depth += {"(": 1, ")": -1}.get(self._next(), 0)
        return self._conditions.is_enabled(name, argument) if name in _TESTS else None


class DeadCode:
    """The lines of a file that are not compiled, and the conditions on the others."""

    def __init__(self, regions: Sequence[Region], conditions: Conditions):
        self._regions = regions
        self._dead = [r for r in regions if conditions.holds(r.condition) is False]
        self._unknown = [r for r in regions if conditions.holds(r.condition) is None]
        self._unknown_by_line: dict[int, tuple[str, ...]] = {}

    def covers(self, line: int) -> bool:
        """Return whether a line is not compiled."""
        return any(region.first < line < region.last for region in self._dead)

    def keep(self, items: Iterable[_Lined]) -> Sequence[_Lined]:
        """Return the items that are compiled."""
        if not self._dead:
            return items if isinstance(items, tuple) else tuple(items)
        return tuple(item for item in items if not self.covers(item.line))

    def list_unknown(self, line: int) -> tuple[str, ...]:
        """Return the #if conditions around a line that may hold or not."""
        if line not in self._unknown_by_line:
            conditions = tuple(r.condition for r in self._unknown if r.first < line < r.last)
            self._unknown_by_line[line] = conditions
        return self._unknown_by_line[line]

    def describe(self, line: int) -> str:
        """Return the conditions on options of Kconfig that a line is under."""
        conditions = [
            r.condition
            for r in self._regions
            if r.first < line < r.last and "CONFIG_" in r.condition
        ]
        return " && ".join(conditions)
