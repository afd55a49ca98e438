# SPDX-License-Identifier: GPL-2.0-or-later
"""No series has a tree in which a new file takes the place of something else."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from patchgen.errors import RefusedError
from patchgen.model.series import CommitDraft, FileEdit, Identity, Signatures
from patchgen.odb import Quarantine, Repository
from tests.support.kernels import commit_all

WHO = Identity("Ada", "ada@example.org", "1 +0000")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "lib/sub").mkdir(parents=True)
    (folder / "lib/a.c").write_text("a\n")
    (folder / "lib/sub/b.c").write_text("b\n")
    (folder / "link").symlink_to("lib")
    commit_all(folder, "tree")
    return folder


def draft(subject: str, path: str) -> CommitDraft:
    edit = FileEdit(PurePosixPath(path), "100644", None, b"new\n")
    return CommitDraft(f"{subject}\n\nBody.\n", (edit,))


CASES = {
    "a folder of the base": (["lib/sub"], "the base has a folder at lib/sub"),
    "the top folder": (["lib"], "the base has a folder at lib"),
    "below a file": (["lib/a.c/x"], "the base has a file at lib/a.c"),
    "a file of the base": (["lib/a.c"], "the base has a file at lib/a.c"),
    "below a link": (["link/x.c"], "the base has a file at link"),
    "twice": (["x", "x"], '"one" adds a file x'),
    "below one of the series": (["x", "x/y"], '"one" adds a file x'),
    "a folder of the series": (["x/y", "x"], '"one" adds a file below it'),
    "git's own": ([".git/hooks/post-commit"], "names git's own folder"),
    "git's own in other letters": (["lib/.GIT/x"], "names git's own folder"),
    "git's short name": (["git~1/x"], "names git's own folder"),
}


@pytest.mark.parametrize(("paths", "why"), CASES.values(), ids=CASES)
def test_a_new_file_never_takes_the_place_of_something(tree, git, paths, why):
    drafts = [draft(name, path) for name, path in zip(["one", "two"], paths, strict=False)]
    repository = Repository(tree)
    base = repository.resolve_commit("HEAD")
    before = git(tree, "count-objects", "-v")
    with Quarantine(repository) as quarantine, pytest.raises(RefusedError) as caught:
        quarantine.write_commits(base, drafts, Signatures(WHO, WHO))
    assert why in str(caught.value)
    is_git_folder = "git's own" in why
    assert caught.value.code == ("name-invalid" if is_git_folder else "path-added-twice")
    assert git(tree, "count-objects", "-v") == before


def test_other_files_are_added(tree):
    drafts = [draft("one", "lib/new.c"), draft("two", "lib/sub/new/new.c"), draft("three", "x")]
    repository = Repository(tree)
    base = repository.resolve_commit("HEAD")
    with Quarantine(repository) as quarantine:
        assert len(quarantine.write_commits(base, drafts, Signatures(WHO, WHO))) == 3
