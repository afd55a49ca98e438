# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose golden cases for a semantic patch: the first functions that it changes, or the files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import PurePosixPath

from patchgen.coccinelle import SemanticPatch, Spatch, apply_to_file, read_rules
from patchgen.errors import PatchgenError
from patchgen.sweep.bodies import find_bodies

_MAX_TRIED = 8


def find_cases_for(
    patch: SemanticPatch,
    files: Mapping[PurePosixPath, bytes],
    spatch: Spatch,
    timeout_s: int,
    may_match: Callable[[bytes], bool],
) -> list[bytes]:
    """Return the texts of cases that the semantic patch changes, until each rule matches in one.

    Only texts that `may_match` accepts are tried, at most _MAX_TRIED of a file.
    """
    missing = {rule.label for rule in read_rules(patch.text) if not rule.is_script}
    cases: list[bytes] = []
    for path, content in sorted(files.items(), key=lambda item: len(item[1])):
        for text in islice(filter(may_match, _list_parts(content)), _MAX_TRIED):
            if not missing:
                return cases
            try:
                result = apply_to_file(spatch, patch, path, text, timeout_s=timeout_s)
            except PatchgenError:
                continue
            matched = {rule.rule for rule in result.rules if rule.hits}
            if result.after is not None and (not cases or matched & missing):
                cases.append(text)
                missing -= matched
    return cases


def name_cases(stem: str, cases: Sequence[bytes]) -> dict[str, bytes]:
    """Return the files of cases: STEM.c, STEM-2.c, and so on."""
    return {f"{stem}{f'-{n}' if n > 1 else ''}.c": case for n, case in enumerate(cases, 1)}


def _list_parts(content: bytes) -> Iterator[bytes]:
    """Yield the functions of a file with their headers, the shortest first, then the file."""
    functions = [
        content[body.header : body.item_end].strip(b"\n") + b"\n"
        for body in find_bodies(content)
        if not body.is_table and body.header >= 0
    ]
    yield from sorted(functions, key=len)
    yield content
