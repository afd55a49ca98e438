# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a .config that the user names."""

from __future__ import annotations

from pathlib import Path

from patchgen.errors import SpecError, UsageError
from patchgen.sourcefolder import read_regular


def read_dotconfig(path: Path) -> str:
    """Return the text of a .config. A string option may contain any bytes, as kconfig copies them.

    Raises UsageError if the file cannot be read or is not regular: reading a FIFO would block, and
    a configuration is small.
    """
    try:
        return read_regular(path).decode("utf-8", "surrogateescape")
    except OSError as err:
        why = f"cannot be read: {err.strerror}"
    except SpecError as err:
        why = err.message
    raise UsageError(
        f"{path}: the configuration {why}",
        hint="name a .config, as `make defconfig` writes it",
        parameters=("config", "configs", "only_built"),
    )
