# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the files that are not part of the kernel, by kbuild's makefiles.

arch/x86/boot is a separate program, but arch/x86/boot/startup is part of vmlinux since v6.16;
only the makefiles show this (Documentation/kbuild/makefiles.rst).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from patchgen.kernel import MAKEFILE_NAMES, DotConfig, find_built, list_named_folders
from patchgen.model.base import Oid, TreeFile
from patchgen.odb import Git, list_files, read_blobs

_ROOT = "arch/x86"
# An object, whose name may contain variables: head_$(BITS).o.
_OBJECT = re.compile(r"((?:[\w.-]|\$[({]\w+[)}])+)\.o\b")
_VARIABLE = re.compile(r"\$[({]\w+[)}]")


def find_unbuilt(git: Git, tree: Oid, files: Sequence[TreeFile], config: DotConfig) -> set[str]:
    """Return the .c and .S files that a .config does not compile; others may include them.

    Only files that a makefile names, or whose folder one names, are returned: the audit must not
    miss code because the makefiles of a later kernel use new names.
    Raises RefusedError if the tree has no top Makefile.
    """
    sources = [file.path for file in files if file.path.suffix in (".c", ".S")]
    makefiles = _read_makefiles(git, tree, {folder for file in sources for folder in file.parents})
    named_folders = {
        folder
        for path, text in makefiles.items()
        for folder in list_named_folders(posixpath.dirname(path), text)
    }
    objects = {path: _compile_names(text) for path, text in makefiles.items()}
    built = find_built(config, makefiles.get, map(str, sources), sources)

    def is_named(path: PurePosixPath) -> bool:
        holders = (str(folder / name) for folder in path.parents for name in MAKEFILE_NAMES)
        return any(objects[holder].fullmatch(path.stem) for holder in holders if holder in objects)

    unbuilt_folders = named_folders - built.folders
    return {
        str(path)
        for path in sources
        if not built.includes(path) and (str(path.parent) in unbuilt_folders or is_named(path))
    }


def _compile_names(makefile: str) -> re.Pattern[str]:
    """Return a pattern of the objects that a makefile names; a variable may have any value."""
    names = set(_OBJECT.findall(makefile))
    patterns = [
        r"[\w.-]*".join(map(re.escape, _VARIABLE.split(name)))
        for name in sorted(names)
        if _VARIABLE.sub("", name)
    ]
    return re.compile("|".join(patterns) or r"(?!)")


def find_unlinked(git: Git, tree: Oid, files: Iterable[TreeFile]) -> set[str]:
    """Return the files in folders of arch/x86 that no configuration links into vmlinux.

    A folder is linked if the makefile of a linked folder above names it, other than for
    `make clean` (`subdir-`). A folder that no makefile can name is treated as linked. A linked file
    may still include one of the others.
    """
    paths = [file.path.as_posix() for file in files]
    folders = {posixpath.dirname(path) for path in paths if path.endswith((".c", ".S"))}
    inside = {folder for folder in folders if folder.startswith(f"{_ROOT}/")}
    above = {PurePosixPath(folder) for folder in inside for folder in _above(folder)}
    makefiles = _read_makefiles(git, tree, {PurePosixPath(_ROOT), *above})
    named: dict[str, set[str]] = {}
    for path, text in makefiles.items():
        folder = posixpath.dirname(path)
        named.setdefault(folder, set()).update(list_named_folders(folder, text))
    unlinked = {folder for folder in inside if not _is_linked(folder, named)}
    return {path for path in paths if posixpath.dirname(path) in unlinked}


def _read_makefiles(git: Git, tree: Oid, folders: Iterable[PurePosixPath]) -> Mapping[str, str]:
    """Return the text of each makefile of some folders, by path."""
    paths = [folder / name for folder in sorted(folders) for name in MAKEFILE_NAMES]
    makefiles = list_files(git, tree, paths)
    contents = read_blobs(git, [file.oid for file in makefiles])
    return {
        str(file.path): content.decode("utf-8", "replace")
        for file, content in zip(makefiles, contents, strict=True)
    }


def _above(folder: str) -> list[str]:
    """Return the parent folders, up to arch/x86."""
    return [str(path) for path in PurePosixPath(folder).parents if path.is_relative_to(_ROOT)]


def _is_linked(folder: str, named: Mapping[str, set[str]]) -> bool:
    if folder == _ROOT or _ROOT not in named:
        return True
    above = _above(folder)
    # The parent has no makefile that could name it.
    if above[0] not in named and above[0] != _ROOT and _is_linked(above[0], named):
        return True
    return any(folder in named.get(parent, ()) and _is_linked(parent, named) for parent in above)
