# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reroll carries over: the branch's order, and no work of a person is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.odb import Quarantine, Repository, digest_commits, read_commit
from patchgen.reroll.hand_edits import Carrier, NewCommit
from patchgen.reroll.original import OriginalSeries
from patchgen.series.branch import MatchedCommit
from patchgen.series.record import RecordedPatch, digest_message

LINES = [f"line {number} of many that look like this one" for number in range(12)]
Change = tuple[str, Mapping[str, str | None]]


def text(*changed: str, at: int = 0) -> str:
    """Return a file with some lines put in place of its own."""
    return "\n".join([*LINES[:at], *changed, *LINES[at + len(changed) :], ""])


class Branches:
    """Lines of commits on one base, and what a reroll makes of them."""

    def __init__(self, tree: Path, git: Callable[..., str]):
        self.tree, self._git = tree, git
        git(tree.parent, "init", "-q", "-b", "master", tree)
        self.base = self._commit("base", {f"{name}.c": text() for name in "abc"})
        self.repository = Repository(tree)
        self.quarantine = Quarantine(self.repository).__enter__()

    def close(self) -> None:
        self.quarantine.__exit__()
        self.repository.close()

    def chain(self, *changes: Change) -> dict[str, Commit]:
        """Make commits on the base, and return them by their subjects."""
        self._git(self.tree, "checkout", "-q", "--detach", self.base)
        oids = {subject: self._commit(subject, files) for subject, files in changes}
        return {subject: read_commit(self.quarantine, oid) for subject, oid in oids.items()}

    def carry(
        self,
        original: Mapping[str, Commit],
        branch: Mapping[str, Commit],
        generated: Mapping[str, Commit],
        present: set[str] | None = None,
    ) -> tuple[list[NewCommit], list[str]]:
        """Carry a branch over; its commits are the patches that were made with their subjects."""
        contents = self._change_digests(original)
        patches = {
            name: RecordedPatch(
                name=name,
                subject=name,
                message=digest_message(commit.message),
                content=contents[commit.oid],
            )
            for name, commit in original.items()
        }
        carrier = Carrier(
            quarantine=self.quarantine,
            original=OriginalSeries(original, None),
            change_digests=self._change_digests(branch),
            generated=generated,
            old_notes=None,
            edited_messages={name: commit.message for name, commit in generated.items()},
            recorded=list(patches),
            parents=lambda oid: self._oid(f"{oid}^"),
            labels=("made", "edited"),
            resolutions={},
            explain=lambda _: "",
        )
        matched = [MatchedCommit(commit, patches.get(name)) for name, commit in branch.items()]
        commits = carrier.carry_content(
            self._oid(f"{self.base}^{{tree}}"), matched, present or set()
        )
        return list(commits), carrier.remarks

    def read(self, commit: NewCommit, path: str) -> str:
        return self.quarantine.run("cat-file", "blob", f"{commit.tree}:{path}").stdout.decode()

    def _change_digests(self, commits: Mapping[str, Commit]) -> Mapping[Oid, str]:
        tip = next(reversed(commits.values())).oid
        return digest_commits(self.quarantine, self.base, tip)

    def _commit(self, subject: str, files: Mapping[str, str | None]) -> Oid:
        for name, content in files.items():
            if content is None:
                (self.tree / name).unlink()
            else:
                (self.tree / name).write_text(content)
        self._git(self.tree, "add", "-A")
        self._git(self.tree, "commit", "-q", "-m", subject)
        return Oid(self._git(self.tree, "rev-parse", "HEAD").strip())

    def _oid(self, revision: str) -> Oid:
        return Oid(self._git(self.tree, "rev-parse", revision).strip())


@pytest.fixture
def branches(tmp_path, git) -> Iterator[Branches]:
    branches = Branches(tmp_path / "tree", git)
    yield branches
    branches.close()


ONE: Change = ("one", {"a.c": text("one")})
TWO: Change = ("two", {"b.c": text("two")})
THREE: Change = ("three", {"c.c": text("three")})


def test_a_hand_edited_patch_that_is_not_generated_again_is_not_lost(branches):
    original = branches.chain(ONE, TWO, THREE)
    edited = branches.chain(ONE, ("two", {"b.c": text("two", "and more")}), THREE)
    commits, remarks = branches.carry(original, edited, branches.chain(THREE))
    assert [(commit.name, commit.is_generated) for commit in commits] == [
        ("two", False),
        ("three", True),
    ]
    assert branches.read(commits[0], "b.c") == text("two", "and more")
    assert remarks == ['dropped, it is not made on this base: "one"']


