# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers agree with their nouns: 1 file, 2 files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from patchgen.counting import count
from tests.support import TOP

# A plural right after a value, with at most one word between them: "{total} more lines".
_PLURAL = re.compile(
    r"\A (?:\w+ )?(?:addresses|branches|candidates|calls|characters|columns|commits|entries|files"
    r"|findings|functions|hits|hunks|lines|mails|members|notes|objects|others|patches|paths|people"
    r"|places|recipients|results|rules|sites|steps|tags|trees|warnings|words)\b"
)
# Values that are no numbers, and the speed of a run.
NO_COUNTS = {
    "{'s' if complete == 1 else ''} all mails",
    "{email} has characters other than ASCII",
    "{group.paths[0].name} and others",
    "{name} has mails of two threads: ",
    "{name} has patches without numbers, such as ",
    "{objects.parent} borrows objects from ",
    "{reply.worker} returned results for other files than it got",
    "{task.speed or 0} files/s",
}
# These numbers are never 1: the code before them makes sure of that, or the limit is greater.
NEVER_ONE = {
    "{len(names) - _MAX_NAMES + 1} others",
    "{len(joined)} patches are left, not ",
    "{len(patches)} patches are many at once (submitting-patches.rst: 15 or so); --max-patches 15 "
    "joins groups",
    "{len(found)} lines read",
    "{count} patches; more than ",
    "{len(commits)} patches; more than ",
    '{count} patches have the subject "',
    "{len(line)} characters was left out",
    "{len(line)} characters; wrap the text at ",
    "{len(line)} characters",
    "{len(subject)} characters; the limit is ",
    "{len(subject)} characters, and a subject has at most ",
    "{len(matches)} entries: ",
    "{len(entries)} mails",
    "{_MAX_DEPTH} files",
    "{_MAX_LENGTH} characters",
    "{WIDTH} columns: ",
    "{WIDTH} columns: wrap ",
    "{total} mails were sent.",
}


@pytest.mark.parametrize(
    ("number", "noun", "plural", "text"),
    [
        (0, "file", "", "0 files"),
        (1, "file", "", "1 file"),
        (2, "patch", "", "2 patches"),
        (1, "file was", "files were", "1 file was"),
        (3, "file was", "files were", "3 files were"),
    ],
)
def test_counts(number, noun, plural, text):
    assert count(number, noun, plural) == text


def find_plurals(source: str) -> Iterator[str]:
    """Yield each value in an f-string, in braces, with the plural and the text after it."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, text in zip(node.values, node.values[1:], strict=False):
            if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant):
                after = str(text.value)
                if _PLURAL.match(after) and not _is_counted(value.value):
                    yield f"{{{ast.unparse(value.value)}}}{after}"


def _is_counted(value: ast.expr) -> bool:
    """Return whether an expression is a text or an ordinal, by its form: count(...), a string."""
    return isinstance(value, ast.Call) and ast.unparse(value.func) in ("count", "_count")


def test_plurals_are_found():
    assert list(find_plurals('f"in {n} files"; f"{n} more lines"; f"{n} file"; f"{n} is"')) == [
        "{n} files",
        "{n} more lines",
    ]


def test_no_text_has_a_plural_after_one():
    found = {
        plural
        for path in sorted((TOP / "patchgen").rglob("*.py"))
        for plural in find_plurals(path.read_text())
    }
    assert found == NO_COUNTS | NEVER_ONE
