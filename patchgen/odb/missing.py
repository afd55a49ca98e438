# SPDX-License-Identifier: GPL-2.0-or-later
"""Find all objects that a command needs and the repository lacks, in one go.

A partial clone (git-rev-list(1), "--filter") has all commits, but not all trees and blobs. Git
stops at the first missing object, so fetching only that one would take a fetch for each file. The
trees alone name what a diff needs: the ids of the blobs on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from patchgen.errors import MissingObjectsError
from patchgen.model.base import Oid
from patchgen.odb.plumbing import Git, parse_raw_diff

_ID = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")
_RANGE = re.compile(r"[0-9a-f]{40,64}\.\.[^\s.]\S*")
# No object, and the commit of a submodule (git-fast-import(1), "filemodify").
_NO_BLOB = frozenset({"000000", "160000"})
_DIFFS = frozenset({"log", "show", "diff", "diff-tree"})
# Options that make a diff read blobs.
_CONTENT = ("--patch", "--binary", "--unified", "--stat", "--numstat", "-M", "-l0", "--name")


def find_missing(git: Git, oids: Iterable[Oid]) -> tuple[Oid, ...]:
    """Return those of the objects that the repository lacks, each once. It does not fetch."""
    unique = list(dict.fromkeys(oids))
    found = git.objects.find(unique)
    return tuple(oid for oid, answer in zip(unique, found, strict=True) if answer is None)


def require_objects(git: Git, oids: Collection[Oid]) -> None:
    """Raise MissingObjectsError, with all missing objects, if the repository lacks any."""
    if oids and (missing := find_missing(git, oids)):
        raise MissingObjectsError(missing)


def require_range(git: Git, base: Oid, tip: Oid) -> None:
    """Raise MissingObjectsError if objects for the diffs of the commits above `base` are missing.

    The error names all missing trees; if none is missing, all missing blobs.
    """
    explain_failure(git, ("log", f"{base}..{tip}"), b"", "")


def explain_failure(git: Git, args: Sequence[str], stdin: bytes, errors: str) -> None:
    """Raise MissingObjectsError if a git command failed because objects are missing.

    `git` reads the repository that the command ran in; `errors` is the command's error output.
    Missing trees are reported alone, as the blobs that they name are not known yet.
    """
    command = args
    text = "\n".join([*args, errors])
    missing = find_missing(git, map(Oid, _ID.findall(text)))
    if "--stdin" in args:
        # Revisions, then "--" and paths (git-log(1)).
        listed = stdin.decode("utf-8", "replace").partition("\n--\n")[0]
        revisions = [revision for revision in listed.split("\n") if revision]
        text, args = "\n".join([text, *revisions]), [*args, *revisions]
    trees = _find_missing_trees(git, args, text)
    if trees:
        raise MissingObjectsError(trees)
    blobs = sorted(_find_blobs(git, command, stdin))
    require_objects(git, [*missing, *blobs])


def _find_missing_trees(git: Git, args: Sequence[str], text: str) -> tuple[Oid, ...]:
    """Return the missing trees of the commits and trees that a command names."""
    names = [*_ID.findall(text), *filter(_RANGE.fullmatch, args)]
    if not names:
        return ()
    ranges = [name for name in names if ".." in name]
    ids = dict.fromkeys(name for name in names if ".." not in name)
    if ranges:
        listed = git.run("rev-list", "--parents", *ranges, ok=None).stdout.decode().split()
        ids |= dict.fromkeys(listed)
    found = git.objects.find(list(ids))
    commits = [answer[0] for answer in found if answer and answer[1] == "commit"]
    if not commits:
        return ()
    stdin = "".join(f"{oid}\n" for oid in commits).encode()
    shown = git.run("log", "--no-walk=unsorted", "--format=%T", "--stdin", stdin=stdin, ok=None)
    roots = [Oid(oid) for oid in shown.stdout.decode().split()]
    if missing := find_missing(git, roots):
        return missing
    # Each missing tree is a line "?OID" (git-rev-list(1), --missing=print).
    options = ("--objects", "--no-object-names", "--filter=blob:none", "--missing=print")
    stdin = "".join(f"{oid}\n" for oid in dict.fromkeys(roots)).encode()
    listed = git.run("rev-list", *options, "--stdin", stdin=stdin, ok=None).stdout.decode().split()
    return tuple(Oid(line[1:]) for line in listed if line.startswith("?"))


def _find_blobs(git: Git, args: Sequence[str], stdin: bytes) -> set[Oid]:
    """Return the blobs on both sides of the diffs that a command reads."""
    index = next((number for number, arg in enumerate(args) if arg in _DIFFS), None)
    raw = ("--raw", "-z", "--no-abbrev", "--no-renames")
    if index is not None:
        other_args = [arg for arg in args[index + 1 :] if not arg.startswith(_CONTENT)]
        recursive = ("-r",) if args[index] == "diff-tree" else ()
        shown = git.run(
            *args[: index + 1], *recursive, *raw, *other_args, stdin=stdin, ok=None
        ).stdout
    elif ranges := [arg for arg in args if _RANGE.fullmatch(arg)]:
        shown = b"".join(git.run("log", *raw, "--format=", span, ok=None).stdout for span in ranges)
    else:
        return set()
    sides = {
        side
        for change in parse_raw_diff(shown)
        for side in ((change.old_mode, change.old_oid), (change.mode, change.oid))
    }
    return {oid for mode, oid in sides if mode not in _NO_BLOB}
