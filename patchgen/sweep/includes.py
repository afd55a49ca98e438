"""Which headers spatch may look into for a file, found in the tree's listing.

spatch's styles (parsing_c/includes.ml): none; local, `#include "x.h"` beside the .c file; all, what
the .c file includes itself, searched in the -I folders as well; recursive, what these include in
turn. Without an option it is local where a metavariable has a type, else none.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from patchgen.model.base import Oid
from patchgen.odb import Entry

_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*(?P<sign>["<])(?P<name>[^">\n]+)[">]', re.M)


class Includes(StrEnum):
    """How far spatch follows #include, by its option."""

    NONE = "--no-includes"
    LOCAL = "--local-includes"
    ALL = "--all-includes"
    RECURSIVE = "--recursive-includes"


class HeaderFinder:
    """Finds the headers of a file. Paths are strings, from the tree's top."""

    def __init__(
        self,
        style: Includes,
        files: Mapping[str, Entry],
        folders: tuple[str, ...],
        read: Callable[[str, Oid], bytes],
    ):
        self._style = style
        self._files = files
        self._folders = folders
        self._read = read
        self._included: dict[Oid, list[tuple[bool, str]]] = {}

    def find(self, path: str, source: bytes) -> dict[str, Oid]:
        """Return the headers that are looked into for a file, by their paths."""
        found: dict[str, Oid] = {}
        if self._style is Includes.NONE or path.endswith(".h"):
            return found
        waiting = [(path, _parse_includes(source))]
        while waiting:
            includer, included = waiting.pop()
            for quoted, name in included:
                header = self._resolve(posixpath.dirname(includer), quoted, name)
                if header is None or header in found:
                    continue
                _, found[header] = self._files[header]
                if self._style is Includes.RECURSIVE:
                    waiting.append((header, self._includes_of(header, found[header])))
        return dict(sorted(found.items()))

    def _resolve(self, folder: str, quoted: bool, name: str) -> str | None:
        places = [folder] if quoted else []
        places += self._folders if self._style is not Includes.LOCAL else ()
        for place in places:
            header = posixpath.normpath(posixpath.join(place, name))
            if header in self._files:
                return header
        return None

    def _includes_of(self, header: str, oid: Oid) -> list[tuple[bool, str]]:
        if oid not in self._included:
            self._included[oid] = _parse_includes(self._read(header, oid))
        return self._included[oid]


def _parse_includes(source: bytes) -> list[tuple[bool, str]]:
    return [
        (found["sign"] == b'"', found["name"].decode("utf-8", "surrogateescape").strip())
        for found in _INCLUDE.finditer(source)
    ]
