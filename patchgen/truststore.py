# SPDX-License-Identifier: GPL-2.0-or-later
"""What the user has reviewed and trusts, by content: `$XDG_CONFIG_HOME/patchgen/trust.json`.

If XDG_CONFIG_HOME is not set, `~/.config` is used. Format, version 1:

    {"version": 1, "entries": [
      {"kind": "code",                      # or "config"
       "path": "scripts/coccinelle",        # in the repository's tree, else absolute
       "repository": "/src/linux/.git",     # real path; "" for a file outside of repositories
       "commit": "4d1f...",                 # HEAD at that time, "" if there was none
       "date": "2026-11-28",                # UTC
       "files": {"scripts/coccinelle/a.cocci": "SHA-256 of the text"}}
    ]}

Trust is for content, never for a path. The files at a path can change without their owner doing
anything: a stranger's branch fetched into the same repository has the same paths, and so has a
checkout of it. So the entry of a folder lists the files that the folder had, and a file changed or
added since is not trusted. The same text is trusted in another clone. `path`, `repository` and
`commit` serve to show and revoke an entry, and to report what changed since. A "config" entry
also holds only for its own work tree: who gets mails depends on the project.

The file is written under a lock, to a temporary name, and renamed; its mode is 0600. It is refused
if it, or its folder, belongs to somebody else or is writable by others: they could have put
anything there.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from patchgen.errors import PatchgenError
from patchgen.userfolder import user_folder

VERSION = 1
_HINT = "move it away; then `patchgen trust` starts a new one"


@dataclass(frozen=True, slots=True)
class TrustEntry:
    """What was trusted in one step: a file, a folder, or the configuration of a work tree.

    `files` are names and SHA-256 digests of their texts, in hexadecimal.
    """

    kind: str
    path: str
    repository: str
    commit: str
    date: str
    files: Mapping[str, str]

    @property
    def id(self) -> str:
        """Eight hexadecimal digits, unchanged when the entry is renewed."""
        key = "\0".join((self.kind, self.repository, self.path))
        return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:8]


Entries = tuple[TrustEntry, ...]


def digest_text(text: str) -> str:
    """Return the digest that identifies a trusted text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def find_file(entries: Entries, repository: str, path: str) -> TrustEntry | None:
    """Return the newest code entry that names a file, whatever its content was."""
    named = [
        entry
        for entry in entries
        if entry.kind == "code" and entry.repository == repository and path in entry.files
    ]
    return max(named, key=lambda entry: entry.date, default=None)


def are_trusted(entries: Entries, texts: Iterable[str]) -> bool:
    """Return whether all of these texts are trusted to run code."""
    trusted = [entry.files.values() for entry in entries if entry.kind == "code"]
    digests = frozenset(digest for values in trusted for digest in values)
    return all(digest_text(text) in digests for text in texts)


def store_path() -> Path:
    """Return the path of the store (XDG Base Directory Specification)."""
    return user_folder("XDG_CONFIG_HOME", ".config") / "patchgen" / "trust.json"


def read_trust() -> Entries:
    """Return all entries, none if the store does not exist.

    Raises PatchgenError if the store cannot be read, is damaged, or could be somebody else's.
    """
    path = store_path()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ()
    except OSError as err:
        raise PatchgenError(f"{path} cannot be read: {err.strerror}", code="trust-store") from None
    try:
        _check_owner(path, os.fstat(descriptor), stat.S_ISREG)
        _check_owner(path.parent, path.parent.stat(), stat.S_ISDIR)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return _parse(path, file.read())
    finally:
        os.close(descriptor)


def change_trust(change: Callable[[Entries], Entries]) -> Entries:
    """Replace all entries by the result of `change`, and return that.

    Raises PatchgenError as `read_trust` does, and if the store cannot be written.
    """
    path = store_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path.with_name("trust.lock")):
            entries = change(read_trust())
            _write(path, entries)
    except OSError as err:
        raise PatchgenError(
            f"{path} cannot be written: {err.strerror}", code="trust-store"
        ) from None
    return entries


def _check_owner(path: Path, status: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    if not is_kind(status.st_mode):
        raise PatchgenError(f"{path} is not a regular file", code="trust-store", hint=_HINT)
    if status.st_uid != os.geteuid():
        raise PatchgenError(
            f"{path} belongs to another user, so nothing in it is trusted",
            code="trust-store",
            hint=_HINT,
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PatchgenError(
            f"others can write to {path}, so nothing in it is trusted",
            code="trust-store",
            hint=f"check it with `patchgen trust` after: chmod go-w {path}",
        )


def _parse(path: Path, content: bytes) -> Entries:
    try:
        document = json.loads(content)
        if document["version"] != VERSION:
            raise PatchgenError(
                f"{path} has version {document['version']}; this patchgen reads version {VERSION}",
                code="trust-store",
                hint=_HINT,
            )
        return tuple(_parse_entry(entry) for entry in document["entries"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as err:
        raise PatchgenError(
            f"{path} is damaged: {type(err).__name__}: {err}", code="trust-store", hint=_HINT
        ) from None


def _parse_entry(document: Mapping[str, object]) -> TrustEntry:
    entry = TrustEntry(**document)  # type: ignore[arg-type]
    texts = (entry.kind, entry.path, entry.repository, entry.commit, entry.date)
    files = dict(entry.files)
    if not all(isinstance(text, str) for text in (*texts, *files, *files.values())):
        raise TypeError("an entry's values must be strings")
    return entry


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, entries: Entries) -> None:
    document = {"version": VERSION, "entries": [asdict(entry) for entry in entries]}
    text = json.dumps(document, indent=1, ensure_ascii=True) + "\n"
    # Only the owner of the lock uses this name; a killed run's file is overwritten.
    aside = path.with_name("trust.json.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(aside, flags, 0o600), "w", encoding="ascii") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
