"""Carry what people did to a series over to the one made now, commit by commit.

For a commit of the branch there are three sides: what patchgen made before, what the branch has,
and what is made now. The hand edit is the difference of the first two; it is put on top of the
third. A commit that a person added is rebased. The order is the branch's.
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
)
from patchgen.reroll.before import MadeBefore
from patchgen.reroll.prose import Prose, merge_prose
from patchgen.series.match import Matched
from patchgen.series.record import digest_message
from patchgen.series.trailers import Message, Trailer, parse_message

# How much of a file's lines another has to have to be what became of it.
_ALIKE = 0.4
MESSAGE_FILE = "COMMIT-MESSAGE"
COVER_FILE = "COVER-LETTER"


class ConflictsError(Exception):
    """Both sides changed the same; `subject` is the commit's. Caught by the job, never shown."""

    def __init__(self, subject: str, conflicts: Sequence[Conflict]):
        super().__init__(subject)
        self.subject = subject
        self.conflicts = tuple(conflicts)


@dataclass(frozen=True, slots=True)
class Carried:
    """A commit of the new version: what it is made from, its tree and its message.

    `source` is the commit whose author it keeps, `before` the same patch in the branch, None where
    it is new. `name` is the patch's, "" where a person added the commit.
    """

    name: str
    source: Oid
    tree: Oid
    message: Message
    before: Commit | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A commit of the new version of which only the message is open.

    `name` is the patch's, "" where a person added the commit. `matched` is it on the branch, None
    where it is new. `is_made` says that it is made now.
    """

    name: str
    source: Oid
    tree: Oid
    matched: Matched | None
    is_made: bool = True

    @property
    def subject(self) -> str:
        """The subject on the branch, "" for a new patch."""
        return self.matched.commit.subject if self.matched else ""


@dataclass(slots=True)
class Carrier:
    """Carries one series. `substances` are of the branch's commits.

    `now` are the patches made now by name, in their order, with the messages that they have where
    nobody edits anything, and `edited` the messages that tell of an edit; `recorded` are the names
    of the patches made before. `labels` name the two sides in conflict markers: what is made now,
    and the branch.
    """

    quarantine: Quarantine
    before: MadeBefore | None
    substances: Mapping[Oid, str]
    now: Mapping[str, Commit]
    edited: Mapping[str, str]
    recorded: Collection[str]
    parents: Callable[[Oid], Oid]
    labels: tuple[str, str]
    resolutions: Resolutions
    remarks: list[str] = field(default_factory=list)

    def carry_content(
        self, base_tree: Oid, branch: Sequence[Matched], gone: set[str]
    ) -> tuple[Placed, ...]:
        """Return the commits of the new version of a branch, on a base, in their order.

        `gone` are patches that the base has now. Raises ConflictsError at the first commit where
        both sides changed the same.
        """
        placed: list[Placed] = []
        tree = base_tree
        for matched in self._in_order(branch, gone):
            new = self._place(tree, matched)
            if new is not None:
                placed.append(new)
                tree = new.tree
        return tuple(placed)

    def carry_messages(
        self, placed: Sequence[Placed], messages: Mapping[str, str]
    ) -> tuple[Carried, ...]:
        """Return the commits with their messages; `messages` are those of what is made now, by
        name, and tell of the work by hand.

        Raises ConflictsError at the first commit where both sides changed the same.
        """
        carried = []
        for each in placed:
            before = each.matched.commit if each.matched else None
            if before is None:
                message = parse_message(messages[each.name])
            elif each.is_made:
                assert each.matched is not None and each.matched.patch is not None
                ours = messages[each.name]
                merged = self._merge_message(before, each.name, each.matched.patch.message, ours)
                if isinstance(merged, Conflict):
                    raise ConflictsError(before.subject, [merged])
                message = merged
            else:
                message = parse_message(before.message)
            carried.append(Carried(each.name, each.source, each.tree, message, before))
        return tuple(carried)

    def _in_order(self, branch: Sequence[Matched], gone: set[str]) -> list[Matched | str]:
        """Return the branch's commits with the names of new patches in their places."""
        order: list[Matched | str] = list(branch)
        names = [each.name for each in branch]
        known = set(names) | self._dropped(names, gone)
        last = ""
        for name in self.now:
            if name not in known:
                at = names.index(last) + 1 if last in names else 0
                order.insert(at, name)
                names.insert(at, name)
                self.remarks.append(f'new: "{self.now[name].subject}"')
            if name in names:
                last = name
        return order

    def _dropped(self, names: Sequence[str], gone: set[str]) -> set[str]:
        """Return what was made before and is no longer on the branch: a person took it out."""
        dropped = set(self.recorded) - set(names) - gone
        for name in sorted(dropped & set(self.now)):
            self.remarks.append(f'left out, as on the branch: "{self.now[name].subject}"')
        return dropped

    def _place(self, tree: Oid, matched: Matched | str) -> Placed | None:
        if isinstance(matched, str):
            new = self.now[matched]
            return Placed(matched, new.oid, self._pick(new.subject, new.oid, tree), None)
        commit, name = matched.commit, matched.name
        if name not in self.now:
            if matched.patch is not None and not matched.is_edited(self.substances):
                self.remarks.append(f'not made on this base: "{commit.subject}"')
                return None
            merged = self._pick(commit.subject, commit.oid, tree)
            if merged == tree:
                why = "gone, as the base has it" if commit.files else "left out, as it is empty"
                self.remarks.append(f'{why}: "{commit.subject}"')
                return None
            return Placed(name, commit.oid, merged, matched, is_made=False)
        assert matched.patch is not None
        content = self._merge_content(tree, matched)
        if content.conflicts:
            # A person gets all of a commit at once.
            message = self._merge_message(commit, name, matched.patch.message, self.edited[name])
            also = [message] if isinstance(message, Conflict) else []
            raise ConflictsError(commit.subject, [*content.conflicts, *also])
        return Placed(name, commit.oid, content.tree, matched)

    def _merge_content(self, tree: Oid, matched: Matched) -> MergedTree:
        """Return the tree of a patch that is made again, with what people changed in it."""
        assert matched.patch is not None
        name, edited = matched.patch.name, matched.commit
        if not matched.is_edited(self.substances):
            return MergedTree(self._pick(edited.subject, self.now[name].oid, tree))
        made = self.before.commits.get(name) if self.before else None
        if made is not None:
            # What was made before, in the place where the edited commit is now.
            parent = self._tree(self.parents(edited.oid))
            placed = self._merge(self._tree(self.parents(made.oid)), parent, made.tree)
            anew = self._pick(edited.subject, self.now[name].oid, tree)
            if not placed.conflicts:
                sides = self._follow(made, self.now[name], placed.tree, edited.tree)
                return self._merge(sides[0], anew, sides[1])
        self.remarks.append(f'rebased, not made again: "{edited.subject}"')
        return self._merge(self._tree(self.parents(edited.oid)), tree, edited.tree)

    def _follow(self, made: Commit, now: Commit, before: Oid, edited: Oid) -> tuple[Oid, Oid]:
        """Return two trees with files under the names that the patch has them by now.

        Between two bases code moves to other files. Where the same patch changes another file
        instead of one that it changed before, and that is much like it, hand edits go there, too.
        """
        lost = [path for path in made.files if path not in now.files]
        gained = [path for path in now.files if path not in made.files]
        moves = {}
        for old in lost:
            lines = self._lines(made.oid, old)
            alike = {new: len(lines & self._lines(now.oid, new)) for new in gained}
            best = max(alike, key=lambda new: alike[new], default=None)
            if best is not None and alike[best] > len(lines) * _ALIKE:
                moves[old] = best
                gained.remove(best)
        if not moves:
            return before, edited
        return (
            move_files(self.quarantine, before, moves),
            move_files(self.quarantine, edited, moves),
        )

    def _lines(self, commit: Oid, path: PurePosixPath) -> set[bytes]:
        shown = self.quarantine.run("cat-file", "blob", f"{commit}:{path}", ok=None)
        return set(shown.stdout.split(b"\n"))

    def _merge_message(
        self, edited: Commit, name: str, digest: str, now: str
    ) -> Message | Conflict:
        ours, theirs = parse_message(now), parse_message(edited.message)
        made = self.before.commits.get(name) if self.before else None
        if made is None or digest_message(made.message) != digest:
            # Whether it was edited can still be told, but not what.
            same = digest_message(edited.message) == digest
            kept = ours if same else theirs
            if not same:
                self.remarks.append(f'the message is the branch\'s: "{edited.subject}"')
            trailers = theirs.trailers or ours.trailers
            return replace(theirs, text=kept.text, trailers=trailers)
        base = parse_message(made.message)
        plain = parse_message(self.now[name].message).text
        prose = Prose(MESSAGE_FILE, base.text, plain, ours.text, theirs.text)
        text = merge_prose(prose, self.quarantine, self.labels, self.resolutions)
        if isinstance(text, Conflict):
            return text
        merged = _merge_trailers(base.trailers, ours.trailers, theirs.trailers)
        return replace(theirs, text=text, trailers=merged)

    def _pick(self, subject: str, oid: Oid, tree: Oid) -> Oid:
        """Return the tree of a commit picked onto another tree."""
        picked = self._merge(self._tree(self.parents(oid)), tree, self._tree(oid))
        if picked.conflicts:
            raise ConflictsError(subject, picked.conflicts)
        return picked.tree

    def _merge(self, base: Oid, ours: Oid, theirs: Oid) -> MergedTree:
        sides = ((self.labels[0], ours), (self.labels[1], theirs))
        return merge_trees(self.quarantine, base, *sides, self.resolutions)

    def _tree(self, commit: Oid) -> Oid:
        words = ("rev-parse", "--verify", f"{commit}^{{tree}}")
        return Oid(self.quarantine.run(*words).stdout.decode().strip())


