# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the mails of a series that were sent: in the journal of `send`, else in the sent tag."""

from __future__ import annotations

from patchgen.model.base import Oid
from patchgen.odb import Repository, read_sent
from patchgen.send.journal import Journal, MailState
from patchgen.series import SeriesBranch
from patchgen.status import SentMail


def find_sent_mails(repository: Repository, series: SeriesBranch) -> dict[Oid, SentMail]:
    """Return the mail of each commit whose patch was sent in the series' present version.

    Raises RefusedError if the journal cannot be read.
    """
    tracking = series.tracking
    if tracking is None:
        return {}
    entries, _ = Journal(repository, tracking.change_id, tracking.revision).read()
    if entries:
        # A subject that a person has changed since is not that of the mail.
        mails = {
            entry.subject: SentMail(entry.message_id, entry.time)
            for entry in entries[1:]
            if entry.state is MailState.SENT
        }
        return {
            commit.oid: mails[commit.subject]
            for commit in series.commits
            if commit.subject in mails
        }
    for sent in read_sent(repository, tracking.change_id):
        ids = sent.message_ids[1:]
        if sent.revision == tracking.revision and len(ids) == len(series.commits):
            return {
                commit.oid: SentMail(message_id)
                for commit, message_id in zip(series.commits, ids, strict=True)
            }
    return {}
