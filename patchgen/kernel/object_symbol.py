# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the CONFIG_ symbol that builds a file, by the makefile and the Kconfig of its folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from patchgen.kernel.built_files import MAKEFILE_NAMES
from patchgen.kernel.make_syntax import join_lines, read_assignment, strip_comment

# obj-$(CONFIG_FOO) or foo-y: the list of the folder's objects, or of those of foo.o.
_LIST = re.compile(r"(?P<owner>[\w.-]+)-(?:y|m|objs|\$[({]CONFIG_(?P<symbol>\w+)[)}])")
_HELP = re.compile(r"^\s+(?:---)?help\b", re.MULTILINE)
_DEPENDENCY = re.compile(r"^\s+depends on (.+)$", re.MULTILINE)


def describe_symbol(read: Callable[[PurePosixPath], bytes | None], file: PurePosixPath) -> str:
    """Return "CONFIG_FOO", with what that depends on; "" if the folder's makefile names no symbol.

    `read` returns the content of a file of the tree, None without it.
    """

    def read_text(name: str) -> str:
        return (read(file.parent / name) or b"").decode("utf-8", "replace")

    makefile = next(filter(None, map(read_text, MAKEFILE_NAMES)), "")
    symbol = find_symbol(makefile, file.with_suffix(".o").name)
    if not symbol:
        return ""
    dependencies = read_dependencies(read_text("Kconfig"), symbol)
    return f"CONFIG_{symbol}" + (f", which depends on {dependencies}" if dependencies else "")


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


def read_dependencies(kconfig: str, symbol: str) -> str:
    """Return what a symbol depends on, in the syntax of Kconfig, "" for nothing."""
    pattern = rf"^(?:menu)?config {re.escape(symbol)}\s*\n((?:[ \t].*\n|\n)*)"
    entry = re.search(pattern, f"{kconfig}\n".replace("\\\n", " "), re.MULTILINE)
    conditions = _DEPENDENCY.findall(_HELP.split(entry[1])[0]) if entry else []
    conditions = [" ".join(condition.partition("#")[0].split()) for condition in conditions]
    if len(conditions) > 1:
        conditions = [f"({text})" if "||" in text else text for text in conditions]
    return " && ".join(conditions)
