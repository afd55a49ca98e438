# SPDX-License-Identifier: GPL-2.0-or-later
"""Hints name only options that the called command has: the library names none, `cli` adds them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "patchgen"
# A whole command may be quoted, as `patchgen reroll --abort`; it does not depend on the caller.
QUOTED = re.compile(r"`[a-z][^`]*`")
OPTION = re.compile(r"(?:^|[\s(])--?[a-zA-Z][a-z-]*")
MODULES = sorted(
    path for path in LIBRARY.rglob("*.py") if path.relative_to(LIBRARY).parts[0] != "cli"
)


def find_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the texts of errors and their hints, with their lines; values in them are `X`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            hints = [each.value for each in node.keywords if each.arg in ("hint", "alternatives")]
            is_error = isinstance(node.func, ast.Name) and node.func.id.endswith("Error")
            for text in [*hints, *(node.args[:1] if is_error else [])]:
                yield node.lineno, join_texts(text)


def join_texts(node: ast.AST) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.FormattedValue):
        return "X"
    return "".join(map(join_texts, ast.iter_child_nodes(node)))


def find_options(source: str) -> list[str]:
    """Return the texts that name an option outside of a whole command."""
    return [
        f"{line}: {text}"
        for line, text in find_texts(source)
        if OPTION.search(QUOTED.sub("", text))
    ]


def test_the_library_names_no_option_in_an_error():
    found = {str(path): find_options(path.read_text()) for path in MODULES}
    assert {path: options for path, options in found.items() if options} == {}


@pytest.mark.parametrize(
    "call",
    [
        'RefusedError("x", hint="use --base")',
        'raise UsageError(f"--define {word}: x")',
        'Place(hint=f"give {x} " "(--tree)" if y else "-o")',
    ],
)
def test_an_option_in_an_error_is_found(call):
    assert find_options(call)


def test_a_whole_command_may_be_named():
    assert find_options('RefusedError("x", hint="`patchgen reroll --abort` ends it")') == []
