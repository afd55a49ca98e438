# SPDX-License-Identifier: GPL-2.0-or-later
"""One search finds the words that a semantic patch removes, and the files that it can match in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given, strategies as st

from patchgen.odb import Repository, grep_files, plan_search
from patchgen.sweep.word_search import WordSearch
from tests.support.kernels import commit_all

FILES = {
    "a.c": "f(x);\nf(f(y));\n",
    "b.c": "ff(x); f_f(x);\n",
    "c.c": "g(x);\n",
    "d.c": "#include <linux/gpio.h>\n",
    "e.c": "#include <asm/gpio.h>\n",
    "f.c": "linux/gpio.hh; xlinux/gpio.h\n",
    "doc.rst": "f() is in linux/gpio.h\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    commit_all(folder, "start")
    return folder


@pytest.fixture
def repository(tree: Path) -> Iterator[Repository]:
    opened = Repository(tree)
    yield opened
    opened.close()


def search_for(repository: Repository, *words: str) -> WordSearch:
    tree = repository.resolve_tree(repository.resolve_commit("HEAD"))
    return WordSearch(repository, plan_search(repository, tree, (), ("",)), frozenset(words))


@pytest.mark.parametrize(
    ("words", "clause", "files"),
    [
        (["f"], {"f"}, ["a.c", "doc.rst"]),
        (["f", "g"], {"g"}, ["c.c"]),
        (["linux/gpio.h"], {"gpio.h"}, ["d.c", "doc.rst", "e.c", "f.c"]),
        (["linux/gpio.h", "linux"], {"gpio.h"}, ["d.c", "doc.rst", "e.c", "f.c"]),
    ],
)
def test_the_files_and_counts_are_those_of_two_searches(repository, words, clause, files):
    joint = search_for(repository, *words)
    assert joint.can_include(frozenset(clause))
    assert sorted(joint.list_files(frozenset(clause))) == files
    assert sorted(grep_files(repository, joint.search, frozenset(clause))) == files
    assert joint.occurrences == search_for(repository, *words).count()


def test_a_longer_word_is_counted_if_a_file_also_has_its_beginning(repository):
    counts = search_for(repository, "linux", "linux/gpio.h").count()
    assert counts == {
        "d.c": {"linux/gpio.h": 1},
        "doc.rst": {"linux/gpio.h": 1},
        "f.c": {"linux": 1},
    }


@pytest.mark.parametrize(
    ("words", "clause"),
    [
        # Files with only `h` would be missing.
        (["f"], {"f", "h"}),
        ([], {"f"}),
        # Any number of words of the tree could match.
        (["f_g"], {"*_g"}),
        # In `a/b/c`, git shows one of the two.
        (["a/b", "b/c"], {"b/c"}),
    ],
)
def test_two_searches_are_made_if_one_could_miss_a_file(repository, words, clause):
    assert not search_for(repository, *words).can_include(frozenset(clause))


def test_a_file_that_was_edited_is_listed_and_its_counts_are_unknown(tree, repository):
    (tree / "a.c").write_text("f();\n")
    (tree / "c.c").unlink()
    search = search_for(repository, "f", "g")
    assert sorted(search.list_files(frozenset({"f"}))) == ["a.c", "c.c", "doc.rst"]
    unknown = {path for path, counts in search.occurrences.items() if "" in counts}
    assert unknown == {"a.c", "c.c"}


part = st.text("ab", min_size=1, max_size=2)


@given(part, part, part, st.integers(0, 2))
def test_words_that_can_share_text_are_not_searched_for_together(first, shared, last, slash):
    parts = [first, shared, last]
    parts[slash] += "/"
    words = frozenset({"".join(parts[:2]), "".join(parts[1:])})
    search = WordSearch(None, None, words)  # type: ignore[arg-type]
    assume(len(words) == 2)
    assert not search.can_include(words)
