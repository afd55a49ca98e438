# SPDX-License-Identifier: GPL-2.0-or-later
"""Check which paths git accepts in a tree.

git writes any name into a tree, and refuses to check it out only later, on somebody else's machine.
The rule is verify_path() of git's read-cache.c (2.39) with core.protectHFS and core.protectNTFS
both on, since a series goes to people with other file systems. test_treepath.py compares with git.
"""

from __future__ import annotations

import os
import re

from patchgen.controls import has_controls

# NTFS ignores trailing spaces and periods, and a stream's name (is_ntfs_dotgit()).
_END = rb"[. ]*(?::.*)?"
_NTFS_GIT = re.compile(rb"(?:\.git|git~1)" + _END, re.IGNORECASE | re.DOTALL)
# Short names of .gitmodules: the first four, and those with a hash (is_ntfs_dot_generic()).
_NTFS_MODULES = re.compile(
    rb"(?:\.gitmodules|gitmod~[1-4]|(?=.{8})(?:gi7eba|gi7eb|gi7e|gi7|gi|g|)~[1-9][0-9]{0,6}(?<=^.{8}))"
    + _END,
    re.IGNORECASE | re.DOTALL,
)
# HFS+ ignores these (utf8.c, next_hfs_char()).
_HFS_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_LINK = "120000"
# linux/limits.h: NAME_MAX, and PATH_MAX with its NUL.
_LONGEST_NAME = 255
_LONGEST_PATH = 4095


def refuse_tree_path(path: str, mode: str = "100644") -> str | None:
    """Return why git does not check out a path, None if it does.

    Bytes that are not UTF-8 are surrogates (PEP 383), as everywhere in patchgen.
    """
    raw = os.fsencode(path)
    if not raw:
        return "is empty"
    if b"\0" in raw:
        return "has a NUL character"
    for name in raw.split(b"/"):
        if name in (b"", b".", b".."):
            return "is not a plain path from the tree's top (no //, ., .. or / at an end)"
        if _is_git(name):
            return "names git's own folder .git, as git sees it on some file system"
        if mode == _LINK and _is_modules(name):
            return "makes .gitmodules a symbolic link"
    return None


def refuse_new_path(path: str) -> str | None:
    r"""Return why a manifest may not name a path, None if it may.

    It refuses more than git: characters that a terminal or a diff cannot show, `\`, which separates
    folders on Windows, and names that are too long for Linux's file systems.
    """
    raw = os.fsencode(path)
    if has_controls(path):
        return "has a control character"
    if "\\" in path:
        return "has a backslash, which git refuses on Windows"
    if len(raw) > _LONGEST_PATH or any(len(name) > _LONGEST_NAME for name in raw.split(b"/")):
        return f"is too long (a name has at most {_LONGEST_NAME} bytes)"
    return refuse_tree_path(path)


def _is_git(name: bytes) -> bool:
    # On NTFS, backslashes separate folders, too.
    parts = name.split(b"\\")
    return _hfs(name) == ".git" or any(_NTFS_GIT.fullmatch(part) for part in parts)


def _is_modules(name: bytes) -> bool:
    parts = name.split(b"\\")
    return _hfs(name) == ".gitmodules" or any(_NTFS_MODULES.fullmatch(part) for part in parts)


def _hfs(name: bytes) -> str:
    """Return a name as HFS+ compares it; git stops reading at bytes that are not UTF-8."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError as err:
        text = name[: err.start].decode("utf-8")
    text = _HFS_IGNORED.sub("", text)
    # git ignores the case of ASCII letters only.
    return text.lower() if text.isascii() else text
