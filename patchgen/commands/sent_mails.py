# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the mails of a series that were sent: in the journal of `send`, else in the sent tag."""

from __future__ import annotations

from patchgen.model.base import Oid
from patchgen.odb import Repository, read_sent
from patchgen.pipeline.journal import Journal, MailState
from patchgen.series import SeriesBranch
from patchgen.status import SentMail


def find_sent_mails(repository: Repository, series: SeriesBranch) -> dict[Oid, SentMail]:
    """Return the sent mails of the series' current version, by commit.

    The mail of the cover letter's commit is the cover letter. Raises RefusedError if the journal
    cannot be read.
    """
    tracking = series.tracking
    if tracking is None or series.cover_commit is None:
        return {}
    entries, _ = Journal(repository, tracking.change_id, tracking.revision).read()
    if entries:
        # The branch may have been edited: the subject identifies a patch.
        by_subject = {commit.subject: commit.oid for commit in series.commits}
        commits = [series.cover_commit, *(by_subject.get(entry.subject) for entry in entries[1:])]
        return {
            commit: SentMail(entry.message_id, entry.time, entry.to, entry.cc)
            for commit, entry in zip(commits, entries, strict=True)
            if commit is not None and entry.state is MailState.SENT
        }
    oids = [series.cover_commit, *(commit.oid for commit in series.commits)]
    for sent in read_sent(repository, tracking.change_id):
        if sent.revision == tracking.revision and len(sent.message_ids) == len(oids):
            mails = zip(oids, sent.message_ids, strict=True)
            return {oid: SentMail(message_id) for oid, message_id in mails if message_id}
    return {}
