# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder of mails: staged in a hidden folder, put in place by one rename.

A folder belongs to one version of one series. It contains no list of its files, because `git
send-email DIR` would send that, too. A mail belongs to a version if it is a cover letter with the
series' change-id and the version in its subject, or a patch that answers such a cover letter and
has the message-id that patchgen gives it. Other files are never removed or overwritten, such as an
answer that the user saved there, or another author's patch in the thread.
"""

from __future__ import annotations

import email.parser
import email.policy
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path, PurePosixPath

from patchgen.errors import RefusedError, UsageError
from patchgen.mail.bodies import read_footer
from patchgen.mail.subjects import parse_subject
from patchgen.model.series import Mail
from patchgen.scratch import owned_folder

_PREFIX = ".patchgen-mails-"
_IGNORE = ".gitignore"
_IGNORE_ALL = "*\n"


class Existing(Enum):
    """What an existing folder may contain when mails are written to it."""

    NOTHING = auto()
    THIS_VERSION = auto()
    ANYTHING = auto()


class StagedFolder:
    """Mails in a hidden folder next to their target; removed again unless `publish` is called.

    The hidden folder ignores itself (a .gitignore of `*`), so `git status` never shows it, even if
    the process is killed. The next run that writes mails there then removes it. `hidden` is a
    folder above the target that gets such a .gitignore, too, if it is created here.
    """

    def __init__(
        self,
        target: Path,
        mails: Sequence[Mail],
        *,
        existing: Existing,
        hidden: Path | None = None,
    ):
        self._target = target
        self._mails = mails
        self._existing = existing
        self._hidden = hidden
        self._staged = Path()
        self._stale: tuple[Path, ...] = ()
        self._stack = ExitStack()

    def __enter__(self) -> StagedFolder:
        check_folder(self._target, self._existing)
        try:
            self._stale = self._find_stale()
            with ExitStack() as stack:
                self._make_parents(stack)
                owned = stack.enter_context(owned_folder(self._target.parent, _PREFIX))
                (owned.path / _IGNORE).write_text(_IGNORE_ALL)
                # Not the owned folder itself: its .gitignore is not a mail.
                self._staged = owned.path / "mails"
                self._staged.mkdir()
                for mail in self._mails:
                    (self._staged / mail.file_name).write_bytes(mail.content)
                self._stack = stack.pop_all()
        except OSError as err:
            raise RefusedError(
                f"the mails cannot be written: {err}", code="file-unwritable"
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _make_parents(self, stack: ExitStack) -> None:
        """Make the folders above the target; empty ones are removed with the staged folder."""
        missing = [path for path in self._target.parents if not path.exists()]
        for path in reversed(missing):
            if path == self._hidden:
                _make_hidden(path)
            else:
                path.mkdir(exist_ok=True)
            stack.callback(_remove_unused, path)

    def _find_stale(self) -> tuple[Path, ...]:
        """Return the mails of this version in the target.

        Raises RefusedError if it has other files that are not allowed, and always if one of them
        has the name of a mail.
        """
        if not self._target.exists():
            return ()
        own = find_own_mails(self._target, self._mails[0])
        # Earlier releases wrote a .gitignore there.
        others = {path for path in self._target.iterdir() if path.name != _IGNORE} - set(own)
        if others and self._existing is Existing.THIS_VERSION:
            raise RefusedError(
                f"the output folder {self._target} has a file that is not a mail of this version "
                f"of the series: {min(others).name}",
                code="folder-not-empty",
                hint="name another folder, or allow other files in it",
                parameters=("output", "force"),
            )
        for mail in self._mails:
            if self._target / mail.file_name in others:
                raise RefusedError(
                    f"{self._target / mail.file_name} is not a mail of this version of the series; "
                    "it is not overwritten",
                    code="folder-not-empty",
                    hint="move it away, or name another folder",
                    parameters=("output",),
                )
        return own

    def publish(self) -> list[Path]:
        """Put the mails in place and return their paths.

        In an existing folder, the mails of this version are replaced, and other files remain.
        """
        try:
            if not self._target.exists():
                self._staged.rename(self._target)
            else:
                names = {mail.file_name for mail in self._mails}
                for path in self._stale:
                    if path.name not in names:
                        path.unlink(missing_ok=True)
                for path in self._staged.iterdir():
                    path.replace(self._target / path.name)
        except OSError as err:
            raise RefusedError(
                f"the branch exists, but its mails cannot be put in place: {err}",
                code="mails-not-in-place",
                hint="`patchgen format` writes the mails of a branch again",
            ) from None
        return [self._target / mail.file_name for mail in self._mails]


def name_folder(branch: str, revision: int) -> PurePosixPath:
    """Return the folder for the mails of a version, below the folder of all series.

    It is the branch's name without a leading patchgen/ and with the version at its end. git ensures
    that the name is relative and has no "..".
    """
    name = branch.removeprefix("patchgen/")
    return PurePosixPath(name if name.endswith(f"-v{revision}") else f"{name}-v{revision}")


def check_folder(target: Path, existing: Existing) -> None:
    """Raise UsageError or RefusedError if the output folder cannot be used for any mails."""
    if target.exists() and not target.is_dir():
        raise UsageError(
            f"{target} is not a folder",
            code="file-kind",
            hint="name a folder",
            parameters=("output",),
        )
    if existing is Existing.NOTHING and target.exists() and any(target.iterdir()):
        raise RefusedError(
            f"the output folder {target} exists and is not empty",
            code="folder-not-empty",
            hint="name another folder, or have the mails of this version in it replaced",
            parameters=("output", "force"),
        )


def find_own_mails(folder: Path, cover: Mail) -> tuple[Path, ...]:
    """Return the mails in a folder that belong to the same version of a series as a cover letter.

    They are sorted by name.
    """
    return find_mails_of(folder, read_change_id(cover.content), _read(cover.content).revision or 1)


def find_mails_of(folder: Path, change_id: str, revision: int) -> tuple[Path, ...]:
    """Return the mails of a version in a folder: its cover letters, and their answers.

    They are sorted by name. A folder that does not exist has none. A subject without a version is
    of version 1.
    """
    heads = {}
    covers = set()
    for path in sorted(folder.glob("*.patch")):
        # Links are not followed: their targets are not patchgen's mails.
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        heads[path] = head = _read(content)
        if head.number is None:
            continue
        is_cover = head.number == 0 and read_change_id(content) == change_id
        if is_cover and head.revision == revision and head.message_id:
            covers.add(head.message_id)
    return tuple(
        path
        for path, head in heads.items()
        if head.message_id in covers or (head.answers in covers and head.is_patch_of(head.answers))
    )


def read_change_id(content: bytes) -> str:
    """Return the change-id at the end of a cover letter's mail, "" if it has none."""
    return read_footer(content.decode("utf-8", "replace"), "change-id")