def test_a_commit_that_a_person_added_has_the_same_place(branches):
    original = branches.chain(ONE, TWO)
    by_hand: Change = ("by hand", {"c.c": text("mine")})
    commits, remarks = branches.carry(original, branches.chain(ONE, by_hand, TWO), original)
    assert [(commit.name, commit.subject) for commit in commits] == [
        ("one", "one"),
        ("", "by hand"),
        ("two", "two"),
    ]
    assert branches.read(commits[-1], "c.c") == text("mine") and remarks == []


@pytest.mark.parametrize(
    ("branch", "generated", "order"),
    [
        ([ONE, TWO], [ONE, THREE, TWO], ["one", "three", "two"]),
        ([ONE, TWO], [ONE, TWO, THREE], ["one", "two", "three"]),
        ([ONE, TWO], [THREE, ONE, TWO], ["three", "one", "two"]),
        # Where a person changed the order, a new patch comes after the one that it follows.
        ([TWO, ONE], [ONE, THREE, TWO], ["two", "one", "three"]),
        ([TWO, ONE], [TWO, THREE, ONE], ["two", "three", "one"]),
    ],
)
def test_a_new_patch_follows_the_patch_that_it_is_generated_after(
    branches, branch, generated, order
):
    commits, remarks = branches.carry(
        branches.chain(ONE, TWO), branches.chain(*branch), branches.chain(*generated)
    )
    assert [commit.name for commit in commits] == order
    assert remarks == ['new: "three"']


def test_two_new_patches_keep_their_order(branches):
    original = branches.chain(ONE)
    commits, _ = branches.carry(original, original, branches.chain(ONE, THREE, TWO))
    assert [commit.name for commit in commits] == ["one", "three", "two"]


def test_a_patch_that_a_person_removed_is_not_generated_again(branches):
    original = branches.chain(ONE, TWO, THREE)
    commits, remarks = branches.carry(original, branches.chain(ONE, THREE), original)
    assert [commit.name for commit in commits] == ["one", "three"]
    assert remarks == ['left out, as on the branch: "two"']


def test_a_patch_that_the_base_had_for_a_time_is_made_again(branches):
    original = branches.chain(ONE, TWO, THREE)
    commits, remarks = branches.carry(
        original, branches.chain(ONE, THREE), original, present={"two"}
    )
    assert [commit.name for commit in commits] == ["one", "two", "three"]
    assert remarks == ['new: "two"']


def test_a_hand_edit_does_not_go_to_a_file_that_is_another(branches):
    original = branches.chain(("one", {"a.c": text("made in a")}))
    edited = branches.chain(("one", {"a.c": text("made in a").replace(LINES[8], "by hand")}))
    generated = branches.chain(
        ("one", {"new.c": "made in a\n" + "nothing like the old file\n" * 9})
    )
    commits, _ = branches.carry(original, edited, generated)
    assert "by hand" not in branches.read(commits[0], "new.c")
    assert branches.read(commits[0], "a.c") == text().replace(LINES[8], "by hand")


def test_a_patch_that_the_base_has_is_left_out(branches):
    original = branches.chain(ONE, TWO)
    undo: Change = ("undo", {"a.c": text()})
    commits, remarks = branches.carry(original, branches.chain(ONE, TWO), branches.chain(TWO))
    assert [commit.name for commit in commits] == ["two"]
    # Somebody reverts, in a separate commit, a patch that is not generated any more.
    commits, remarks = branches.carry(original, branches.chain(ONE, undo, TWO), branches.chain(TWO))
    assert [commit.name for commit in commits] == ["two"]
    assert remarks == [
        'dropped, it is not made on this base: "one"',
        'dropped, the base has it: "undo"',
    ]


def test_hand_edits_of_two_files_do_not_become_one(branches):
    """Both files are much like the new one; only one of them is what became of it."""
    made_lines = {f"{name}.c": text(f"made in {name}") for name in "ab"}
    original = branches.chain(("one", made_lines))
    by_hand = {
        path: content.replace(LINES[8], f"by hand in {path}")
        for path, content in made_lines.items()
    }
    edited = branches.chain(("one", by_hand))
    generated = branches.chain(("one", {"c.c": text("made in c")}))
    commits, _ = branches.carry(original, edited, generated)
    moved = branches.read(commits[0], "c.c")
    went, stayed = ("a.c", "b.c") if "by hand in a.c" in moved else ("b.c", "a.c")
    assert moved == text("made in c").replace(LINES[8], f"by hand in {went}")
    assert branches.read(commits[0], stayed) == text().replace(LINES[8], f"by hand in {stayed}")
