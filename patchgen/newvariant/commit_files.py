# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the changes of a commit: those of file contents, and those that no variant can make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.model.treepath import refuse_new_path
from patchgen.odb import REGULAR, GitTree, open_tree, read_blobs
from patchgen.odb.plumbing import Git, RawChange, parse_raw_diff

_ABSENT = "000000"
_FOLDER = "40000"
_EXECUTABLE = "100755"
_KINDS = {"120000": "a symbolic link", "160000": "a submodule"}


@dataclass(frozen=True, slots=True)
class TextChange:
    """A regular file before (None if it is new) and after a commit.

    `remark` names a change of the file's mode, which a variant cannot make.
    """

    path: PurePosixPath
    before: bytes | None
    after: bytes
    remark: str = ""


@dataclass(frozen=True, slots=True)
class OtherChange:
    """A change of a file that a variant cannot make, and the reason."""

    path: PurePosixPath
    reason: str


def read_file_changes(git: Git, parent: Oid, commit: Oid) -> Iterator[TextChange | OtherChange]:
    """Yield the changes of a commit, file by file."""
    args = ("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", parent, commit)
    tree = open_tree(git, parent)
    for change in parse_raw_diff(git.run(*args).stdout):
        path = PurePosixPath(change.path)
        reason = _refuse(change) or _refuse_path(tree, change)
        if reason is not None:
            yield OtherChange(path, reason)
            continue
        is_new = change.old_mode == _ABSENT
        before, after = read_blobs(git, [change.oid if is_new else change.old_oid, change.oid])
        if not is_new and before == after:
            yield OtherChange(path, _describe_mode(change))
            continue
        remark = _describe_mode(change) if change.mode != _usual_mode(change) else ""
        yield TextChange(path, None if is_new else before, after, remark)


def _refuse(change: RawChange) -> str | None:
    """Return the reason why a variant cannot make a change of any content, or None."""
    modes = [mode for mode in (change.old_mode, change.mode) if mode != _ABSENT]
    kinds = [_KINDS[mode] for mode in modes if mode not in REGULAR]
    if kinds:
        return f"is {kinds[-1]}"
    if change.mode == _ABSENT:
        return "is deleted (a rename deletes the old name)"
    return None


def _refuse_path(tree: GitTree, change: RawChange) -> str | None:
    if (reason := refuse_new_path(change.path)) is not None:
        return f"has a path that {reason}"
    if not change.path.isprintable():
        return "has a path that is not UTF-8"
    if change.old_mode != _ABSENT:
        return None
    if tree.get(change.path) is not None:
        return "replaces a folder"
    for parent in list(PurePosixPath(change.path).parents)[:-1]:
        entry = tree.get(str(parent))
        if entry is not None and entry[0] != _FOLDER:
            return f"is in a folder that replaces the file {parent}"
    return None


def _usual_mode(change: RawChange) -> str:
    """Return the mode that the file has in a variant: a new file is not executable."""
    return "100644" if change.old_mode == _ABSENT else change.old_mode


def _describe_mode(change: RawChange) -> str:
    if change.mode == _EXECUTABLE:
        return "becomes executable (mode 100755)"
    return "is no longer executable (mode 100644)"
