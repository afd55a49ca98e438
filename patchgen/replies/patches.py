# SPDX-License-Identifier: GPL-2.0-or-later
"""The patches that replies are for: subjects, changes and message-ids of all versions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from patchgen.mail import Subject, find_mails_of
from patchgen.model.commit import Commit
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
class Patches:
    """The series that replies are for. Numbers count from 1; 0 is the cover letter.

    `subjects` are by number. `numbers_by_digest` has the digests of `digest_changes`,
    `numbers_by_mail` message-ids without brackets. `outdated_by_mail` has for each mail of an
    earlier version the patches that it is not about, with the reasons. `dropped_by_mail` names the
    mails of patches that the series no longer has ("v3 5/5"). `changes` are the changed lines of
    each patch. If unknown, `revision` is None, and `change_id` and `base` are "".
    """

    subjects: dict[int, str]
    numbers_by_digest: dict[str, int] = field(default_factory=dict)
    numbers_by_mail: dict[str, int] = field(default_factory=dict)
    outdated_by_mail: dict[str, Mapping[int, str]] = field(default_factory=dict)
    dropped_by_mail: dict[str, str] = field(default_factory=dict)
    changes: dict[int, frozenset[str]] = field(default_factory=dict)
    revision: int | None = None
    change_id: str = ""
    base: str = ""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the patches."""
        return tuple(number for number in self.subjects if number != COVER)

    def explain_outdated(
        self,
        version: str,
        subjects: Iterable[str],
        unchanged: Collection[int | None],
        *,
        is_complete: bool = True,
    ) -> dict[int, str]:
        """Return for each patch that has changed since an earlier version why it is not the same.

        `subjects` are those of the version's patches, as far as they could be read (`is_complete`).
        """
        earlier = set(map(_normalize, subjects))
        source = version if is_complete else f"what was read of {version}"
        return {
            number: f"the patch has changed since {version}"
            if _normalize(self.subjects[number]) in earlier
            else f"{source} has no patch with its subject or its change"
            for number in self.numbers
            if number not in unchanged
        }

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
        _read_sent(repository, quarantine, series.commits, tracking, numbers, patches)
        _read_history(tracking, patches)
    return patches


def read_own_mails(repository: Repository, series: SeriesBranch) -> tuple[Mail, ...]:
    """Return the mails of the branch's version in its default folder.

    They may have been sent with git send-email directly, which leaves no tag. If the branch is then
    edited, the message-ids of its patches differ from those of these mails.
    """
    if series.cover is None or series.tracking is None:
        return ()
    revision = series.tracking.revision
    folder = choose_target(repository, series.name, revision, None).folder
    paths = find_mails_of(folder, series.tracking.change_id, revision)
    return tuple(Mail(path.name, path.read_bytes()) for path in paths)


def _read_sent(
    repository: Repository,
    quarantine: Quarantine,
    current: Sequence[Commit],
    tracking: Tracking,
    numbers: Mapping[str, int],
    patches: Patches,
) -> None:
    """Record the message-ids of sent versions, each with its patch among the `current` ones.

    `numbers` are those of the current patches by the digests of their changes. A version's mails
    are outdated for patches that have changed since, or that it does not have.
    """
    numbers_by_subject = _number_subjects(current)
    for sent in read_sent(repository, tracking.change_id):
        version = f"v{sent.revision}"
        commits = read_commits(quarantine, sent.base, sent.tip)
        ids = sent.message_ids or _guess_ids(
            tracking.history.get(version, ()), sent.revision, len(commits)
        )
        if not ids:
            continue
        digests = digest_commits(quarantine, sent.base, sent.tip)
        unchanged = {numbers.get(digest) for digest in digests.values()}
        subjects = [commit.subject for commit in commits]
        outdated = patches.explain_outdated(version, subjects, unchanged)
        patches.outdated_by_mail.update(dict.fromkeys(ids, outdated))
        patches.numbers_by_mail.update(dict.fromkeys(filter(None, ids[:1]), COVER))
        sent_numbers = _number_subjects(commits)
        for sent_number, (commit, message_id) in enumerate(zip(commits, ids[1:], strict=False), 1):
            number = numbers.get(digests[commit.oid])
            if number is None and sent_numbers.get(commit.subject) == sent_number:
                number = numbers_by_subject.get(commit.subject)
            if number is None:
                patches.dropped_by_mail[message_id] = f"{version} {sent_number}/{len(commits)}"
            else:
                patches.numbers_by_mail[message_id] = number


def _read_history(tracking: Tracking, patches: Patches) -> None:
    """Record the cover letters of versions of which only the message-id is recorded.

    Their patches are not recorded, so a reply to such a letter applies to no patch.
    """
    for version, ids in tracking.history.items():
        for message_id in ids[:1]:
            if message_id not in patches.numbers_by_mail:
                patches.numbers_by_mail[message_id] = COVER
                reason = f"the code of {version} is not known here; `patchgen import` records it"
                patches.outdated_by_mail[message_id] = dict.fromkeys(patches.numbers, reason)


def _number_subjects(commits: Sequence[Commit]) -> dict[str, int]:
    """Return the numbers of commits by subject, for subjects that are unique."""
    count = Counter(commit.subject for commit in commits)
    return {commit.subject: n for n, commit in enumerate(commits, 1) if count[commit.subject] == 1}


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
