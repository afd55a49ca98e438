# SPDX-License-Identifier: GPL-2.0-or-later
"""Carry hand edits of a series over to the newly generated one, commit by commit.

For each commit of the branch there are three sides: the one generated before, the one on the
branch, and the one generated now. The hand edit is the difference between the first two; it is
applied to the third. A commit that a person added is rebased. The order is the branch's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Cover
from patchgen.odb import (
    Conflict,
    MergedTree,
    Quarantine,
    Resolutions,
    merge_trees,
    move_files,
    read_file,
    resolve_object,
)
from patchgen.reroll.merge_text import TextVersions, merge_versions, update_notes
from patchgen.reroll.original import OriginalSeries
from patchgen.series.branch import MatchedCommit
from patchgen.series.record import RecordedPatch, digest_message
from patchgen.series.trailers import Message, Trailer, parse_message

# The share of a file's lines that another file must have to be its successor.
_ALIKE = 0.4
MESSAGE_FILE = "COMMIT-MESSAGE"
COVER_FILE = "COVER-LETTER"


class ConflictsError(Exception):
    """Both sides changed the same lines of commit `subject`. Caught by the job, never shown."""

    def __init__(self, subject: str, conflicts: Sequence[Conflict]):
        super().__init__(subject)
        self.subject = subject
        self.conflicts = tuple(conflicts)


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit of the new version, complete except for its message.

    `name` is the patch's, "" if a person added the commit. Its author is that of the commit
    `source`. `matched` is the commit on the branch, None if it is new. `is_generated` is set if it
    is generated now.
    """

    name: str
    source: Oid
    tree: Oid
    matched: MatchedCommit | None
    is_generated: bool = True

    @property
    def branch_commit(self) -> Commit | None:
        """The same patch on the branch, None if it is new."""
        return self.matched.commit if self.matched else None

    @property
    def subject(self) -> str:
        """The subject on the branch, "" for a new patch."""
        return self.branch_commit.subject if self.branch_commit else ""


@dataclass(frozen=True, slots=True)
class DroppedPatch:
    """A patch of the earlier version that the new one omits.

    `reason` is a clause, "" if only the person knows it who dropped the patch. `squashed_into` is
    the subject of the patch that has its changes now, "" without one.
    """

    subject: str
    reason: str = ""
    squashed_into: str = ""

    def __str__(self) -> str:
        if self.squashed_into:
            return f'Squash "{self.subject}" into "{self.squashed_into}"'
        return f'Drop "{self.subject}"' + (f": {self.reason}" if self.reason else "")


