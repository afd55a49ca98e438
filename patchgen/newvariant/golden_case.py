# SPDX-License-Identifier: GPL-2.0-or-later
"""Choose golden cases for a semantic patch: functions that it changes, or parts of files.

A rule may match in no function alone: it may need a type that the file declares, or two functions.
Then the case is the file without the declarations and functions that the rule does not need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath

from patchgen.coccinelle import SemanticPatch, Spatch, apply_to_file, read_rules
from patchgen.errors import PatchgenError
from patchgen.newvariant.file_items import split_items
from patchgen.sweep.bodies import find_bodies

# The number of functions of a file that are tried alone.
_MAX_FUNCTIONS = 8
# The number of runs of spatch that may be used to make a case smaller; each takes about 0.1 s.
_MAX_REDUCTIONS = 100


@dataclass(slots=True)
class CaseFinder:
    """Finds golden cases, until each rule of the semantic patch matches in one.

    Only texts that `may_match` accepts are tried. `cases` are the texts of those found so far, and
    `missing` the rules that match in none of them.
    """

    patch: SemanticPatch
    spatch: Spatch
    timeout_s: int
    may_match: Callable[[bytes], bool]
    cases: list[bytes] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        rules = read_rules(self.patch.text)
        self.missing = {rule.label for rule in rules if not rule.is_script}

    def add_from(self, path: PurePosixPath, content: bytes) -> None:
        """Add the cases of a file that show what a missing rule changes."""
        functions = islice(filter(self.may_match, _list_functions(content)), _MAX_FUNCTIONS)
        for text in functions:
            self._add(path, text)
        if self._is_needed(self._match(path, content)):
            self._add(path, self._reduce(path, content))

    def is_wanted(self, matched: set[str]) -> bool:
        """Return whether a text in which these rules match would be a case."""
        return not self.cases or bool(matched & self.missing)

    def _is_needed(self, matched: set[str] | None) -> bool:
        return matched is not None and self.is_wanted(matched)

    def _add(self, path: PurePosixPath, text: bytes) -> None:
        matched = self._match(path, text) if self.missing else None
        if matched is not None and self.is_wanted(matched):
            self.cases.append(text)
            self.missing -= matched

    def _match(self, path: PurePosixPath, text: bytes) -> set[str] | None:
        """Return the rules that match in a text; None if it is not changed, or not parsed."""
        try:
            result = apply_to_file(self.spatch, self.patch, path, text, timeout_s=self.timeout_s)
        except PatchgenError:
            return None
        return None if result.after is None else {rule.rule for rule in result.rules if rule.hits}

    def _reduce(self, path: PurePosixPath, content: bytes) -> bytes:
        """Return a file without the items that its missing rules do not need to match."""
        wanted = (self._match(path, content) or set()) & self.missing
        items = split_items(content)
        size, runs = len(items) // 2, 0
        while size and runs < _MAX_REDUCTIONS:
            at = 0
            while at < len(items) and runs < _MAX_REDUCTIONS:
                fewer = items[:at] + items[at + size :]
                matched = self._match(path, _join(fewer)) if fewer else None
                runs += 1
                if matched is not None and wanted <= matched:
                    items = fewer
                else:
                    at += size
            size //= 2
        return _join(items)


def find_cases_for(
    patch: SemanticPatch,
    files: Mapping[PurePosixPath, bytes],
    spatch: Spatch,
    timeout_s: int,
    may_match: Callable[[bytes], bool],
) -> list[bytes]:
    """Return the texts of cases that the semantic patch changes, until each rule matches in one."""
    finder = CaseFinder(patch, spatch, timeout_s, may_match)
    for path, content in sorted(files.items(), key=lambda item: len(item[1])):
        if not finder.missing:
            break
        finder.add_from(path, content)
    return finder.cases


def name_cases(stem: str, cases: Sequence[bytes]) -> dict[str, bytes]:
    """Return the files of cases: STEM.c, STEM-2.c, and so on."""
    return {f"{stem}{f'-{n}' if n > 1 else ''}.c": case for n, case in enumerate(cases, 1)}


def _list_functions(content: bytes) -> Iterator[bytes]:
    """Yield the functions of a file with their headers, the shortest first."""
    functions = [
        content[body.header : body.item_end].strip(b"\n") + b"\n"
        for body in find_bodies(content)
        if not body.is_table and body.header >= 0
    ]
    yield from sorted(functions, key=len)


def _join(items: Sequence[bytes]) -> bytes:
    return b"\n\n".join(items) + b"\n"
