# SPDX-License-Identifier: GPL-2.0-or-later
"""A ref that somebody moves while patchgen works keeps what they put there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.odb import Quarantine, Repository
from tests.support.small_variant import make_small_tree

REF = "refs/heads/series"
ALSO = "refs/patchgen/also"


@pytest.fixture
def repository(tmp_path, git) -> Iterator[Repository]:
    """Return a repository with three commits: master, master~1 and master~2."""
    tree = make_small_tree(tmp_path, git)
    for number in range(2):
        git(tree, "commit", "-q", "--allow-empty", "-m", str(number))
    opened = Repository(tree)
    yield opened
    opened.close()


def publish(repository: Repository, old: Oid | None, also: str = "master") -> None:
    with Quarantine(repository) as quarantine:
        base = repository.resolve_commit("master~2")
        new = repository.resolve_commit("master")
        extra = {ALSO: repository.resolve_commit(also)}
        quarantine.publish(REF, new, base, old, "test", extra_refs=extra)


def read_refs(git, repository: Repository) -> str:
    return git(repository.top, "for-each-ref", "--format=%(refname) %(objectname)")


def test_commits_that_somebody_put_on_the_branch_meanwhile_are_not_overwritten(repository, git):
    git(repository.top, "update-ref", REF, "master~1")
    before = read_refs(git, repository)
    with pytest.raises(RefusedError, match=f"{REF} cannot be written") as refused:
        publish(repository, repository.resolve_commit("master~2"))
    assert "moved while patchgen ran" in (refused.value.hint or "")
    assert read_refs(git, repository) == before


def test_a_branch_that_somebody_made_meanwhile_is_not_overwritten(repository, git):
    git(repository.top, "update-ref", REF, "master~1")
    before = read_refs(git, repository)
    with pytest.raises(RefusedError, match=f"{REF} cannot be written"):
        publish(repository, None)
    assert read_refs(git, repository) == before


def test_a_branch_that_somebody_deleted_meanwhile_is_not_made_again(repository, git):
    before = read_refs(git, repository)
    with pytest.raises(RefusedError, match=f"{REF} cannot be written"):
        publish(repository, repository.resolve_commit("master~1"))
    assert read_refs(git, repository) == before


def test_all_refs_move_in_one_transaction(repository, git):
    git(repository.top, "update-ref", REF, "master~1")
    git(repository.top, "update-ref", ALSO, "master~1")
    publish(repository, repository.resolve_commit("master~1"))
    master = git(repository.top, "rev-parse", "master")
    for ref in (REF, ALSO):
        assert git(repository.top, "rev-parse", ref) == master
        assert git(repository.top, "log", "-g", "-1", "--format=%gs", ref).strip() == "test"
