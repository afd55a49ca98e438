# SPDX-License-Identifier: GPL-2.0-or-later
"""Commits that are written anew on another parent: their ids are those that git computes."""

from __future__ import annotations

import pytest

from patchgen.model.series import Identity
from patchgen.odb import Quarantine, Repository, put_empty_below, reparent
from tests.support.programs import list_programs

WHO = Identity("Ä. Name", "a@example.org", "1629460000 +0200")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_many_commits_are_rewritten_by_two_programs(tmp_path, git, object_format):
    git(tmp_path, "init", "-q", "-b", "master", f"--object-format={object_format}")
    for number in range(6):
        (tmp_path / "file").write_text(f"{number}\n")
        git(tmp_path, "add", "file")
        git(tmp_path, "commit", "-q", "-m", f"commit {number}")
    repository = Repository(tmp_path)
    base, *oids = [repository.resolve_commit(f"master~{count}") for count in range(5, -1, -1)]
    # GitPython asks for git's version when it is imported.
    repository.objects.find([base])
    with Quarantine(repository) as quarantine:
        with list_programs() as started:
            cover, *above = put_empty_below(quarantine, base, oids, "cover\n", WHO, WHO)
        assert len(started) == 2, started
        messages = {oid: f"new {number}\n" for number, oid in enumerate(above)}
        with list_programs() as started:
            renamed = reparent(quarantine, above, cover, messages=messages, committer=WHO)
            again = reparent(quarantine, above, cover)
        assert len(started) == 1, started
        quarantine.run("fsck", "--strict", renamed[-1])
        args = ("log", "--reverse", "--format=%H %T %s", f"{base}..{renamed[-1]}")
        shown = quarantine.run(*args).stdout.decode().splitlines()
    trees = [repository.resolve_tree(oid) for oid in (base, *oids)]
    subjects = ["cover", *(f"new {number}" for number in range(5))]
    line = zip((cover, *renamed), trees, subjects, strict=True)
    assert shown == [" ".join(fields) for fields in line]
    assert again == tuple(above)
    repository.close()
