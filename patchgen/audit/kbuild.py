# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the files that a .config leaves out, by kbuild's Makefiles.

Documentation/kbuild/makefiles.rst describes them. The text is matched for
`obj-$(CONFIG_X) += a.o sub/`, composite objects (`foo-y := a.o`) and `lib-y`; ifdef and ifeq blocks
are treated as taken. A folder whose Makefile is not read is treated as built, and so is a file that
no Makefile names: a file is left out only if the Makefiles show it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from patchgen.audit.conditions import Settings
from patchgen.model.base import Oid, TreeFile
from patchgen.odb import Git, list_files, read_blobs

_RULE = re.compile(
    r"^\s*([\w.-]+?)-(y|m|objs|\$\((CONFIG_\w+)\)|\$\(subst m,y,\$\((CONFIG_\w+)\)\))"
    r"\s*[:+]?=\s*(.*)$"
)
_CONTINUED = re.compile(r"\\\r?\n")
_LISTS = frozenset(["obj", "lib", "core", "libs", "drivers", "head"])


def find_unbuilt(git: Git, tree: Oid, files: Sequence[TreeFile], settings: Settings) -> set[str]:
    """Return those of the .c and .S files that the configuration does not build."""
    folders = sorted({posixpath.dirname(file.path.as_posix()) for file in files})
    rules = _read_makefiles(git, tree, folders)
    dead_folders = _find_dead_folders(rules, settings)
    unbuilt = set()
    for file in files:
        path = file.path.as_posix()
        if file.path.suffix == ".h":
            continue
        folder, name = posixpath.split(path)
        dead = any(folder == each or folder.startswith(f"{each}/") for each in dead_folders)
        if dead or _is_left_out(rules, folder, posixpath.splitext(name)[0] + ".o", settings):
            unbuilt.add(path)
    return unbuilt


_Rules = Mapping[str, Mapping[str, Sequence[tuple[str, str]]]]


def _read_makefiles(git: Git, tree: Oid, folders: Sequence[str]) -> _Rules:
    """Return by Makefile's folder the lists, as (list, option or "y"), of each object or folder."""
    parents = {posixpath.dirname(folder) for folder in folders} | set(folders)
    parents.discard("")
    wanted = [f"{folder}/{name}" for folder in sorted(parents) for name in ("Makefile", "Kbuild")]
    found = list_files(git, tree, list(map(PurePosixPath, wanted)))
    rules: dict[str, dict[str, list[tuple[str, str]]]] = {}
    for file, content in zip(found, read_blobs(git, [f.oid for f in found]), strict=True):
        own = rules.setdefault(file.path.parent.as_posix(), {})
        for target, name, option in _parse(content):
            own.setdefault(target, []).append((name, option))
    return rules


def _parse(content: bytes) -> Iterator[tuple[str, str, str]]:
    text = _CONTINUED.sub(" ", content.decode("utf-8", "replace"))
    for line in text.splitlines():
        match = _RULE.match(line.partition("#")[0])
        if match:
            option = match[3] or match[4] or "y"
            for target in match[5].split():
                yield (
                    posixpath.normpath(target) + ("/" if target.endswith("/") else ""),
                    match[1],
                    option,
                )


def _is_set(option: str, settings: Settings) -> bool:
    return option == "y" or settings.get(option, "n") in ("y", "m")


def _find_dead_folders(rules: _Rules, settings: Settings) -> list[str]:
    """Return the folders that all rules about them leave out."""
    dead = []
    for folder, targets in rules.items():
        for target, lists in targets.items():
            named = [option for name, option in lists if name in _LISTS]
            if (
                target.endswith("/")
                and named
                and not any(_is_set(each, settings) for each in named)
            ):
                dead.append(posixpath.normpath(f"{folder}/{target}"))
    return dead


def _is_left_out(
    rules: _Rules, folder: str, target: str, settings: Settings, depth: int = 4
) -> bool:
    """Return whether every list that contains an object is left out."""
    lists = rules.get(folder, {}).get(target, ())
    if not lists or not depth:
        return False
    for name, option in lists:
        if not _is_set(option, settings):
            continue
        if name in _LISTS:
            return False
        # Part of a composite object, or of a list of another name.
        if not _is_left_out(rules, folder, f"{name}.o", settings, depth - 1):
            return False
    return True
