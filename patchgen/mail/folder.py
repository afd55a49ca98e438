"""The folder of mails: staged out of sight, put in place by one rename."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from patchgen.errors import BaseError, UsageError
from patchgen.model.series import Mail
from patchgen.scratch import owned_folder

_PREFIX = ".patchgen-mails-"


class StagedFolder:
    """Mails in a hidden folder beside their target; removed again unless `publish` is called.

    The hidden folder ignores itself (a .gitignore of `*`), so `git status` never shows it, not
    even when the process is killed. The next run that writes mails there removes it then.
    """

    def __init__(self, target: Path, mails: Sequence[Mail], *, force: bool):
        self._target = target
        self._mails = mails
        self._force = force
        self._staged = Path()
        self._stack = ExitStack()

    def __enter__(self) -> StagedFolder:
        check_folder(self._target, force=self._force)
        try:
            self._target.parent.mkdir(parents=True, exist_ok=True)
            with ExitStack() as stack:
                owned = stack.enter_context(owned_folder(self._target.parent, _PREFIX))
                self._staged = owned.path
                (self._staged / ".gitignore").write_text("*\n")
                for mail in self._mails:
                    (self._staged / mail.file_name).write_bytes(mail.content)
                self._staged.chmod(0o777 & ~_umask())
                self._stack = stack.pop_all()
        except OSError as err:
            raise BaseError(f"the mails cannot be written: {err}") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def publish(self) -> list[Path]:
        """Put the mails in place and return their paths.

        A folder that exists (--force) keeps what is not ours: only mails of the same version are
        replaced, one by one.
        """
        try:
            if not self._target.exists():
                self._staged.rename(self._target)
            else:
                version = self._mails[0].file_name.partition("-")[0]
                for old in self._target.iterdir():
                    if re.fullmatch(rf"{re.escape(version)}-\d{{4}}-.*\.patch", old.name):
                        old.unlink()
                for path in self._staged.iterdir():
                    path.replace(self._target / path.name)
        except OSError as err:
            raise BaseError(
                f"the branch is made, but its mails cannot be put in place: {err}"
            ) from None
        return [self._target / mail.file_name for mail in self._mails]


def check_folder(target: Path, *, force: bool) -> None:
    """Raise UsageError where the output folder cannot be used."""
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is not a folder", hint="choose another with --output-directory")
    if target.exists() and not force:
        raise BaseError(
            f"the output folder {target} exists already",
            hint="--force replaces the mails of this version in it; -o DIR writes elsewhere",
        )


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
