# SPDX-License-Identifier: GPL-2.0-or-later
"""Suggest the path or glob of a tree that an unknown one is most like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from patchgen.errors import find_similar
from patchgen.model.base import TreeReader, glob_below, is_glob


def suggest_path(
    tree: TreeReader, patterns: Sequence[str], *, takes_globs: bool = True
) -> str | None:
    """Return a hint with the path or glob that one of some unknown ones is most like, or None.

    For a folder, it is a glob for the C files below it, unless the manifest names one file there.
    """
    root: dict[str, object] = {}
    for file in tree.find(["**"]):
        folder = root
        for name in file.path.parts:
            folder = folder.setdefault(name, {})  # type: ignore[assignment]
    for pattern in patterns:
        corrected = _correct(root, pattern.split("/"))
        if takes_globs and not is_glob(corrected) and not tree.find([corrected]):
            corrected = glob_below(corrected)
        if corrected != pattern and tree.find([corrected]):
            return f"did you mean {corrected!r}?"
    return None


def _correct(folder: Mapping[str, object], parts: Sequence[str]) -> str:
    """Return a path or glob with each unknown name replaced by the most similar one."""
    corrected: list[str] = []
    for number, part in enumerate(parts):
        # Below a glob, several folders are possible.
        if is_glob(part):
            return "/".join([*corrected, *parts[number:]])
        name = part if part in folder else find_similar(part, folder) or part
        corrected.append(name)
        below = folder.get(name)
        folder = below if isinstance(below, dict) else {}
    return "/".join(corrected)
