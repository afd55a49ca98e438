# SPDX-License-Identifier: GPL-2.0-or-later
"""Commit objects as git stores them, read and written byte for byte.

Used for a series whose commits get other parents or messages, but not other trees: authors,
dates and everything else in the headers must survive. Format: git-hash-object(1) "commit": header
lines (a line that begins with a space continues the one before), an empty line, the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.series import Identity
from patchgen.odb.plumbing import Git, make_oid
from patchgen.quoting import quote_path
from patchgen.scratch import scratch_folder

# Author and committer of temporary commits, which no ref names.
INTERNAL_IDENTITY = Identity("patchgen", "patchgen@localhost", "0 +0000")
_PERSON = re.compile(r"(?P<name>[^<]*?)\s*<(?P<address>[^>]*)>")
# Headers with names of people, in the encoding of the commit's message.
_NAMED = frozenset({b"author", b"committer"})


@dataclass(frozen=True, slots=True)
class RawCommit:
    """A commit object. `headers` are keys and values in order; a value may have several lines."""

    headers: tuple[tuple[bytes, bytes], ...]
    message: bytes

    def replace_header(self, key: str, value: str) -> RawCommit:
        """Return the commit with another "parent", "tree" or "committer", and no signature."""
        headers = tuple(
            (name, value.encode() if name == key.encode() else old) for name, old in self.headers
        )
        return replace(self, headers=headers)._unsigned()

    def with_message(self, message: str) -> RawCommit:
        """Return the commit with another message in UTF-8, and with its names in UTF-8."""
        headers = tuple(
            (key, decode_text(value, self.encoding).encode() if key in _NAMED else value)
            for key, value in self.headers
            if key != b"encoding"
        )
        return replace(self, headers=headers, message=message.encode())._unsigned()

    def _unsigned(self) -> RawCommit:
        headers = tuple(header for header in self.headers if not header[0].startswith(b"gpgsig"))
        return replace(self, headers=headers)

    @property
    def tree(self) -> Oid:
        """The id of its tree."""
        return Oid(dict(self.headers)[b"tree"].decode())

    @property
    def parents(self) -> list[Oid]:
        """The ids of its parents."""
        return [Oid(value.decode()) for key, value in self.headers if key == b"parent"]

    @property
    def encoding(self) -> str:
        """The encoding that its texts declare, or ""."""
        return dict(self.headers).get(b"encoding", b"").decode("ascii", "replace")

    @property
    def text(self) -> str:
        """Its message; like git, up to a NUL."""
        return decode_text(self.message.partition(b"\0")[0], self.encoding)

    def find_person(self, key: str) -> str:
        """Return its "author" or "committer" as "Name <address>"."""
        value = decode_text(dict(self.headers).get(key.encode(), b""), self.encoding)
        match = _PERSON.match(value)
        return f"{match['name']} <{match['address']}>" if match else " <>"

    @property
    def oid(self) -> Oid:
        """The id of the commit."""
        return make_oid("commit", self.to_bytes(), like=self.tree)

    def to_bytes(self) -> bytes:
        """Return the object's content."""
        lines = b"".join(
            key + b" " + value.replace(b"\n", b"\n ") + b"\n" for key, value in self.headers
        )
        return lines + b"\n" + self.message


def decode_text(text: bytes, encoding: str = "") -> str:
    """Return a text, decoded by the encoding that it declares, else as UTF-8.

    Text that is not UTF-8 and declares no encoding is read as ISO-8859-1, as git-mailinfo(1) does.
    """
    for name in (encoding or "utf-8", "utf-8"):
        try:
            return text.decode(name)
        except (ValueError, LookupError):
            continue
    return text.decode("iso-8859-1")


def parse_raw_commit(content: bytes) -> RawCommit:
    """Parse the content of a commit object."""
    head, _, message = content.partition(b"\n\n")
    headers: list[tuple[bytes, bytes]] = []
    for line in head.split(b"\n"):
        if line.startswith(b" ") and headers:
            key, value = headers[-1]
            headers[-1] = (key, value + b"\n" + line[1:])
        else:
            key, _, value = line.partition(b" ")
            headers.append((key, value))
    return RawCommit(tuple(headers), message)


