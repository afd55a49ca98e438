"""Three-way merges of trees and of texts, without a work tree.

`git merge-tree --write-tree` takes its base from history (an option for it came with git 2.40), so
commits are made for it that have just this history.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from patchgen.errors import BaseError
from patchgen.model.base import Oid
from patchgen.model.series import CommitDraft, FileEdit, Identity, Signatures
from patchgen.odb.commits import write_empty_commit
from patchgen.odb.quarantine import Quarantine

# Who makes the commits that only a merge sees.
_NOBODY = Identity("patchgen", "patchgen@localhost", "0 +0000")


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file, or a message, that two sides changed in different ways.

    `content` has both sides between conflict markers. `key` names the three contents, so that a
    resolution is known again when the same conflict comes up.
    """

    path: PurePosixPath
    key: str
    content: bytes
    mode: str = "100644"


@dataclass(frozen=True, slots=True)
class MergedTree:
    """A tree, and what in it is not merged. Without conflicts it is the result."""

    tree: Oid
    conflicts: tuple[Conflict, ...] = ()


def merge_trees(
    quarantine: Quarantine,
    base: Oid,
    ours: tuple[str, Oid],
    theirs: tuple[str, Oid],
    resolutions: Mapping[str, bytes],
) -> MergedTree:
    """Merge two trees that come from `base`; each is a label for the markers, and a tree.

    Conflicts whose key is in `resolutions` get that content.
    """
    if ours[1] in (base, theirs[1]):
        return MergedTree(theirs[1])
    if theirs[1] == base:
        return MergedTree(ours[1])
    root = _commit(quarantine, None, base)
    for label, tree in (ours, theirs):
        quarantine.name_branch(label, _commit(quarantine, root, tree))
    words = ("-c", "merge.conflictStyle=diff3", "merge-tree", "--write-tree", "-z", "--messages")
    done = quarantine.run(*words, ours[0], theirs[0], ok=(0, 1))
    fields = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    tree = Oid(fields[0])
    if done.returncode == 0:
        return MergedTree(tree)
    stages: dict[str, list[str]] = {}
    for entry in fields[1 : fields.index("", 1)]:
        head, _, path = entry.partition("\t")
        stages.setdefault(path, []).append(head)
    conflicts = tuple(_describe(quarantine, tree, path, stages[path]) for path in sorted(stages))
    known = [each for each in conflicts if each.key in resolutions]
    if known:
        tree = _put(quarantine, tree, {each: resolutions[each.key] for each in known})
    return MergedTree(tree, tuple(each for each in conflicts if each.key not in resolutions))


def merge_texts(
    name: str,
    base: str,
    ours: tuple[str, str],
    theirs: tuple[str, str],
    quarantine: Quarantine,
    resolutions: Mapping[str, bytes],
) -> str | Conflict:
    """Merge two versions of a text, each with its label; `name` is what a conflict is called."""
    if ours[1] in (base, theirs[1]):
        return theirs[1]
    if theirs[1] == base:
        return ours[1]
    key = _key(name, [base, ours[1], theirs[1]])
    if key in resolutions:
        return resolutions[key].decode("utf-8", "replace").strip("\n")
    with tempfile.TemporaryDirectory(prefix="patchgen-merge-") as folder:
        files = []
        for number, text in enumerate((ours[1], base, theirs[1])):
            files.append(Path(folder) / str(number))
            files[-1].write_text(text + "\n", encoding="utf-8")
        labels = ("-L", ours[0], "-L", "made-before", "-L", theirs[0])
        done = quarantine.run("merge-file", "-p", "--diff3", *labels, *map(str, files), ok=None)
    if done.returncode > 127:
        raise BaseError(f"git cannot merge {name}: {done.errors}")
    if done.returncode == 0:
        return done.stdout.decode().strip("\n")
    return Conflict(PurePosixPath(name), key, done.stdout)


def move_files(
    quarantine: Quarantine, tree: Oid, moves: Mapping[PurePosixPath, PurePosixPath]
) -> Oid:
    """Return a tree with files under other names."""
    moved = quarantine.move_files(_commit(quarantine, None, tree), moves)
    return Oid(quarantine.run("rev-parse", f"{moved}^{{tree}}").stdout.decode().strip())


def has_markers(content: bytes) -> bool:
    """Tell whether a content still has the markers of a conflict."""
    lines = content.split(b"\n")
    return any(line.startswith((b"<<<<<<< ", b">>>>>>> ", b"||||||| ")) for line in lines)


def _commit(quarantine: Quarantine, parent: Oid | None, tree: Oid) -> Oid:
    if parent is not None:
        return write_empty_commit(quarantine, parent, tree, "side\n", _NOBODY, _NOBODY)
    who = f"{_NOBODY.name} <{_NOBODY.email}> {_NOBODY.date}"
    content = f"tree {tree}\nauthor {who}\ncommitter {who}\n\nbase\n"
    words = ("hash-object", "-t", "commit", "-w", "--stdin")
    return Oid(quarantine.run(*words, stdin=content.encode()).stdout.decode().strip())


def _describe(quarantine: Quarantine, tree: Oid, path: str, stages: Sequence[str]) -> Conflict:
    """Return the conflict in a path; each stage is "MODE OID NUMBER"."""
    shown = quarantine.run("cat-file", "blob", f"{tree}:{path}", ok=None)
    mode = stages[-1].split()[0]
    return Conflict(PurePosixPath(path), _key(path, stages), shown.stdout, mode)


def _key(name: str, parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join([name, *parts]).encode("utf-8", "surrogateescape")).hexdigest()


def _put(quarantine: Quarantine, tree: Oid, contents: Mapping[Conflict, bytes]) -> Oid:
    """Return a tree with other contents in some files."""
    base = _commit(quarantine, None, tree)
    edits = tuple(
        FileEdit(conflict.path, conflict.mode, None, content)
        for conflict, content in contents.items()
    )
    draft = CommitDraft("resolved\n", edits)
    [commit] = quarantine.write_commits(base, [draft], Signatures(_NOBODY, _NOBODY))
    return Oid(quarantine.run("rev-parse", f"{commit}^{{tree}}").stdout.decode().strip())
