# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers agree with their nouns: 1 file, 2 files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from patchgen.counting import count
from tests.support import TOP

# A plural right after a value, with at most two words between them: "{total} more such lines".
# A verb or "and" between them means that the value is no number.
_NOUNS = (
    "addresses|branches|bytes|candidates|calls|characters|columns|commits|conflicts|days|entries"
    "|files|findings|functions|hits|hunks|letters|lines|mails|members|notes|objects|others"
    "|parts|patches|paths|people|places|recipients|results|rules|seconds|sites|steps|tags|times"
    "|trees|versions|warnings|words"
)
_AFTER = rf" (?:(?!(?:and|both|has|or)\b)\w+ ){{,2}}(?:{_NOUNS})\b"
_PLURAL = re.compile(rf"\A{_AFTER}")
_PLURAL_IN_TEMPLATE = re.compile(rf"\{{\{{[^{{}}]*\}}\}}{_AFTER}")
# Values that are no numbers, and the speed of a run.
NO_COUNTS = {
    "{'s' if complete == 1 else ''} all mails",
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
    "{len(sentence)} characters, but a subject has room for ",
    "{len(subject)} characters; the limit is ",
    "{len(matches)} entries: ",
    "{len(entries)} mails",
    "{_MAX_DEPTH} files",
    "{_MAX_LENGTH} characters",
    "{_DEEPEST_KEY} parts",
    "{_LONGEST_DEFINITION} bytes, or has a NUL character",
    "{_LONGEST_NAME} bytes)",
    "{_MAX_BYTES} bytes",
    "{_SEARCH_S} seconds of the search",
    "{hits} times",
    "{len(covers)} cover letters of v",
    "{rule.hits} times)",
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
    texts = ["in {n} files", "{n} more such lines", "{n} file", "{n} is", "{n} has no files"]
    assert list(find_plurals("; ".join(f'f"{text}"' for text in texts))) == [
        "{n} files",
        "{n} more such lines",
    ]


def test_no_text_has_a_plural_after_one():
    found = {
        plural
        for path in sorted((TOP / "patchgen").rglob("*.py"))
        for plural in find_plurals(path.read_text())
    }
    assert found == NO_COUNTS | NEVER_ONE


def test_no_template_has_a_plural_after_one():
    assert _PLURAL_IN_TEMPLATE.search("{{ files | length }} other files")
    folders = [TOP / name for name in ("patchgen", "templates", "semantic-patches")]
    templates = [path for folder in folders for path in sorted(folder.rglob("*.j2"))]
    assert len(templates) > 20
    found = [path for path in templates if _PLURAL_IN_TEMPLATE.search(path.read_text())]
    assert found == []
