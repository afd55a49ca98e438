# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the folders of arch/x86 that are linked into vmlinux, by kbuild's makefiles.

arch/x86/boot is a program of its own, but arch/x86/boot/startup is part of vmlinux since v6.16;
only the makefiles show this (Documentation/kbuild/makefiles.rst). A folder is linked if the
makefile of a linked folder above names it, other than for `make clean` (`subdir-`). A folder that
no makefile can name is treated as linked: one is left out only if the makefiles show it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from patchgen.model.base import Oid, TreeFile
from patchgen.odb import Git, list_files, read_blobs

_ROOT = "arch/x86"
_CONTINUED = re.compile(r"\\\r?\n")
_CLEANED = re.compile(r"^\s*subdir-\s*[:+]?=", re.MULTILINE)
_FOLDER = re.compile(r"(?<![^\s=])([\w./-]+)/(?=\s|$)", re.MULTILINE)


def find_unlinked(git: Git, tree: Oid, files: Iterable[TreeFile]) -> set[str]:
    """Return the files in folders of arch/x86 that vmlinux is not linked from.

    A linked file may still include one of them.
    """
    paths = [file.path.as_posix() for file in files]
    folders = {posixpath.dirname(path) for path in paths if path.endswith((".c", ".S"))}
    inside = {each for each in folders if each.startswith(f"{_ROOT}/")}
    named = _read_named(git, tree, inside)
    dead = {folder for folder in inside if not _is_linked(folder, named)}
    return {path for path in paths if posixpath.dirname(path) in dead}


def _read_named(git: Git, tree: Oid, folders: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return for each folder with a makefile the paths of the folders that it names."""
    holders = {_ROOT, *(above for folder in folders for above in _above(folder))}
    wanted = [f"{holder}/{name}" for holder in sorted(holders) for name in ("Kbuild", "Makefile")]
    found = list_files(git, tree, list(map(PurePosixPath, wanted)))
    named: dict[str, set[str]] = {}
    for file, content in zip(found, read_blobs(git, [f.oid for f in found]), strict=True):
        holder = file.path.parent.as_posix()
        text = _CONTINUED.sub(" ", content.decode("utf-8", "replace"))
        own = named.setdefault(holder, set())
        for line in text.splitlines():
            if not _CLEANED.match(line):
                for name in _FOLDER.findall(line.partition("#")[0]):
                    own |= {posixpath.normpath(f"{holder}/{name}"), posixpath.normpath(name)}
    return {holder: frozenset(paths) for holder, paths in named.items()}


def _above(folder: str) -> list[str]:
    """Return the parent folders, up to arch/x86."""
    found = []
    while folder.startswith(f"{_ROOT}/"):
        folder = posixpath.dirname(folder)
        found.append(folder)
    return found


def _is_linked(folder: str, named: Mapping[str, frozenset[str]]) -> bool:
    if folder == _ROOT or _ROOT not in named:
        return True
    above = _above(folder)
    # The parent has no makefile that could name it.
    if above[0] not in named and above[0] != _ROOT and _is_linked(above[0], named):
        return True
    return any(folder in named.get(each, ()) and _is_linked(each, named) for each in above)