@dataclass(slots=True)
class Carrier:
    """Carries one series over. `change_digests` are those of the branch's commits.

    `generated` are the newly generated patches by name, in order, with the messages for a series
    without hand edits. `edited_messages` are the messages that mention an edit. `recorded` are the
    names of the patches generated before. `old_notes` is the text generated below the cut of each
    message before, None if unknown. `labels` name the two sides in conflict markers: the new
    series, and the branch. `explain` returns why the new series omits a commit, "" if unknown.
    """

    quarantine: Quarantine
    original: OriginalSeries | None
    change_digests: Mapping[Oid, str]
    generated: Mapping[str, Commit]
    edited_messages: Mapping[str, str]
    old_notes: str | None
    recorded: Collection[str]
    parents: Callable[[Oid], Oid]
    labels: tuple[str, str]
    resolutions: Resolutions
    explain: Callable[[Commit], str]
    remarks: list[str] = field(default_factory=list)
    dropped: list[DroppedPatch] = field(default_factory=list)

    def carry_content(
        self, base_tree: Oid, branch: Sequence[MatchedCommit], present: set[str]
    ) -> tuple[NewCommit, ...]:
        """Return the commits of the new version on a base, in order.

        `present` are patches that the base already has. Raises ConflictsError at the first commit
        that both sides changed in conflicting ways.
        """
        new_commits: list[NewCommit] = []
        tree = base_tree
        for matched in self._insert_new(branch, present):
            new_commit = self._carry_commit(tree, matched, present)
            if new_commit is not None:
                new_commits.append(new_commit)
                tree = new_commit.tree
        return tuple(new_commits)

    def carry_messages(
        self, commits: Sequence[NewCommit], messages: Mapping[str, str]
    ) -> tuple[Message, ...]:
        """Return the messages of the commits; `messages` are the newly generated ones, by name,
        which mention the work by hand.

        Raises ConflictsError at the first commit that both sides changed in conflicting ways.
        """
        merged_messages = []
        for commit in commits:
            if commit.branch_commit is None:
                merged_messages.append(parse_message(messages[commit.name]))
            elif commit.is_generated:
                assert commit.matched is not None and commit.matched.patch is not None
                ours = messages[commit.name]
                merged = self._merge_message(commit.branch_commit, commit.matched.patch, ours)
                if isinstance(merged, Conflict):
                    raise ConflictsError(commit.subject, [merged])
                merged_messages.append(merged)
            else:
                merged_messages.append(parse_message(commit.branch_commit.message))
        return tuple(merged_messages)

    def _insert_new(
        self, branch: Sequence[MatchedCommit], present: set[str]
    ) -> list[MatchedCommit | str]:
        """Return the branch's commits, with the names of new patches inserted."""
        order: list[MatchedCommit | str] = list(branch)
        names = [matched.name for matched in branch]
        placed_names = set(names) | self._dropped(names, present)
        last = ""
        for name in self.generated:
            if name not in placed_names:
                index = names.index(last) + 1 if last in names else 0
                order.insert(index, name)
                names.insert(index, name)
                self.remarks.append(f'new: "{self.generated[name].subject}"')
            if name in names:
                last = name
        return order

    def _dropped(self, names: Sequence[str], present: set[str]) -> set[str]:
        """Return the patches generated before that a person removed from the branch."""
        dropped = set(self.recorded) - set(names) - present
        for name in sorted(dropped & set(self.generated)):
            self.remarks.append(f'left out, as on the branch: "{self.generated[name].subject}"')
        return dropped

    def _carry_commit(
        self, tree: Oid, matched: MatchedCommit | str, present: set[str]
    ) -> NewCommit | None:
        if isinstance(matched, str):
            generated = self.generated[matched]
            return NewCommit(
                matched, generated.oid, self._pick(generated.subject, generated.oid, tree), None
            )
        commit, name = matched.commit, matched.name
        if name not in self.generated:
            if matched.patch is not None and not matched.is_edited(self.change_digests):
                is_present = name in present
                otherwise = "the base has it" if is_present else "it is not made on this base"
                self._drop(commit, self.explain(commit) or otherwise)
                return None
            merged = self._pick(commit.subject, commit.oid, tree)
            if merged == tree:
                reason = self.explain(commit) if commit.files else "it is empty"
                self._drop(commit, reason or "the base has it")
                return None
            return NewCommit(name, commit.oid, merged, matched, is_generated=False)
        assert matched.patch is not None
        content = self._merge_content(tree, matched)
        if content.conflicts:
            # The person gets all conflicts of a commit at once.
            message = self._merge_message(commit, matched.patch, self.edited_messages[name])
            message_conflicts = [message] if isinstance(message, Conflict) else []
            raise ConflictsError(commit.subject, [*content.conflicts, *message_conflicts])
        return NewCommit(name, commit.oid, content.tree, matched)

    def _drop(self, commit: Commit, reason: str) -> None:
        self.dropped.append(DroppedPatch(commit.subject, reason))
        self.remarks.append(f'dropped, {reason}: "{commit.subject}"')

    def _merge_content(self, tree: Oid, matched: MatchedCommit) -> MergedTree:
        """Return the tree of a regenerated patch with its hand edits."""
        assert matched.patch is not None
        name, edited = matched.patch.name, matched.commit
        if not matched.is_edited(self.change_digests):
            return MergedTree(self._pick(edited.subject, self.generated[name].oid, tree))
        original = self.original.commits.get(name) if self.original else None
        if original is not None:
            # The generated commit, moved to the place of the edited one.
            parent = self._tree(self.parents(edited.oid))
            moved = self._merge(self._tree(self.parents(original.oid)), parent, original.tree)
            regenerated = self._pick(edited.subject, self.generated[name].oid, tree)
            if not moved.conflicts:
                sides = self._follow_moves(original, self.generated[name], moved.tree, edited.tree)
                return self._merge(sides[0], regenerated, sides[1])
        self.remarks.append(f'rebased, not generated again: "{edited.subject}"')
        return self._merge(self._tree(self.parents(edited.oid)), tree, edited.tree)

    def _follow_moves(
        self, original: Commit, generated: Commit, original_tree: Oid, edited_tree: Oid
    ) -> tuple[Oid, Oid]:
        """Return two trees with files renamed to where the patch has them now.

        Between two bases, code moves to other files. If the patch now changes a file in place of
        one that it changed before, and the two are similar, hand edits move to the new file, too.
        """
        old_paths = [path for path in original.files if path not in generated.files]
        new_paths = [path for path in generated.files if path not in original.files]
        moves = {}
        for old_path in old_paths:
            old_lines = self._lines(original.oid, old_path)
            shared = {
                new_path: len(old_lines & self._lines(generated.oid, new_path))
                for new_path in new_paths
            }
            best = max(shared, key=lambda new_path: shared[new_path], default=None)
            if best is not None and shared[best] > len(old_lines) * _ALIKE:
                moves[old_path] = best
                new_paths.remove(best)
        if not moves:
            return original_tree, edited_tree
        return (
            move_files(self.quarantine, original_tree, moves),
            move_files(self.quarantine, edited_tree, moves),
        )

    def _lines(self, commit: Oid, path: PurePosixPath) -> set[bytes]:
        return set((read_file(self.quarantine, commit, path) or b"").split(b"\n"))

    def _merge_message(
        self, edited: Commit, patch: RecordedPatch, generated: str
    ) -> Message | Conflict:
        name, digest = patch.name, patch.message
        ours, theirs = parse_message(generated), parse_message(edited.message)
        if self.old_notes is not None and self.old_notes != ours.notes:
            notes = update_notes(theirs.notes, self.old_notes, ours.notes)
            theirs = replace(theirs, notes=notes)
        original = self.original.commits.get(name) if self.original else None
        if original is None or digest_message(original.message) != digest:
            # The digest shows whether it was edited, but not how.
            is_unedited = digest_message(edited.message) == digest
            text_source = ours if is_unedited else theirs
            if not is_unedited:
                self.remarks.append(f'the message is that of the branch: "{edited.subject}"')
            sign_offs = [trailer for trailer in ours.trailers if trailer.name == "Signed-off-by"]
            merged = _merge_trailers(sign_offs, ours.trailers, theirs.trailers, patch)
            return replace(theirs, text=text_source.text, trailers=merged or ours.trailers)
        base = parse_message(original.message)
        plain = parse_message(self.generated[name].message).text
        versions = TextVersions(MESSAGE_FILE, base.text, plain, ours.text, theirs.text)
        text = merge_versions(versions, self.quarantine, self.labels, self.resolutions)
        if isinstance(text, Conflict):
            return text
        merged = _merge_trailers(base.trailers, ours.trailers, theirs.trailers, patch)
        return replace(theirs, text=text, trailers=merged)

    def _pick(self, subject: str, oid: Oid, tree: Oid) -> Oid:
        """Return the tree that results from picking a commit onto another tree."""
        picked = self._merge(self._tree(self.parents(oid)), tree, self._tree(oid))
        if picked.conflicts:
            raise ConflictsError(subject, picked.conflicts)
        return picked.tree

    def _merge(self, base: Oid, ours: Oid, theirs: Oid) -> MergedTree:
        sides = ((self.labels[0], ours), (self.labels[1], theirs))
        return merge_trees(self.quarantine, base, *sides, self.resolutions)

    def _tree(self, commit: Oid) -> Oid:
        return resolve_object(self.quarantine, f"{commit}^{{tree}}")


