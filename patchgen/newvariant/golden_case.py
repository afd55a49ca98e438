# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose a golden case for a semantic patch: the first function that it changes, or the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import PurePosixPath

from patchgen.coccinelle import SemanticPatch, Spatch, apply_to_file
from patchgen.errors import PatchgenError
from patchgen.sweep.bodies import find_bodies

_MAX_TRIED = 8


def find_case(
    patch: SemanticPatch,
    files: Mapping[PurePosixPath, bytes],
    spatch: Spatch,
    timeout_s: int,
    may_match: Callable[[bytes], bool],
) -> bytes | None:
    """Return the text of a case that the semantic patch changes, or None.

    Only texts that `may_match` accepts are tried, at most _MAX_TRIED of a file.
    """
    for path, content in sorted(files.items(), key=lambda item: len(item[1])):
        for text in islice(filter(may_match, _list_parts(content)), _MAX_TRIED):
            try:
                result = apply_to_file(spatch, patch, path, text, timeout_s=timeout_s)
            except PatchgenError:
                continue
            if result.after is not None:
                return text
    return None


def _list_parts(content: bytes) -> Iterator[bytes]:
    """Yield the functions of a file with their headers, the shortest first, then the file."""
    functions = [
        content[body.header : body.item_end].strip(b"\n") + b"\n"
        for body in find_bodies(content)
        if not body.is_table and body.header >= 0
    ]
    yield from sorted(functions, key=len)
    yield content
