# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the headers that spatch may read for a file, in the tree's listing.

spatch has four styles (parsing_c/includes.ml): none; local, `#include "x.h"` next to the .c file;
all, everything that the .c file includes itself, searched in the -I folders as well; recursive,
which also follows the includes of those headers. Without an option it is local if a metavariable
has a type, else none.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import PurePosixPath

from patchgen.kernel.x86 import INCLUDE_FOLDERS
from patchgen.model.base import Oid
from patchgen.odb import Entry

_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*(?P<quote>["<])(?P<name>[^">\n]+)[">]', re.M)

_MAX_LOOKUPS = 8


class Includes(StrEnum):
    """How far spatch follows #include, by its command-line option."""

    NONE = "--no-includes"
    LOCAL = "--local-includes"
    ALL = "--all-includes"
    RECURSIVE = "--recursive-includes"

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that are searched for headers besides that of the file."""
        return INCLUDE_FOLDERS if self in (Includes.ALL, Includes.RECURSIVE) else ()


class Listing:
    """The files of a tree by their paths, of which at first only those below some paths are listed.

    Most headers are next to the files that are run. Listing the whole tree for the others often
    takes longer than running a semantic patch, so the first few are looked up folder by folder.
    """

    def __init__(
        self,
        listed: Mapping[str, Entry],
        paths: Sequence[PurePosixPath],
        list_below: Callable[[Sequence[PurePosixPath]], Mapping[str, Entry]],
    ):
        self._listed = listed
        # No paths means that the whole tree is listed.
        self._below = tuple(map(_make_prefix, paths)) or ("",)
        self._list_below = list_below
        self._lookups_left = _MAX_LOOKUPS

    def find(self, path: str) -> Oid | None:
        """Return the id of a regular file, None if it does not exist."""
        if path not in self._listed and not path.startswith(self._below):
            # Paths that leave the tree, or are absolute, do not exist in it.
            if path.startswith(("../", "/")):
                return None
            self._list_more(PurePosixPath(path).parent if self._lookups_left else PurePosixPath())
        _, oid = self._listed.get(path, ("", None))
        return oid

    def _list_more(self, folder: PurePosixPath) -> None:
        self._lookups_left -= 1
        self._listed = {**self._listed, **self._list_below([folder])}
        self._below += (_make_prefix(folder),)


def _make_prefix(folder: PurePosixPath) -> str:
    return "" if folder == PurePosixPath() else f"{folder}/"


class HeaderFinder:
    """Finds the headers of a file. Paths are strings, relative to the top of the tree."""

    def __init__(
        self,
        style: Includes,
        files: Listing,
        folders: tuple[str, ...],
        read: Callable[[str, Oid], bytes],
    ):
        self._style = style
        self._files = files
        self._folders = folders
        self._read = read
        self._included: dict[Oid, list[tuple[bool, str]]] = {}

    def find(self, path: str, source: bytes) -> dict[str, Oid]:
        """Return the headers that spatch reads for a file, by their paths."""
        headers: dict[str, Oid] = {}
        if self._style is Includes.NONE or path.endswith(".h"):
            return headers
        pending = [(path, _parse_includes(source))]
        while pending:
            includer, included = pending.pop()
            for quoted, name in included:
                resolved = self._resolve(posixpath.dirname(includer), quoted, name)
                if resolved is None or resolved[0] in headers:
                    continue
                header, headers[header] = resolved
                if self._style is Includes.RECURSIVE:
                    pending.append((header, self._read_includes(header, headers[header])))
        return dict(sorted(headers.items()))

    def _resolve(self, folder: str, quoted: bool, name: str) -> tuple[str, Oid] | None:
        folders = [folder] if quoted else []
        folders += self._folders if self._style is not Includes.LOCAL else ()
        for place in folders:
            header = posixpath.normpath(posixpath.join(place, name))
            oid = self._files.find(header)
            if oid is not None:
                return header, oid
        return None

    def _read_includes(self, header: str, oid: Oid) -> list[tuple[bool, str]]:
        if oid not in self._included:
            self._included[oid] = _parse_includes(self._read(header, oid))
        return self._included[oid]


def _parse_includes(source: bytes) -> list[tuple[bool, str]]:
    return [
        (match["quote"] == b'"', match["name"].decode("utf-8", "surrogateescape").strip())
        for match in _INCLUDE.finditer(source)
    ]
