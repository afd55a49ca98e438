# SPDX-License-Identifier: GPL-2.0-or-later
"""Keep the files that scripts of semantic patches write while they run (`run --keep`).

Scripts run in a temporary folder, which is deleted with the files that they write to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from patchgen.cli.printer import Printer
from patchgen.errors import UsageError
from patchgen.model.sweep import Sweep


def check_kept_folder(folder: Path | None) -> None:
    """Raise UsageError if files cannot be kept in a folder. Call this before the work."""
    if folder is None:
        return
    if not folder.parent.is_dir():
        raise UsageError(
            f"{folder} cannot be made: the folder {folder.parent} does not exist",
            code="folder-missing",
        )
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(
            f"{folder} is not empty", code="folder-not-empty", hint="name a new or empty folder"
        )


def keep_written(printer: Printer, folder: Path | None, results: Sequence[Sweep]) -> None:
    """Write the files that scripts wrote to a folder; without one, name them.

    With several semantic patches, each has a folder of its own. Raises UsageError if a file cannot
    be written.
    """
    for number, result in enumerate(results, 1):
        if not result.written:
            continue
        names = ", ".join(name for name, _ in result.written)
        if folder is None:
            printer.warning(
                f"{result.semantic_patch}: its scripts wrote {names}; --keep DIR keeps the files, "
                "which are deleted otherwise"
            )
            continue
        stem = PurePosixPath(result.semantic_patch).stem
        own = folder / f"{number}-{stem}" if len(results) > 1 else folder
        for name, content in result.written:
            try:
                (own / name).parent.mkdir(parents=True, exist_ok=True)
                (own / name).write_bytes(content)
            except OSError as err:
                raise UsageError(
                    f"{own / name} cannot be written: {err.strerror}", code="file-unwritable"
                ) from None
        printer.note(f"{result.semantic_patch}: its scripts wrote {names}, kept in {own}")
