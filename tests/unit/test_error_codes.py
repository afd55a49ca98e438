# SPDX-License-Identifier: GPL-2.0-or-later
"""Each error has a code, and docs/messages.md explains each code."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from patchgen import errors
from patchgen.cli.printer import OutputError
from patchgen.errors import MissingObjectsError, PatchgenError
from tests.support import TOP

CLASSES = {
    name
    for name, value in (*vars(errors).items(), ("OutputError", OutputError))
    if isinstance(value, type) and issubclass(value, PatchgenError)
}
# It has a single code, which its constructor passes on.
WITHOUT_PARAMETER = {MissingObjectsError.__name__}
Site = tuple[str, ast.expr | None]


def find_sites() -> Iterator[Site]:
    """Yield each place that makes an error: where it is, and its argument `code`."""
    for path in sorted((TOP / "patchgen").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id
                if name in CLASSES - WITHOUT_PARAMETER:
                    codes = [key.value for key in node.keywords if key.arg == "code"]
                    place = f"{path.relative_to(TOP)}:{node.lineno}"
                    yield place, codes[0] if codes else None


SITES = list(find_sites())


def read_sections() -> list[tuple[str, str]]:
    """Return the codes of the page in its order, each with its explanation."""
    page = (TOP / "docs/messages.md").read_text(encoding="utf-8")
    return re.findall(r"^### ([\w-]+)\n\n(.*?)(?=\n##|\Z)", page, re.MULTILINE | re.DOTALL)


def test_all_classes_of_errors_are_looked_for():
    """A subclass elsewhere would not be looked for."""

    def subclasses(parent: type) -> set[str]:
        names = {parent.__name__}
        return names.union(*(subclasses(child) for child in parent.__subclasses__()))

    assert subclasses(PatchgenError) == CLASSES


def test_each_error_has_a_code():
    assert len(SITES) > 300
    assert [place for place, code in SITES if code is None] == []


def test_a_code_that_is_not_constant_is_that_of_another_error():
    """An error that is raised again, or that comes from the process that renders templates."""
    for place, code in SITES:
        if not isinstance(code, ast.Constant):
            assert ast.unparse(code) in ("err.code", "answer['code']", "code"), place


def test_the_page_explains_each_code_and_no_other():
    raised = {code.value for _, code in SITES if isinstance(code, ast.Constant)}
    raised.add(MissingObjectsError(["0" * 40]).code)
    explained = [code for code, _ in read_sections()]
    assert sorted(raised) == sorted(explained)


def test_the_page_has_a_code_once_and_in_the_order_of_the_alphabet_in_its_part():
    page = (TOP / "docs/messages.md").read_text(encoding="utf-8")
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        codes = re.findall(r"^### (.*)$", part, re.MULTILINE)
        assert codes == sorted(codes)
    counts = Counter(code for code, _ in read_sections())
    assert [code for code, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(("code", "text"), read_sections(), ids=lambda value: value[:30])
def test_an_explanation_has_what_it_means_and_what_to_do(code: str, text: str):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code) and len(code) <= 24
    assert len(re.findall(r"[.:](?:\s|$)", text)) >= 2, text


def test_the_code_follows_the_first_line_of_a_message():
    error = PatchgenError("no such commit", code="revision-unknown", hint="name a commit")
    assert error.describe({}) == "no such commit [revision-unknown]\nhint: name a commit"
    several = PatchgenError("name one of these:\n  a\n  b", code="branch-not-named")
    assert several.describe({}) == "name one of these [branch-not-named]:\n  a\n  b"


def test_a_message_that_becomes_part_of_another_one_has_no_code():
    assert str(PatchgenError("no such commit", code="revision-unknown")) == "no such commit"
