# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the CONFIG_ symbol that builds a file, by the makefile and the Kconfig of its folder."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.kernel.built_files import MAKEFILE_NAMES
from patchgen.kernel.make_syntax import join_lines, read_assignment, strip_comment
from patchgen.model.base import TreeReader

# obj-$(CONFIG_FOO) or foo-y: the list of the folder's objects, or of those of foo.o.
_LIST = re.compile(r"(?P<owner>[\w.-]+)-(?:y|m|objs|\$[({]CONFIG_(?P<symbol>\w+)[)}])")
_HELP = re.compile(r"^\s+(?:---)?help\b", re.MULTILINE)
_DEPENDENCY = re.compile(r"^\s+depends on (.+)$", re.MULTILINE)
_ENTRY = re.compile(r"^(?:menu)?config (\w+)\s*$", re.MULTILINE)
# The architectures' own symbols, and those of the machines that they run on.
_ARCH_KCONFIGS = (
    "arch/*/Kconfig*",
    "arch/*/mach-*/Kconfig*",
    "arch/*/platforms/Kconfig*",
    "arch/*/platforms/*/Kconfig*",
)
# allmodconfig of any architecture enables it.
_ANYWHERE = "COMPILE_TEST"


@dataclass(frozen=True, slots=True)
class ObjectSymbol:
    """The symbol that builds an object, without CONFIG_, and what it depends on: "" for nothing.

    `conditions` are the parts of the dependencies that all must be met.
    """

    name: str
    conditions: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = self.conditions
        if len(parts) > 1:
            parts = tuple(f"({part})" if len(_split(part, "||")) > 1 else part for part in parts)
        depends = f", which depends on {' && '.join(parts)}" if parts else ""
        return f"CONFIG_{self.name}{depends}"


def read_arch_symbols(tree: TreeReader) -> dict[str, frozenset[str]]:
    """Return the architectures that define a symbol, by symbol, as arch/ names the folders."""
    files = tree.find(_ARCH_KCONFIGS)
    archs: dict[str, set[str]] = {}
    for file, content in zip(files, tree.read_all(files), strict=True):
        for symbol in _ENTRY.findall(content.decode("utf-8", "replace")):
            archs.setdefault(symbol, set()).add(file.path.parts[1])
    return {symbol: frozenset(names) for symbol, names in archs.items()}


def find_needed_archs(
    symbol: ObjectSymbol, arch_symbols: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    """Return the other architectures that a symbol needs one of; empty if x86 may have it.

    A condition needs one if only other architectures define all its symbols.
    """
    needed = []
    for condition in symbol.conditions:
        words = re.findall(r"\w+", condition)
        archs = [arch_symbols.get(word, frozenset()) for word in words]
        is_foreign = all(names and "x86" not in names for names in archs)
        if _ANYWHERE not in words and "!" not in condition and is_foreign:
            needed.append(frozenset().union(*archs))
    return frozenset.intersection(*needed) if needed else frozenset()


def find_object_symbol(
    read: Callable[[PurePosixPath], bytes | None], file: PurePosixPath
) -> ObjectSymbol | None:
    """Return the symbol that builds a file, None if the folder's makefile names no symbol.

    `read` returns the content of a file of the tree, None without it.
    """

    def read_text(name: str) -> str:
        return (read(file.parent / name) or b"").decode("utf-8", "replace")

    makefile = next(filter(None, map(read_text, MAKEFILE_NAMES)), "")
    symbol = find_symbol(makefile, file.with_suffix(".o").name)
    if not symbol:
        return None
    return ObjectSymbol(symbol, tuple(read_dependencies(read_text("Kconfig"), symbol)))


def find_symbol(makefile: str, name: str) -> str:
    """Return the symbol of an object in a makefile, "" if it is built without one, or not named.

    The symbol of an object that is a part of another one may be that of the other one.
    """
    lists: dict[str, tuple[str, str]] = {}
    for line in join_lines(makefile):
        assignment = read_assignment(strip_comment(line))
        if assignment is not None and (match := _LIST.fullmatch(assignment[0])) is not None:
            for word in assignment[2].split():
                lists.setdefault(word, (match["owner"], match["symbol"] or ""))
    # A makefile of a stranger may name two objects as parts of each other.
    while name in lists:
        owner, symbol = lists.pop(name)
        if symbol:
            return symbol
        name = f"{owner}.o"
    return ""


def read_dependencies(kconfig: str, symbol: str) -> list[str]:
    """Return the conditions that a symbol depends on, in the syntax of Kconfig."""
    pattern = rf"^(?:menu)?config {re.escape(symbol)}\s*\n((?:[ \t].*\n|\n)*)"
    entry = re.search(pattern, f"{kconfig}\n".replace("\\\n", " "), re.MULTILINE)
    conditions = _DEPENDENCY.findall(_HELP.split(entry[1])[0]) if entry else []
    conditions = [" ".join(condition.partition("#")[0].split()) for condition in conditions]
    return [part for condition in conditions for part in _split_conjunction(condition)]


def _split_conjunction(condition: str) -> list[str]:
    """Return the operands of a condition's &&; only the condition if it is another expression."""
    # `A && B || C` is met without A.
    return [condition] if len(_split(condition, "||")) > 1 else _split(condition, "&&")


def _split(condition: str, operator: str) -> list[str]:
    """Return the operands of an operator outside of parentheses."""
    parts, depth = [""], 0
    for token in re.split(r"(&&|\|\||[()])", condition):
        depth += (token == "(") - (token == ")")
        if token == operator and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [part.strip() for part in parts]
