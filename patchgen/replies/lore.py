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
from patchgen.series import SeriesBranch, Tracking

_NOT_RECORDED = "is not recorded as sent (`git send-email` records nothing)"


@dataclass(frozen=True, slots=True)
class LoreThread:
    """The thread of a version: the message-id of its first mail, and the file of the thread.

    `is_recorded` is whether a tag or the history states that the version was sent. `git send-email`
    leaves no record.
    """

    revision: int
    message_id: str
    path: Path
    is_recorded: bool

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
    ids = _read_recorded(repository, tracking)
    recorded = set(ids)
    # The first mail is the cover letter, by its name.
    if letter := min(own_mails, key=lambda mail: mail.file_name, default=None):
        ids.setdefault(tracking.revision, read_message_id(parse_mail(letter)))
    folder = repository.git_dir / "patchgen" / "lore"
    threads = [
        LoreThread(
            revision,
            ids[revision],
            folder / f"{tracking.change_id}-v{revision}.mbx",
            revision in recorded,
        )
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


def _read_recorded(repository: Repository, tracking: Tracking) -> dict[int, str]:
    """Return the message-id of the first mail of each version that is recorded as sent."""
    ids = {
        int(version[1:]): message_ids[0]
        for version, message_ids in tracking.history.items()
        if message_ids and version[1:].isdecimal()
    }
    for sent in read_sent(repository, tracking.change_id):
        if first := next(filter(None, sent.message_ids), ""):
            ids[sent.revision] = first
    return ids


def read_threads(threads: Sequence[LoreThread]) -> tuple[list[Mail], list[str]]:
    """Return the mails of the threads that were fetched, and remarks on all threads.

    Raises RefusedError, with the commands that fetch the threads, if none was fetched.
    """
    fetched = [thread for thread in threads if thread.path.is_file()]
    if not fetched:
        raise _refuse_unfetched(threads)
    mails = [mail for thread in fetched for mail in read_mails(thread.path)]
    return mails, [_remark(thread, is_fetched=thread in fetched) for thread in threads]


def _remark(thread: LoreThread, *, is_fetched: bool) -> str:
    """Return when a thread was fetched, and the command that fetches it."""
    state = "was not fetched"
    if is_fetched:
        when = time.localtime(thread.path.stat().st_mtime)
        state = f"was fetched on {time.strftime('%Y-%m-%d at %H:%M', when)}"
    elif not thread.is_recorded:
        return f"v{thread.revision} {_NOT_RECORDED}; if it was sent, {thread.command}"
    return f"the thread of v{thread.revision} {state}; {thread.command}"


def _refuse_unfetched(threads: Sequence[LoreThread]) -> RefusedError:
    """Return the error with the commands that fetch the threads of the versions that were sent."""
    recorded = [thread for thread in threads if thread.is_recorded]
    problem = "fetch the replies first, then run this again"
    if not recorded:
        problem = f"v{threads[0].revision} {_NOT_RECORDED}; if it was sent, {problem}"
    commands = "".join(f"\n  {thread.command}" for thread in recorded or threads)
    return RefusedError(f"{problem}:{commands}", code="replies-not-fetched")
