# SPDX-License-Identifier: GPL-2.0-or-later
"""The patches that replies are for: subjects, changes and message-ids of all versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from patchgen.mail import Subject, find_mails_of
from patchgen.model.series import Mail
from patchgen.odb import (
    Quarantine,
    Repository,
    digest_commits,
    digest_diff,
    read_commits,
    read_diffs,
    read_sent,
)
from patchgen.odb.difftext import digest_changes, list_changes
from patchgen.pipeline.target import choose_target
from patchgen.series import SeriesBranch, Tracking, digest_content, make_message_id

COVER = 0


@dataclass(frozen=True, slots=True)
class OtherVersion:
    """A posted version ("v3") other than the branch.

    `numbers` maps the numbers of its patches to those of the branch's patches with the same change
    or subject, if any. `outdated` are the branch's patches that have other code in this version, or
    are not in it, each with that reason.
    """

    name: str
    numbers: Mapping[int, int]
    outdated: Mapping[int, str]

    def has(self, patch: int) -> bool:
        """Return whether the version contains a patch of the branch, perhaps with other code."""
        return patch in self.numbers.values()


@dataclass(frozen=True, slots=True)
class Patches:
    """The series that replies are for. Numbers count from 1; 0 is the cover letter.

    `subjects` are by number. `numbers_by_digest` has the digests of `digest_changes`,
    `numbers_by_mail` message-ids without brackets. `versions_by_mail` has the version of each mail
    of other versions. `dropped_by_mail` names the mails of patches that the series no longer has
    ("v3 5/5"). `changes` are the changed lines of each patch. If unknown, `revision` is None, and
    `change_id` and `base` are "".
    """

    subjects: dict[int, str]
    numbers_by_digest: dict[str, int] = field(default_factory=dict)
    numbers_by_mail: dict[str, int] = field(default_factory=dict)
    versions_by_mail: dict[str, OtherVersion] = field(default_factory=dict)
    dropped_by_mail: dict[str, str] = field(default_factory=dict)
    changes: dict[int, frozenset[str]] = field(default_factory=dict)
    revision: int | None = None
    change_id: str = ""
    base: str = ""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the patches."""
        return tuple(number for number in self.subjects if number != COVER)

    def compare(
        self,
        name: str,
        subjects: Mapping[int, Subject],
        unchanged: Mapping[int, int],
        *,
        is_complete: bool = True,
    ) -> OtherVersion:
        """Return another version, compared with the branch.

        `subjects` are those of its patches, by number, as far as they could be read
        (`is_complete`). `unchanged` has the branch's patch for each one with the same change.
        """
        texts = Counter(_normalize(subject.text) for subject in subjects.values())
        numbers = dict(unchanged)
        for number, subject in subjects.items():
            same = self.find_subject(subject) if texts[_normalize(subject.text)] == 1 else None
            if same and same not in unchanged.values():
                numbers.setdefault(number, same)
        source = name if is_complete else f"{name}, as far as it was read,"
        outdated = {
            number: f"the patch has changed since {name}"
            if _normalize(self.subjects[number]) in texts
            else f"{source} has no patch with its subject or its change"
            for number in self.numbers
            if number not in unchanged.values()
        }
        return OtherVersion(name, numbers, outdated)

    def find_subject(self, subject: Subject) -> int | None:
        """Return the only patch with a subject, ignoring white space and case.

        If several patches have it, the number in the brackets decides.
        """
        expected = _normalize(subject.text)
        numbers = [n for n, text in self.subjects.items() if _normalize(text) == expected]
        if len(numbers) > 1 and subject.total == len(self.numbers):
            numbers = [number for number in numbers if number == subject.number]
        return numbers[0] if expected and len(numbers) == 1 else None