def carry_cover(
    original: Cover,
    branch: Cover,
    generated: tuple[Cover, Cover],
    quarantine: Quarantine,
    labels: tuple[str, str],
    resolutions: Resolutions,
) -> Cover:
    """Return the newly generated cover letter with the hand edits of the `original` one.

    `generated` is the letter generated for a series without hand edits, and the one generated for
    this series. The text below the cut is the branch's. Raises ConflictsError if both sides changed
    the same lines.
    """
    versions = TextVersions(COVER_FILE, *map(_to_text, (original, *generated, branch)))
    merged = merge_versions(versions, quarantine, labels, resolutions)
    if isinstance(merged, Conflict):
        raise ConflictsError("the cover letter", [merged])
    subject, _, body = merged.partition("\n")
    return Cover(subject, body.strip("\n") + "\n", branch.notes)


def _to_text(cover: Cover) -> str:
    return f"{cover.subject}\n\n{cover.body}".strip("\n")


def _merge_trailers(
    base: Sequence[Trailer],
    ours: Sequence[Trailer],
    theirs: Sequence[Trailer],
    patch: RecordedPatch,
) -> tuple[Trailer, ...]:
    """Return the branch's trailers, with those that are new in the generated ones, in order.

    Those of the manifest that were generated for the old version and are not generated now are
    left out. `base` may have tags of reviewers: its message was recognised without its trailers.
    """
    of_manifest = {Trailer(key, value).identity for key, value in patch.trailers}
    known = {trailer.identity for trailer in base} | of_manifest
    added = [trailer for trailer in ours if trailer.identity not in known]
    dropped = of_manifest - {trailer.identity for trailer in ours}
    remaining = tuple(trailer for trailer in theirs if trailer.identity not in dropped)
    return Message("", remaining).with_trailers(added).trailers
