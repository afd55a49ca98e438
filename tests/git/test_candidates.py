# SPDX-License-Identifier: GPL-2.0-or-later
"""Of a tree, only files that have the words of a semantic patch are read and go to spatch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from patchgen.coccinelle.formula import parse_formula
from patchgen.coccinelle.needs import Needs
from patchgen.model.base import Oid, TreeFile
from patchgen.odb import Repository, list_entries, plan_search
from patchgen.sweep.candidates import Slicer, find_candidates
from patchgen.sweep.slices import restore
from tests.support.kernels import commit_all

FUNCTION = "void f(void)\n{\n%s}\n"
FILES = {
    "both.c": FUNCTION % "\tkmalloc(1);\n\tmemset(2);\n",
    "apart.c": FUNCTION % "\tkmalloc(1);\n" + FUNCTION % "\tmemset(2);\n",
    "common.c": FUNCTION % "\tmemset(2);\n",
    "rare.c": FUNCTION % "\tkmalloc(1);\n",
    "longer.c": FUNCTION % "\tmy_kmalloc(1);\n\tkmallocs();\n\tmemset(2);\n",
}
FORMULA = parse_formula("(kmalloc&(memset|bzero))")
NEEDS = Needs(FORMULA, (FORMULA,))


@pytest.fixture
def repository(tmp_path) -> Iterator[Repository]:
    folder = tmp_path / "tree"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    commit_all(folder, "start")
    opened = Repository(folder)
    yield opened
    opened.close()


def find(repository: Repository, needs: Needs, *, search: bool) -> list[str]:
    tree = repository.resolve_tree(repository.resolve_commit("HEAD"))
    files = list_entries(repository, tree, (), (".c",))
    planned = plan_search(repository, tree, (), (".c",)) if search else None
    return sorted(str(file.path) for file in find_candidates(repository, planned, files, needs))


def test_the_clause_that_the_fewest_files_satisfy_is_searched_for(repository):
    assert find(repository, NEEDS, search=True) == ["apart.c", "both.c", "rare.c"]
    assert find(repository, NEEDS, search=False) == sorted(FILES)
    assert find(repository, Needs(parse_formula("true"), None), search=True) == sorted(FILES)


def test_spatch_gets_no_file_without_the_words(repository):
    slicer = Slicer(repository, NEEDS, slices=True)
    tree = repository.resolve_tree(repository.resolve_commit("HEAD"))
    files = find_candidates(repository, None, list_entries(repository, tree, (), (".c",)), NEEDS)
    cut = {str(file.path): slicer.cut(file, text) for file, text in slicer.read(files)}
    assert [path for path, source in cut.items() if source is not None] == ["both.c"]
    assert [str(file.path) for file in slicer.unmatchable] == ["apart.c"]
    assert [str(file.path) for file in slicer.without_words] == ["common.c", "longer.c", "rare.c"]


def test_the_parts_of_a_slice_are_taken_once(repository):
    functions = [f"void f{number}(void)\n{{\n\tother({number});\n}}\n" for number in range(5)]
    text = "\n".join([*functions, FILES["both.c"]]).encode()
    file = TreeFile(PurePosixPath("large.c"), "100644", Oid("0" * 40))
    slicer = Slicer(repository, NEEDS, slices=True)
    source = slicer.cut(file, text)
    assert source is not None and b"other" not in source.text
    parts = slicer.take_parts(file.path)
    assert len(parts) > 1 and restore(source.text, parts) == text
    assert slicer.take_parts(file.path) == ()
