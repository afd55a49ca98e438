# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the sections of MAINTAINERS for paths and texts, in the order of the script.

The order is that of scripts/get_maintainer.pl (Linux 6.1 to 6.12): for a path, the section with the
deepest pattern comes first; sections of keywords (K:) come last. For patterns of the same depth,
the script uses the order of Perl's hashes, and this module the order of MAINTAINERS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.controls import escape_controls, has_controls
from patchgen.kernel.bounded_match import MatchJob, match_bounded
from patchgen.kernel.maintainers_file import (
    Field,
    MaintainersFile,
    MaintainersSection,
    read_maintainers,
)
from patchgen.kernel.path_patterns import IsFolder, PathPattern, PatternIndex
from patchgen.kernel.perl_regex import RegexError, Translated, translate
from patchgen.model.base import TreeReader

REST = "THE REST"
# The script looks for keywords in the lines that a patch adds and removes.
_CHANGED = "^[+-].*"
_MOST_WARNINGS = 10


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to search for keywords: the lines above the diffs, and the lines from there on."""

    above: tuple[str, ...] = ()
    diffs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundSections:
    """The sections of each path, the deepest pattern first, and those whose keywords a text has.

    `warnings` name lines of MAINTAINERS that could not be matched.
    """

    by_path: Mapping[str, tuple[MaintainersSection, ...]]
    by_text: tuple[tuple[MaintainersSection, ...], ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Hit:
    """A line by which a path belongs to a section, or a text has a keyword of it."""

    section: MaintainersSection
    field: Field
    depth: int = 0


@dataclass(frozen=True, slots=True)
class _Question:
    """A regular expression of MAINTAINERS, its subjects, and the meaning of a match."""

    job: MatchJob
    hit: _Hit
    pattern: PathPattern | None = None


class SectionMatcher:
    """Finds sections of one MAINTAINERS. `is_folder` returns whether a path is a folder."""

    def __init__(self, maintainers: MaintainersFile, is_folder: IsFolder = lambda path: False):
        self._file = maintainers
        self._is_folder = is_folder
        self._index = PatternIndex(
            PathPattern(section, field)
            for section in maintainers.sections
            for field in section.select("FX")
        )

    def find(self, paths: Iterable[str], texts: Sequence[Texts] = ()) -> FoundSections:
        """Return the sections of paths and of texts.

        Raises ToolError if the process that matches regular expressions cannot be run.
        """
        known = list(dict.fromkeys(paths))
        by_path = {
            path: [
                _Hit(pattern.section, pattern.field, pattern.depth)
                for pattern in self._index.find(path, self._is_folder)
            ]
            for path in known
        }
        by_text: list[dict[int, MaintainersSection]] = [{} for _ in texts]
        warnings: dict[str, None] = {}
        questions = list(self._ask(warnings, with_texts=bool(texts)))
        subjects: dict[str, Sequence[Sequence[str]]] = {
            "paths": [(path,) for path in known],
            "above": [text.above for text in texts],
            "diffs": [text.diffs for text in texts],
        }
        answers = match_bounded([question.job for question in questions], subjects)
        for question, answer in zip(questions, answers, strict=True):
            hit = question.hit
            if isinstance(answer, str):
                warnings[_warn(hit.field, answer)] = None
                continue
            for number in answer:
                if question.job.subjects != "paths":
                    by_text[number][hit.field.number] = hit.section
                elif question.pattern is None or question.pattern.accepts_slashes(known[number]):
                    by_path[known[number]].append(hit)
        return FoundSections(
            {path: tuple(_order(hits)) for path, hits in by_path.items()},
            tuple(tuple(_order_keywords(found)) for found in by_text),
            (*self._file.warnings, *_shorten(list(warnings))),
        )

    def _ask(self, warnings: dict[str, None], *, with_texts: bool) -> Iterator[_Question]:
        """Yield the regular expressions; a warning is added for one without a translation."""
        for pattern in self._index.regexes:
            regex = _translate(pattern.field, pattern.regex, warnings, spaced=False)
            if regex is not None:
                hit = _Hit(pattern.section, pattern.field, pattern.depth)
                yield _Question(MatchJob(regex, "paths"), hit, pattern)
        for section in self._file.sections:
            for field in section.select("NK" if with_texts else "N"):
                names = ("paths",) if field.key == "N" else ("above", "diffs")
                for name in names:
                    before = _CHANGED if name == "diffs" else ""
                    regex = _translate(field, field.value, warnings, before=before)
                    if regex is not None:
                        yield _Question(MatchJob(regex, name), _Hit(section, field))


def find_owners(
    tree: TreeReader, paths: Sequence[PurePosixPath]
) -> tuple[Mapping[PurePosixPath, MaintainersSection | None], tuple[str, ...]] | None:
    """Return the first section of each path, and warnings.

    It is None for a path that only THE REST covers. None instead of both: the tree has no
    MAINTAINERS.
    """
    matcher = open_matcher(tree)
    if matcher is None:
        return None
    found = matcher.find(map(str, paths))
    owners = {path: _first(found.by_path[str(path)]) for path in paths}
    return owners, found.warnings


def open_matcher(tree: TreeReader) -> SectionMatcher | None:
    """Return a matcher for a tree's MAINTAINERS, None if it has none."""
    maintainers = read_maintainers(tree)
    if maintainers is None:
        return None
    return SectionMatcher(maintainers, lambda path: bool(tree.find([f"{path}/**"])))


def _first(sections: Sequence[MaintainersSection]) -> MaintainersSection | None:
    return next((section for section in sections if section.name != REST), None)


def _order(hits: Iterable[_Hit]) -> Iterator[MaintainersSection]:
    """Yield the sections that a path belongs to, in order.

    The last matching line of a section determines its depth; a matching X: excludes the section.
    """
    by_section: defaultdict[int, list[_Hit]] = defaultdict(list)
    for hit in hits:
        by_section[hit.section.number].append(hit)
    last = [
        max(each, key=lambda hit: hit.field.number)
        for each in by_section.values()
        if all(hit.field.key != "X" for hit in each)
    ]
    for hit in sorted(last, key=lambda hit: (-hit.depth, hit.section.number)):
        yield hit.section


def _order_keywords(found: Mapping[int, MaintainersSection]) -> Iterator[MaintainersSection]:
    """Yield the sections of keywords in the script's order: by their numbers, compared as texts."""
    return (found[number] for number in sorted(found, key=str))


def _translate(
    field: Field, perl: str, warnings: dict[str, None], *, before: str = "", spaced: bool = True
) -> Translated | None:
    if has_controls(perl, allow="\t"):
        warnings[_warn(field, "it has control characters, or is not UTF-8")] = None
        return None
    try:
        return translate(perl, before, spaced=spaced)
    except RegexError as err:
        warnings[_warn(field, str(err))] = None
        return None


def _warn(field: Field, why: str) -> str:
    value = escape_controls(field.value)
    shown = value if len(value) <= 80 else f"{value[:77]}..."
    return f"{field.place}: {field.key}: {shown}: not matched: {escape_controls(why)}"


def _shorten(warnings: list[str]) -> list[str]:
    """Return at most as many warnings as a person would read."""
    more = len(warnings) - _MOST_WARNINGS
    if more <= 0:
        return warnings
    return [*warnings[:_MOST_WARNINGS], f"MAINTAINERS: {more} more such lines"]