def describe_patches(
    repository: Repository, quarantine: Quarantine, series: SeriesBranch
) -> Patches:
    """Return what identifies replies to a branch."""
    tracking = series.tracking
    diffs = read_diffs(quarantine, series.start, series.tip)
    patches = Patches(
        subjects={number: commit.subject for number, commit in enumerate(series.commits, 1)},
        revision=tracking.revision if tracking is not None else None,
        change_id=tracking.change_id if tracking is not None else "",
        base=series.base,
    )
    if series.cover is not None:
        patches.subjects[COVER] = series.cover.subject
    for number, commit in enumerate(series.commits, 1):
        text = diffs[commit.oid].decode("utf-8", "surrogateescape")
        patches.changes[number] = list_changes(text.split("\n"))
        if digest := digest_changes(text):
            patches.numbers_by_digest[digest] = number
    if tracking is not None:
        sender = repository.read_signatures().committer.email
        content = digest_content(quarantine, series.base, series.start, series.tip)
        version = (tracking.change_id, tracking.revision)
        for number in range(len(series.commits) + 1):
            patches.numbers_by_mail[make_message_id(*version, number, sender, content)] = number
        numbers = {digest_diff(diffs[commit.oid]): n for n, commit in enumerate(series.commits, 1)}
        _read_sent(repository, quarantine, tracking, numbers, patches)
        _read_history(tracking, patches)
    return patches


def read_own_mails(repository: Repository, series: SeriesBranch) -> tuple[Mail, ...]:
    """Return the mails of the branch's version in its default folder.

    They may have been sent with git send-email directly, which writes no tag. If the branch is then
    edited, the message-ids of its patches differ from those of these mails.
    """
    if series.cover is None or series.tracking is None:
        return ()
    revision = series.tracking.revision
    folder = choose_target(repository, series.name, revision, None, writes=False).folder
    paths = find_mails_of(folder, series.tracking.change_id, revision)
    return tuple(Mail(path.name, path.read_bytes()) for path in paths)


def _read_sent(
    repository: Repository,
    quarantine: Quarantine,
    tracking: Tracking,
    numbers: Mapping[str, int],
    patches: Patches,
) -> None:
    """Record the message-ids of sent versions, each with its patch on the branch.

    `numbers` are those of the branch's patches by the digests of their changes.
    """
    for sent in read_sent(repository, tracking.change_id):
        name = f"v{sent.revision}"
        commits = read_commits(quarantine, sent.base, sent.tip)
        ids = sent.message_ids or _guess_ids(
            tracking.history.get(name, ()), sent.revision, len(commits)
        )
        if not ids:
            continue
        digests = digest_commits(quarantine, sent.base, sent.tip)
        unchanged = {
            number: numbers[digests[commit.oid]]
            for number, commit in enumerate(commits, 1)
            if digests.get(commit.oid) in numbers
        }
        subjects = {number: Subject(commit.subject) for number, commit in enumerate(commits, 1)}
        version = patches.compare(name, subjects, unchanged)
        patches.versions_by_mail.update(dict.fromkeys(ids, version))
        patches.numbers_by_mail.update(dict.fromkeys(filter(None, ids[:1]), COVER))
        for number, message_id in enumerate(ids[1 : len(commits) + 1], 1):
            if number in version.numbers:
                patches.numbers_by_mail[message_id] = version.numbers[number]
            else:
                patches.dropped_by_mail[message_id] = f"{name} {number}/{len(commits)}"


def _read_history(tracking: Tracking, patches: Patches) -> None:
    """Record the cover letters of versions of which only the message-id is recorded.

    Their patches are not recorded, so a reply to such a letter applies to no patch.
    """
    for version, ids in tracking.history.items():
        for message_id in ids[:1]:
            if message_id not in patches.numbers_by_mail:
                patches.numbers_by_mail[message_id] = COVER
                reason = f"the code of {version} is not known here; `patchgen import` records it"
                outdated = dict.fromkeys(patches.numbers, reason)
                patches.versions_by_mail[message_id] = OtherVersion(version, {}, outdated)


def _guess_ids(cover: Sequence[str], revision: int, count: int) -> tuple[str, ...]:
    """Return the message-ids of a version of which b4 recorded only the cover letter's.

    Those of its patches have their number in place of the 0 (make_msgid_tpt() in b4's ez.py).
    """
    if not cover:
        return ()
    head, mark, tail = cover[0].partition(f"-v{revision}-0-")
    numbers = range(1, count + 1) if mark else ()
    return (cover[0], *(f"{head}-v{revision}-{number}-{tail}" for number in numbers))


def _normalize(subject: str) -> str:
    return " ".join(subject.lower().split())
