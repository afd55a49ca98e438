# SPDX-License-Identifier: GPL-2.0-or-later
"""Write a result to a file that the user names, completely or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from patchgen.errors import UsageError
from patchgen.scratch import owned_folder


def check_output_file(path: Path | None) -> None:
    """Raise UsageError if the file's folder does not exist. Call this before the work."""
    if path is not None and not path.parent.is_dir():
        raise UsageError(
            f"{path} cannot be written: the folder {path.parent} does not exist",
            code="folder-missing",
        )


def write_output_file(path: Path, text: str) -> None:
    """Write a temporary file, and rename it into place. Raises UsageError if that fails.

    Links are followed. A special file, such as /dev/stdout or a FIFO, is written directly.
    """
    try:
        target = Path(os.path.realpath(path))
        mode = target.stat().st_mode if target.exists() else None
        if mode is not None and not stat.S_ISREG(mode):
            path.write_text(text, encoding="utf-8")
            return
        with owned_folder(target.parent, ".patchgen-new-") as staged:
            file = staged.path / "file"
            file.write_text(text, encoding="utf-8")
            if mode is not None:
                file.chmod(stat.S_IMODE(mode))
            file.replace(target)
    except OSError as err:
        raise UsageError(
            f"{path} cannot be written: {err.strerror or err}", code="file-unwritable"
        ) from None
