# SPDX-License-Identifier: GPL-2.0-or-later
"""What git's plumbing prints, each format read in one place: trees, objects, raw diffs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from patchgen.errors import ToolError
from patchgen.model.base import Oid
from patchgen.process import Completed

_DIGESTS = {40: "sha1", 64: "sha256"}
_FOUND = re.compile(r"([0-9a-f]+) (blob|commit|tag|tree) [0-9]+")
_RAW = re.compile(
    rb"(?:\A|\n):([0-7]{6}) ([0-7]{6}) ([0-9a-f]+) ([0-9a-f]+) [A-Z][0-9]*\Z",
)


class Git(Protocol):
    """A repository to run git in: a quarantine or a checkout."""

    def run(self, *args: str, stdin: bytes = b"", ok: tuple[int, ...] | None = (0,)) -> Completed:
        """Run git in it."""


class RawChange(NamedTuple):
    """A path that a diff changes; a side that is not there has the mode "000000".

    `heading` is what git printed before the path's diff, such as a commit's id.
    """

    heading: str
    old_mode: str
    mode: str
    old_oid: Oid
    oid: Oid
    path: str


def list_tree(
    git: Git,
    tree: str,
    paths: Sequence[str] = (),
    *options: str,
    suffixes: tuple[str, ...] = ("",),
) -> Iterator[tuple[str, str, Oid, str]]:
    """Yield mode, type, id and path of the entries with these suffixes, by git-ls-tree(1).

    The paths are literal and start at the top of the tree; no paths means the whole tree.
    """
    args = ("--literal-pathspecs", "ls-tree", *options, "-z", "--full-tree", tree, "--", *paths)
    for entry in os.fsdecode(git.run(*args).stdout).split("\0")[:-1]:
        # Most of a kernel's 80,000 files have another suffix; skip them first.
        if entry.endswith(suffixes):
            head, _, path = entry.partition("\t")
            mode, kind, oid = head.split(" ")
            yield mode, kind, Oid(oid), path


def read_objects(git: Git, oids: Sequence[Oid]) -> Iterator[tuple[str, bytes] | None]:
    """Yield type and content of objects, None for one that the repository lacks."""
    out = git.run("cat-file", "--batch", "--buffer", stdin=_to_lines(oids)).stdout
    at = 0
    for _ in oids:
        end = out.index(b"\n", at)
        # "OID blob 123", or "OID missing"
        _, kind, *size = out[at:end].split()
        at = end + 1
        if size:
            begin, at = at, at + int(size[0]) + 1
            yield kind.decode(), out[begin : at - 1]
        else:
            yield None


def find_objects(
    git: Git, names: Sequence[str], *, ok: tuple[int, ...] | None = (0,)
) -> list[tuple[Oid, str] | None]:
    """Return id and type of each named object, None for one that the repository lacks."""
    done = git.run("cat-file", "--batch-check", stdin=_to_lines(names), ok=ok)
    answers = os.fsdecode(done.stdout).split("\n")[:-1]
    if len(answers) != len(names):
        raise ToolError("git did not report which objects the repository has")
    matches = map(_FOUND.fullmatch, answers)
    return [(Oid(match[1]), match[2]) if match else None for match in matches]


def parse_raw_diff(shown: bytes) -> Iterator[RawChange]:
    """Parse a diff of the options --raw -z (git-diff-tree(1), "RAW OUTPUT FORMAT")."""
    heading = ""
    fields = iter(shown.split(b"\0"))
    for field in fields:
        match = _RAW.search(field)
        if before := field[: match.start() if match else None].strip(b"\n"):
            heading = os.fsdecode(before)
        if match:
            old_mode, mode, old_oid, oid = map(bytes.decode, match.groups())
            path = os.fsdecode(next(fields))
            yield RawChange(heading, old_mode, mode, Oid(old_oid), Oid(oid), path)


def make_oid(kind: str, content: bytes, *, like: Oid) -> Oid:
    """Return the id of an object (git-hash-object(1)) in a repository that has an id `like` it."""
    digest = hashlib.new(_DIGESTS[len(like)], usedforsecurity=False)
    digest.update(b"%s %d\0" % (kind.encode(), len(content)))
    digest.update(content)
    return Oid(digest.hexdigest())


def _to_lines(names: Sequence[str]) -> bytes:
    return os.fsencode("".join(f"{name}\n" for name in names))