def carry_cover(
    before: Cover,
    branch: Cover,
    now: tuple[Cover, Cover],
    quarantine: Quarantine,
    labels: tuple[str, str],
    resolutions: Resolutions,
) -> Cover:
    """Return the cover letter made now with what people changed in the one before.

    `now` is what is made where nobody edits anything, and what is made. What is below the cut is
    the branch's. Raises ConflictsError where both sides changed the same.
    """
    prose = Prose(COVER_FILE, *map(_to_text, (before, *now, branch)))
    merged = merge_prose(prose, quarantine, labels, resolutions)
    if isinstance(merged, Conflict):
        raise ConflictsError("the cover letter", [merged])
    subject, _, body = merged.partition("\n")
    return Cover(subject, body.strip("\n") + "\n", branch.notes)


def _to_text(cover: Cover) -> str:
    return f"{cover.subject}\n\n{cover.body}".strip("\n")


def _merge_trailers(
    base: Sequence[Trailer], ours: Sequence[Trailer], theirs: Sequence[Trailer]
) -> tuple[Trailer, ...]:
    """Return the branch's trailers, with what is new in those made now, and without what is gone
    from these.
    """
    known = {trailer.identity for trailer in base}
    new = [trailer for trailer in ours if trailer.identity not in known]
    gone = known - {trailer.identity for trailer in ours}
    kept = tuple(trailer for trailer in theirs if trailer.identity not in gone)
    return Message("", kept).with_trailers(new).trailers
