# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects that a repository lacks: which ones a command needs, found in one go.

A partial clone (git-rev-list(1), "--filter") has all commits, but not all trees and blobs. Git
stops at the first one that it misses, so that fetching what it names would take a fetch for each
file. What a diff needs is in the trees alone: the ids of the blobs on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from patchgen.errors import MissingObjectsError, ToolError
from patchgen.model.base import Oid
from patchgen.odb.commits import Git

_ID = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")
_RANGE = re.compile(r"[0-9a-f]{40,64}\.\.[^\s.]\S*")
_RAW = re.compile(r"^:[0-7]{6} [0-7]{6} ([0-9a-f]+) ([0-9a-f]+) ", re.MULTILINE)
_NOTHING = re.compile(r"0+")
# A submodule's commit (git-fast-import(1), "filemodify") is in another repository.
_SUBMODULE = re.compile(r"^:(?:160000 [0-7]{6}|[0-7]{6} 160000) .*$", re.MULTILINE)
_DIFFS = frozenset({"log", "show", "diff", "diff-tree"})
# Options with which a diff reads blobs.
_CONTENT = ("--patch", "--binary", "--unified", "--stat", "--numstat", "-M", "-l0", "--name")


def find_missing(git: Git, oids: Iterable[Oid]) -> tuple[Oid, ...]:
    """Return those of the objects that the repository lacks, each once. Nothing is fetched."""
    asked = list(dict.fromkeys(oids))
    stdin = "".join(f"{oid}\n" for oid in asked).encode()
    # Each "OID blob 123", or "OID missing". An error here would ask for an explanation, too.
    done = git.run("cat-file", "--batch-check", stdin=stdin, ok=None)
    answers = done.stdout.decode().splitlines()
    if len(answers) != len(asked):
        raise ToolError("git cannot tell which objects the repository has")
    return tuple(
        oid for oid, answer in zip(asked, answers, strict=True) if answer.endswith(" missing")
    )


def require_objects(git: Git, oids: Collection[Oid]) -> None:
    """Raise MissingObjectsError, with all that are missing, where the repository lacks any."""
    if oids and (missing := find_missing(git, oids)):
        raise MissingObjectsError(missing)


def require_range(git: Git, base: Oid, tip: Oid) -> None:
    """Raise MissingObjectsError where diffs of the commits above `base` cannot be made.

    First it is about all missing trees, and where there are none, about all missing blobs.
    """
    explain_failure(git, ("log", f"{base}..{tip}"), b"", "")


def explain_failure(git: Git, words: Sequence[str], stdin: bytes, errors: str) -> None:
    """Raise MissingObjectsError where a git command failed for lack of objects.

    `git` looks into the repository that the command ran in; `errors` is what the command printed.
    Missing trees come alone, as nobody knows yet which blobs they name.
    """
    command = words
    text = "\n".join([*words, errors])
    named = find_missing(git, map(Oid, _ID.findall(text)))
    if "--stdin" in words:
        # Revisions, then "--" and paths (git-log(1)).
        revisions = stdin.decode("utf-8", "replace").partition("\n--\n")[0].splitlines()
        text, words = "\n".join([text, *revisions]), [*words, *revisions]
    trees = _find_missing_trees(git, words, text)
    if trees:
        raise MissingObjectsError(trees)
    blobs = sorted(_find_blobs(git, command, stdin))
    require_objects(git, [*named, *blobs])


def _find_missing_trees(git: Git, words: Sequence[str], text: str) -> tuple[Oid, ...]:
    """Return the trees that are missing in the commits and trees that a command names."""
    names = [*_ID.findall(text), *filter(_RANGE.fullmatch, words)]
    if not names:
        return ()
    ranges = [name for name in names if ".." in name]
    ids = dict.fromkeys(name for name in names if ".." not in name)
    if ranges:
        listed = git.run("rev-list", "--parents", *ranges, ok=None).stdout.decode().split()
        ids |= dict.fromkeys(listed)
    stdin = "".join(f"{oid}\n" for oid in ids).encode()
    kinds = git.run("cat-file", "--batch-check", stdin=stdin, ok=None).stdout.decode().splitlines()
    commits = [line.split()[0] for line in kinds if line.split()[1] == "commit"]
    if not commits:
        return ()
    stdin = "".join(f"{oid}\n" for oid in commits).encode()
    shown = git.run("log", "--no-walk=unsorted", "--format=%T", "--stdin", stdin=stdin, ok=None)
    roots = [Oid(oid) for oid in shown.stdout.decode().split()]
    if missing := find_missing(git, roots):
        return missing
    # The holes below: each is a line "?OID" (git-rev-list(1), --missing=print).
    options = ("--objects", "--no-object-names", "--filter=blob:none", "--missing=print")
    stdin = "".join(f"{oid}\n" for oid in dict.fromkeys(roots)).encode()
    found = git.run("rev-list", *options, "--stdin", stdin=stdin, ok=None).stdout.decode().split()
    return tuple(Oid(line[1:]) for line in found if line.startswith("?"))


def _find_blobs(git: Git, words: Sequence[str], stdin: bytes) -> set[Oid]:
    """Return the blobs on both sides of the diffs that a command makes."""
    at = next((number for number, word in enumerate(words) if word in _DIFFS), None)
    raw = ("--raw", "--no-abbrev", "--no-renames")
    if at is not None:
        rest = [word for word in words[at + 1 :] if not word.startswith(_CONTENT)]
        tree_words = ("-r",) if words[at] == "diff-tree" else ()
        shown = git.run(*words[: at + 1], *tree_words, *raw, *rest, stdin=stdin, ok=None).stdout
    elif ranges := [word for word in words if _RANGE.fullmatch(word)]:
        shown = b"".join(git.run("log", *raw, "--format=", each, ok=None).stdout for each in ranges)
    else:
        return set()
    text = _SUBMODULE.sub("", shown.replace(b"\0", b"\n").decode("utf-8", "replace"))
    sides = {side for match in _RAW.finditer(text) for side in match.groups()}
    return {Oid(side) for side in sides if not _NOTHING.fullmatch(side)}
