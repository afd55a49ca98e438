# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the patches of a series as people know them: as they were sent, else as on the branch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from patchgen.mail import format_mails
from patchgen.model.base import Oid
from patchgen.odb import Quarantine, Repository
from patchgen.pipeline.journal import Journal, JournalEntry, MailState, begin_entries
from patchgen.reroll.changelog import EarlierPatch
from patchgen.reroll.hand_edits import NewCommit
from patchgen.reroll.history import SeriesHistory


def find_earlier_patches(
    repository: Repository,
    git: Quarantine,
    history: SeriesHistory,
    commits: Sequence[NewCommit],
    change_digests: Mapping[Oid, str],
) -> list[EarlierPatch | None]:
    """Return the earlier patch of each commit, None for a new one.

    A version of which only a part was sent has no tag, so its patches are those of the branch. One
    that was edited there after its mail was sent differs from what people reviewed: the result for
    it has no text, and no change either if that was edited.

    Raises RefusedError if the journal of the version cannot be read.
    """
    patches = history.find_earlier(git, commits, change_digests)
    edited = dict(_find_edited_after_sending(repository, git, history))
    oids = [commit.branch_commit.oid if commit.branch_commit else None for commit in commits]
    return [
        EarlierPatch("" if edited[oid] else change_digests[oid], message="")
        if oid in edited
        else patch
        for oid, patch in zip(oids, patches, strict=True)
    ]


def _find_edited_after_sending(
    repository: Repository, git: Quarantine, history: SeriesHistory
) -> Iterator[tuple[Oid, bool]]:
    """Yield each commit that differs from its mail, and whether its change differs."""
    series, tracking = history.series, history.tracking
    entries, _ = Journal(repository, tracking.change_id, history.record.revision).read()
    sent = {number: entry for number, entry in enumerate(entries) if number and _is_sent(entry)}
    if not sent or series.cover is None:
        return
    ends = (series.base, series.start, series.tip)
    sender = repository.read_signatures().committer
    mails = format_mails(git, *ends, series.cover, tracking, sender)
    by_subject = {entry.subject: entry for entry in sent.values()}
    contents = {entry.content for entry in sent.values()}
    for number, now in enumerate(begin_entries(mails[1:]), 1):
        # A person may have changed the subject.
        entry = by_subject.get(now.subject) or sent.get(number)
        if entry is not None and now.content not in contents:
            yield series.commits[number - 1].oid, now.change != entry.change


def _is_sent(entry: JournalEntry) -> bool:
    """Return whether a mail may have arrived, and its patch can be compared."""
    return entry.state is not MailState.WAITING and bool(entry.content)