def read_raw_commits(git: Git, oids: Sequence[Oid]) -> list[RawCommit]:
    """Return commit objects by their ids, in their order."""
    commits = []
    for oid, found in zip(oids, git.objects.read(oids), strict=True):
        if found is None or found[0] != "commit":
            raise RefusedError(f"{oid} is not a commit that git can read", code="git-failed")
        commits.append(parse_raw_commit(found[1]))
    return commits


def _write_raw_commits(git: Git, commits: Sequence[RawCommit]) -> None:
    """Write commit objects, with one git process for any number of them."""
    if not commits:
        return
    args = ("hash-object", "-t", "commit", "-w", "--no-filters", "--stdin-paths")
    with scratch_folder("commits") as folder:
        paths = [folder / str(number) for number in range(len(commits))]
        for path, commit in zip(paths, commits, strict=True):
            path.write_bytes(commit.to_bytes())
        git.run(*args, stdin=b"".join(quote_path(path) + b"\n" for path in paths))


def _make_empty_commit(
    parent: Oid | None, tree: Oid, message: str, author: Identity, committer: Identity
) -> RawCommit:
    headers = (
        (b"tree", tree.encode()),
        *([(b"parent", parent.encode())] if parent else []),
        (b"author", str(author).encode()),
        (b"committer", str(committer).encode()),
    )
    return RawCommit(headers, message.encode())


def write_side(git: Git, parent: Oid | None, tree: Oid) -> Oid:
    """Write a commit of a tree for a merge, and return its id."""
    commit = _make_empty_commit(parent, tree, "side\n", INTERNAL_IDENTITY, INTERNAL_IDENTITY)
    _write_raw_commits(git, [commit])
    return commit.oid


def put_empty_below(
    git: Git, base: Oid, oids: Sequence[Oid], message: str, author: Identity, committer: Identity
) -> tuple[Oid, ...]:
    """Write a commit without changes on top of `base`, and a line of commits on top of it.

    Returns their ids.
    """
    parent, *above = read_raw_commits(git, [base, *oids])
    line = [_make_empty_commit(base, parent.tree, message, author, committer)]
    for commit in above:
        line.append(commit.replace_header("parent", line[-1].oid))
    _write_raw_commits(git, line)
    return tuple(commit.oid for commit in line)


def reparent(
    git: Git,
    oids: Sequence[Oid],
    parent: Oid,
    *,
    messages: Mapping[Oid, str] | None = None,
    committer: Identity | None = None,
) -> tuple[Oid, ...]:
    """Rewrite a line of commits on top of `parent`, with their trees, and return their ids.

    `parent` has the tree that the first commit builds on. `messages` replace those of some commits.
    `committer`, if given, becomes the committer of the commits whose parent or message changes. A
    commit that does not change keeps its id.
    """
    line: list[Oid] = []
    written: list[RawCommit] = []
    for oid, commit in zip(oids, read_raw_commits(git, oids), strict=True):
        new = commit.replace_header("parent", parent)
        if messages is not None and oid in messages:
            new = new.with_message(messages[oid])
        if _is_same(new, commit):
            parent = oid
        else:
            written.append(new.replace_header("committer", str(committer)) if committer else new)
            parent = written[-1].oid
        line.append(parent)
    _write_raw_commits(git, written)
    return tuple(line)


def write_commit_chain(
    git: Git, commits: Sequence[tuple[Oid, Oid, str | None]], parent: Oid, committer: Identity
) -> tuple[Oid, ...]:
    """Write a line of commits on top of `parent`, and return their ids.

    Each is given as a commit whose author it keeps, a tree, and a message (None for the commit's).
    """
    written: list[RawCommit] = []
    sources = read_raw_commits(git, [source for source, _, _ in commits])
    for (_, tree, message), source in zip(commits, sources, strict=True):
        new = source.replace_header("parent", parent).replace_header("tree", tree)
        # with_message() converts the names to the new encoding, so the committer is set last.
        new = new if message is None else new.with_message(message)
        written.append(new.replace_header("committer", str(committer)))
        parent = written[-1].oid
    _write_raw_commits(git, written)
    return tuple(commit.oid for commit in written)


def _is_same(new: RawCommit, old: RawCommit) -> bool:
    """Return whether two commits differ at most in their signature."""
    return new.message == old.message and set(new.headers) <= set(old.headers)
