# SPDX-License-Identifier: GPL-2.0-or-later
"""Three-way merges of trees and of texts, without a work tree.

`git merge-tree --write-tree` takes its merge base from history (git 2.40 added an option for it),
so temporary commits with that history are made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.errors import RefusedError
from patchgen.model.base import Oid, TreeFile
from patchgen.odb.commits import decode_text, write_side
from patchgen.odb.partial_trees import write_tree
from patchgen.odb.quarantine import Quarantine
from patchgen.odb.tree import GitTree
from patchgen.scratch import scratch_folder


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file or a message that both sides changed differently.

    `content` has both sides between conflict markers. If git writes no markers (a side deleted the
    file, or it is binary), `sides` maps the label of each side to its content, if it has one. `key`
    identifies the three contents, so that a resolution is reused for the same conflict.
    """

    path: PurePosixPath
    key: str
    content: bytes
    mode: str = "100644"
    sides: Mapping[str, bytes] = field(default_factory=dict)


# Resolved contents by the keys of their conflicts. None deletes the file.
Resolutions = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class MergedTree:
    """A tree, and the files in it that conflict. Without conflicts it is the result."""

    tree: Oid
    conflicts: tuple[Conflict, ...] = ()


def merge_trees(
    quarantine: Quarantine,
    base: Oid,
    ours: tuple[str, Oid],
    theirs: tuple[str, Oid],
    resolutions: Resolutions,
) -> MergedTree:
    """Merge two trees that derive from `base`; each is a label for the markers, and a tree.

    A conflict whose key is in `resolutions` is resolved with that content.
    """
    if ours[1] in (base, theirs[1]):
        return MergedTree(theirs[1])
    if theirs[1] == base:
        return MergedTree(ours[1])
    root = write_side(quarantine, None, base)
    for label, tree in (ours, theirs):
        quarantine.name_branch(label, write_side(quarantine, root, tree))
    args = ("-c", "merge.conflictStyle=diff3", "merge-tree", "--write-tree", "-z", "--messages")
    completed = quarantine.run(*args, ours[0], theirs[0], ok=(0, 1))
    fields = completed.stdout.decode("utf-8", "surrogateescape").split("\0")
    tree = Oid(fields[0])
    if completed.returncode == 0:
        return MergedTree(tree)
    stages: dict[str, list[str]] = {}
    for entry in fields[1 : fields.index("", 1)]:
        head, _, path = entry.partition("\t")
        stages.setdefault(path, []).append(head)
    labels = (ours[0], theirs[0])
    conflicts = [_describe(quarantine, tree, path, stages[path], labels) for path in sorted(stages)]
    resolved = [
        (conflict, resolutions[conflict.key])
        for conflict in conflicts
        if conflict.key in resolutions
    ]
    if resolved:
        tree = _replace_files(quarantine, tree, resolved)
    return MergedTree(
        tree, tuple(conflict for conflict in conflicts if conflict.key not in resolutions)
    )


def merge_texts(
    name: str,
    base: str,
    ours: tuple[str, str],
    theirs: tuple[str, str],
    quarantine: Quarantine,
    resolutions: Resolutions,
) -> str | Conflict:
    """Merge two versions of a text, each with its label; `name` is the path of a conflict."""
    if ours[1] in (base, theirs[1]):
        return theirs[1]
    if theirs[1] == base:
        return ours[1]
    key = _make_key(name, [base, ours[1], theirs[1]])
    if (resolved := resolutions.get(key)) is not None:
        return decode_text(resolved).strip("\n")
    with scratch_folder("merge") as folder:
        files = []
        for number, text in enumerate((ours[1], base, theirs[1])):
            files.append(folder / str(number))
            files[-1].write_text(text + "\n", encoding="utf-8")
        labels = ("-L", ours[0], "-L", "made-before", "-L", theirs[0])
        completed = quarantine.run(
            "merge-file", "-p", "--diff3", *labels, *map(str, files), ok=None
        )
    if completed.returncode > 127:
        raise RefusedError(f"git cannot merge {name}: {completed.errors}", code="git-failed")
    if completed.returncode == 0:
        return completed.stdout.decode().strip("\n")
    return Conflict(PurePosixPath(name), key, completed.stdout)


def has_markers(content: bytes) -> bool:
    """Return whether a content has conflict markers."""
    lines = content.split(b"\n")
    return any(line.startswith((b"<<<<<<< ", b">>>>>>> ", b"||||||| ")) for line in lines)


def _describe(
    quarantine: Quarantine, tree: Oid, path: str, stages: Sequence[str], labels: tuple[str, str]
) -> Conflict:
    """Return the conflict at a path; each stage is "MODE OID NUMBER", as in git-ls-files(1)."""
    by_number = {int(number): (mode, oid) for mode, oid, number in map(str.split, stages)}
    key = _make_key(path, stages)
    entry = GitTree(quarantine, tree).get(path)
    merged = _read_blob(quarantine, entry[1]) if entry else b""
    if entry and has_markers(merged):
        return Conflict(PurePosixPath(path), key, merged, entry[0])
    sides = {
        label: _read_blob(quarantine, by_number[number][1])
        for number, label in ((2, labels[0]), (3, labels[1]))
        if number in by_number
    }
    mode = by_number[max(by_number)][0]
    return Conflict(PurePosixPath(path), key, merged, mode, sides)


def _read_blob(quarantine: Quarantine, oid: str) -> bytes:
    """Return the content of a blob, b"" for a folder or submodule."""
    [found] = quarantine.objects.read([oid])
    return found[1] if found and found[0] == "blob" else b""


def _make_key(name: str, parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join([name, *parts]).encode("utf-8", "surrogateescape")).hexdigest()


def _replace_files(
    quarantine: Quarantine, tree: Oid, resolved: Sequence[tuple[Conflict, bytes | None]]
) -> Oid:
    """Return a tree with these contents replaced, or these files deleted."""
    files = {}
    for conflict, content in resolved:
        if content is not None:
            oid = quarantine.run("hash-object", "-w", "--stdin", stdin=content).stdout.decode()
            files[conflict.path] = TreeFile(conflict.path, conflict.mode, Oid(oid.strip()))
    deleted = [conflict.path for conflict, content in resolved if content is None]
    return write_tree(quarantine, files, base=tree, without=deleted)
