# SPDX-License-Identifier: GPL-2.0-or-later
"""Find out whether the version on a branch was sent, for the commands that write its mails again.

Other text under the message-ids of mails that were sent would confuse their readers.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from patchgen.odb import Repository, read_sent
from patchgen.pipeline.journal import Journal, MailState
from patchgen.series import find_tracking


@dataclass(frozen=True, slots=True)
class Sending:
    """The mails of a branch's version that were sent. `day` is that of the last one, in UTC."""

    revision: int
    day: str
    is_complete: bool

    def __str__(self) -> str:
        if not self.is_complete:
            return f"a part of v{self.revision} was sent on {self.day}: do not send it again"
        return f"v{self.revision} was sent on {self.day}: do not send these mails"


def find_sending(tree: Path, branch: str) -> Sending | None:
    """Return what was sent of the version on a branch, None for nothing, or without a cover letter.

    Raises RefusedError if the journal of the version cannot be read.
    """
    with closing(Repository(tree)) as repository:
        tip = repository.find_ref(f"refs/heads/{branch}")
        tracking = find_tracking(repository, tip) if tip is not None else None
        if tracking is None:
            return None
        revision = tracking.revision
        for version in read_sent(repository, tracking.change_id):
            if version.revision == revision:
                return Sending(revision, _format_day(version.time), is_complete=True)
        entries, _ = Journal(repository, tracking.change_id, revision).read()
        times = [entry.time for entry in entries if entry.state is not MailState.WAITING]
        return Sending(revision, _format_day(max(times)), is_complete=False) if times else None


def _format_day(time: float) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%d}"