@dataclass(frozen=True, slots=True)
class _Head:
    """The headers that place a mail in a series: its ids, and the fields of its subject.

    `number` is None for a reply, although its subject has the number of the answered mail.
    """

    number: int | None
    revision: int | None
    message_id: str
    answers: str

    def is_patch_of(self, cover_id: str) -> bool:
        """Return whether its message-id is that of a patch below this cover letter."""
        mark = f"-v{self.revision}-"
        expected = f"{mark}{self.number}-".join(cover_id.rsplit(f"{mark}0-", 1))
        return bool(self.number) and self.message_id == expected != cover_id


def _read(content: bytes) -> _Head:
    # Headers only: the body of a foreign file may be nested without end.
    parsed = email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(content)
    subject = parse_subject(str(parsed.get("Subject", "")))
    ids = (str(parsed.get(name, "")).strip() for name in ("Message-ID", "In-Reply-To"))
    number = None if subject.is_reply else subject.number
    return _Head(number, subject.revision, *ids)


def _make_hidden(folder: Path) -> None:
    """Make a folder together with its .gitignore, as a later run would not add that."""
    with owned_folder(folder.parent, _PREFIX) as owned:
        (owned.path / _IGNORE).write_text(_IGNORE_ALL)
        prepared = owned.path / "made"
        prepared.mkdir()
        (prepared / _IGNORE).write_text(_IGNORE_ALL)
        try:
            prepared.rename(folder)
        except OSError:
            # Another run has made it meanwhile.
            if not folder.is_dir():
                raise


def _remove_unused(folder: Path) -> None:
    """Remove a folder that contains only patchgen's .gitignore."""
    with suppress(OSError):
        if {path.name for path in folder.iterdir()} <= {_IGNORE}:
            (folder / _IGNORE).unlink(missing_ok=True)
            folder.rmdir()
