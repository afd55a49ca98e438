# SPDX-License-Identifier: GPL-2.0-or-later
"""Restore the exec bits of a kernel tree's scripts; without them make cannot run most scripts."""

from __future__ import annotations

from pathlib import Path

# The folders whose scripts a build of x86 runs.
_FOLDERS = ("scripts", "tools", "arch/x86")


def restore_exec_bits(tree: Path) -> bool:
    """Make all scripts of a work tree executable if none of them is; return whether it did.

    If some are executable, the tree stays as its author made it: not every script has to be.
    """
    scripts = [
        path for folder in _FOLDERS for path in (tree / folder).rglob("*") if _is_script(path)
    ]
    if not scripts or any(path.stat().st_mode & 0o100 for path in scripts):
        return False
    for path in scripts:
        path.chmod(path.stat().st_mode | 0o111)
    return True


def _is_script(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"
