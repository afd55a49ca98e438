# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of a tree's files in a scratch folder for spatch, and the way back.

A name in a tree can have any bytes but NUL and `/`. spatch passes names to a shell (`cp`, for
--in-place), reads lists of them line by line, and prints them in messages that are parsed line by
line. So a name with characters other than those below gets a stand-in. It is the same in every
folder, so that #include still finds files next to each other. `..` gets one, too, so no path leads
out of the scratch folder.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import PurePosixPath

from patchgen.model.outcome import FileResult

_UNSAFE = re.compile(rb"[^A-Za-z0-9_.+,@%=-]|^[-.]|^\Z")


def make_safe(name: str) -> str:
    """Return the name of a file or folder, or its stand-in. A harmless suffix is kept."""
    return _UNSAFE.sub(lambda match: b"_%s_" % match[0].hex().encode(), os.fsencode(name)).decode()


class SafeNames:
    """Unique names of some files in a scratch folder."""

    def __init__(self, paths: Iterable[PurePosixPath]):
        self._safe: dict[PurePosixPath, PurePosixPath] = {}
        self._original: dict[PurePosixPath, PurePosixPath] = {}
        # Files without a stand-in come first, so that a stand-in never takes the name of a file.
        for path in sorted(paths, key=lambda name: _stand_in(name) != name):
            if path not in self._safe:
                safe = _stand_in(path)
                while safe in self._original:
                    safe = safe.with_name(f"_{safe.name}")
                self._safe[path] = safe
                self._original[safe] = path
        self._changed = {str(safe): str(path) for path, safe in self._safe.items() if safe != path}

    def find(self, path: PurePosixPath) -> PurePosixPath:
        """Return the path of a file in the scratch folder."""
        return self._safe[path]

    def restore(self, result: FileResult) -> FileResult:
        """Return a result with the names of the tree in all that spatch printed."""
        if not self._changed:
            return result
        failure = result.failure
        return replace(
            result,
            printed=self._restore_text(result.printed),
            marks=tuple(
                replace(mark, path=self._original.get(mark.path, mark.path))
                for mark in result.marks
            ),
            unparsed=tuple(
                replace(place, path=self._original.get(place.path, place.path))
                for place in result.unparsed
            ),
            failure=failure and replace(failure, reason=self._restore_text(failure.reason)),
        )

    def _restore_text(self, text: str) -> str:
        for safe, original in self._changed.items():
            text = text.replace(safe, original)
        return text


def _stand_in(path: PurePosixPath) -> PurePosixPath:
    return PurePosixPath(*map(make_safe, path.parts))
