# SPDX-License-Identifier: GPL-2.0-or-later
"""The threads of a series in the archive, as `b4 mbox` writes them. patchgen uses no network.

Each version's thread has a file in the repository's own folder, `patchgen/lore/CHANGE-ID-vN.mbx`.
The user runs the command that writes it, and runs it again for newer replies.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import RefusedError
from patchgen.mail import parse_mail, read_mails, read_message_id
from patchgen.model.series import Mail
from patchgen.odb import Repository, read_sent
from patchgen.series import SeriesBranch


@dataclass(frozen=True, slots=True)
class LoreThread:
    """The thread of a version: the message-id of its first mail, and the file of the thread."""

    revision: int
    message_id: str
    path: Path

    @property
    def command(self) -> str:
        """The shell command that fetches the thread."""
        folder = shlex.quote(str(self.path.parent))
        prepare = "" if self.path.parent.is_dir() else f"mkdir -p {folder} && "
        return prepare + shlex.join(
            ["b4", "mbox", "-o", str(self.path.parent), "-n", self.path.name, self.message_id]
        )


def find_threads(
    repository: Repository, series: SeriesBranch, own_mails: Sequence[Mail]
) -> tuple[LoreThread, ...]:
    """Return the threads of the versions that were sent, the newest first.

    Tags and the history that b4 records name them, and so do `own_mails`, the mails of the branch's
    version, which may have been sent by git send-email. Raises RefusedError if the branch has no
    change-id, or if nothing names a version.
    """
    tracking = series.tracking
    if tracking is None:
        raise RefusedError(
            f"{series.name} has no cover letter's commit, so its mails are not known",
            code="cover-missing",
            hint="name the replies: an mbox, or a folder",
        )
    ids = {
        int(version[1:]): message_ids[0]
        for version, message_ids in tracking.history.items()
        if message_ids and version[1:].isdecimal()
    }
    for sent in read_sent(repository, tracking.change_id):
        if first := next(filter(None, sent.message_ids), ""):
            ids[sent.revision] = first
    # The first mail is the cover letter, by its name.
    if letter := min(own_mails, key=lambda mail: mail.file_name, default=None):
        ids.setdefault(tracking.revision, read_message_id(parse_mail(letter)))
    folder = repository.git_dir / "patchgen" / "lore"
    threads = [
        LoreThread(revision, ids[revision], folder / f"{tracking.change_id}-v{revision}.mbx")
        for revision in sorted(ids, reverse=True)
        # As an argument of the command, it would be an option.
        if ids[revision] and not ids[revision].startswith("-")
    ]
    if not threads:
        raise RefusedError(
            f"no version of {series.name} is known to be sent",
            code="not-sent",
            hint="`patchgen import` records one; or name the replies: an mbox, or a folder",
        )
    return tuple(threads)


def read_threads(threads: Sequence[LoreThread]) -> tuple[list[Mail], list[str]]:
    """Return the mails of the threads that were fetched, and remarks on all threads.

    Raises RefusedError, with the commands that fetch the threads, if none was fetched.
    """
    fetched = [thread for thread in threads if thread.path.is_file()]
    if not fetched:
        commands = "".join(f"\n  {thread.command}" for thread in threads)
        raise RefusedError(
            f"fetch the replies first, then run this again:{commands}", code="replies-not-fetched"
        )
    mails = [mail for thread in fetched for mail in read_mails(thread.path)]
    remarks = []
    for thread in threads:
        if thread in fetched:
            when = time.localtime(thread.path.stat().st_mtime)
            state = f"was fetched on {time.strftime('%Y-%m-%d at %H:%M', when)}"
        else:
            state = "was not fetched"
        remarks.append(f"the thread of v{thread.revision} {state}; {thread.command}")
    return mails, remarks
