# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the sections of MAINTAINERS for paths and texts, in the order of the script.

The order is that of scripts/get_maintainer.pl (Linux 6.1 to 6.12): for a path, the section with the
deepest pattern comes first; sections of keywords (K:) come last. For patterns of the same depth,
the script uses the order of Perl's hashes, and this module the order of MAINTAINERS.

Regular expressions of a tree may run forever: `^(([a-z0-9/_.]+)+)+!$` takes exponential time, in
Python as in Perl. They are matched in a separate process with limits (regex_worker.py).
An engine with linear time does not have some features of Perl (look-around, back references), and
would be one more dependency.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.controls import escape_controls, has_controls
from patchgen.counting import count
from patchgen.errors import ToolError
from patchgen.kernel.maintainers_file import (
    Field,
    IsFolder,
    MaintainersFile,
    MaintainersSection,
    PathPattern,
    PatternIndex,
    read_maintainers,
)
from patchgen.kernel.perl_regex import RegexError, Translated, translate
from patchgen.model.base import TreeReader
from patchgen.process import run

REST = "THE REST"
# The script looks for keywords in the lines that a patch adds and removes.
_CHANGED = "^[+-].*"
_MAX_WARNINGS = 10
# CPU seconds for one regular expression with all its subjects, and for all of them. The 146 of
# Linux 6.12 take 0.3 s for 10,000 files.
_REGEX_S = 2.0
_TOTAL_S = 20.0
# Seconds of wall-clock time, for a machine that has stalled.
_STALL_S = 600.0
_MEMORY_BYTES = 4 << 30
_WORKER = Path(__file__).with_name("regex_worker.py")


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to search for keywords: the lines above the diffs, and the lines from there on."""

    above: tuple[str, ...] = ()
    diffs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchedSections:
    """The sections of each path, the deepest pattern first, and those whose keywords a text has.

    `warnings` name lines of MAINTAINERS that could not be matched. `hits` are the lines that match
    each path.
    """

    by_path: Mapping[str, tuple[MaintainersSection, ...]]
    by_text: tuple[tuple[MaintainersSection, ...], ...]
    warnings: tuple[str, ...]
    hits: Mapping[str, tuple[SectionHit, ...]]


@dataclass(frozen=True, slots=True)
class SectionHit:
    """A line by which a path belongs to a section, or a text has a keyword of it."""

    section: MaintainersSection
    field: Field
    depth: int = 0


@dataclass(frozen=True, slots=True)
class _Question:
    """A regular expression of MAINTAINERS, its subjects, and the meaning of a match."""

    job: MatchJob
    hit: SectionHit
    pattern: PathPattern | None = None


class SectionMatcher:
    """Finds sections of one MAINTAINERS. `is_folder` returns whether a path is a folder."""

    def __init__(self, maintainers: MaintainersFile, is_folder: IsFolder = lambda path: False):
        self._file = maintainers
        self.sections = maintainers.sections
        self._is_folder = is_folder
        self._index = PatternIndex(
            PathPattern(section, field)
            for section in maintainers.sections
            for field in section.select("FX")
        )

    def find(self, paths: Iterable[str], texts: Sequence[Texts] = ()) -> MatchedSections:
        """Return the sections of paths and of texts.

        Raises ToolError if the process that matches regular expressions cannot be run.
        """
        unique = list(dict.fromkeys(paths))
        by_path = {
            path: [
                SectionHit(pattern.section, pattern.field, pattern.depth)
                for pattern in self._index.find(path, self._is_folder)
            ]
            for path in unique
        }
        by_text: list[dict[int, MaintainersSection]] = [{} for _ in texts]
        warnings: dict[str, None] = {}
        questions = list(self._list_questions(warnings, with_texts=bool(texts)))
        subjects: dict[str, Sequence[Sequence[str]]] = {
            "paths": [(path,) for path in unique],
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
                elif question.pattern is None or question.pattern.accepts_slashes(unique[number]):
                    by_path[unique[number]].append(hit)
        return MatchedSections(
            {path: tuple(_order(hits)) for path, hits in by_path.items()},
            tuple(tuple(_order_keywords(sections)) for sections in by_text),
            (*self._file.warnings, *_shorten(list(warnings))),
            {path: tuple(hits) for path, hits in by_path.items()},
        )

    def _list_questions(
        self, warnings: dict[str, None], *, with_texts: bool
    ) -> Iterator[_Question]:
        """Yield the regular expressions; a warning is added for one without a translation."""
        for pattern in self._index.regexes:
            regex = _translate(pattern.field, pattern.regex, warnings, spaced=False)
            if regex is not None:
                hit = SectionHit(pattern.section, pattern.field, pattern.depth)
                yield _Question(MatchJob(regex, "paths"), hit, pattern)
        for section in self._file.sections:
            for field in section.select("NK" if with_texts else "N"):
                names = ("paths",) if field.key == "N" else ("above", "diffs")
                for name in names:
                    before = _CHANGED if name == "diffs" else ""
                    regex = _translate(field, field.value, warnings, before=before)
                    if regex is not None:
                        yield _Question(MatchJob(regex, name), SectionHit(section, field))


def open_matcher(tree: TreeReader) -> SectionMatcher | None:
    """Return a matcher for a tree's MAINTAINERS, None without one."""
    maintainers = read_maintainers(tree)
    if maintainers is None:
        return None
    return SectionMatcher(maintainers, lambda path: bool(tree.find([f"{path}/**"])))


def _order(hits: Iterable[SectionHit]) -> Iterator[MaintainersSection]:
    """Yield the sections that a path belongs to, in order.

    The last matching line of a section determines its depth; a matching X: excludes the section.
    """
    by_section: defaultdict[int, list[SectionHit]] = defaultdict(list)
    for hit in hits:
        by_section[hit.section.number].append(hit)
    last = [
        max(section_hits, key=lambda hit: hit.field.number)
        for section_hits in by_section.values()
        if all(hit.field.key != "X" for hit in section_hits)
    ]
    for hit in sorted(last, key=lambda hit: (-hit.depth, hit.section.number)):
        yield hit.section


def _order_keywords(by_number: Mapping[int, MaintainersSection]) -> Iterator[MaintainersSection]:
    """Yield the sections of keywords in the script's order: by their numbers, compared as texts."""
    return (by_number[number] for number in sorted(by_number, key=str))


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
    excerpt = value if len(value) <= 80 else f"{value[:77]}..."
    return f"{field.place}: {field.key}: {excerpt}: not matched: {escape_controls(why)}"


def _shorten(warnings: list[str]) -> list[str]:
    """Return at most as many warnings as a person would read."""
    more = len(warnings) - _MAX_WARNINGS
    if more <= 0:
        return warnings
    return [*warnings[:_MAX_WARNINGS], f"MAINTAINERS: {count(more, 'more such line')}"]


@dataclass(frozen=True, slots=True)
class MatchJob:
    """A regular expression, and the name of the subjects to match it with."""

    regex: Translated
    subjects: str


def match_bounded(
    jobs: Sequence[MatchJob], subjects: Mapping[str, Sequence[Sequence[str]]]
) -> list[frozenset[int] | str]:
    """Return for each job the numbers of the subjects that match, or why it was not matched.

    A subject is a list of texts, and matches if any of them does. A job whose literal occurs in no
    subject is not sent to the process. Raises ToolError if the process cannot be run.
    """
    wholes = {name: ["".join(texts) for texts in subject] for name, subject in subjects.items()}
    lower: dict[str, list[str]] = {}
    pending: list[tuple[MatchJob, list[int]]] = []
    places: list[int] = []
    results: list[frozenset[int] | str] = [frozenset()] * len(jobs)
    for place, job in enumerate(jobs):
        texts = wholes[job.subjects]
        if job.regex.ignores_case:
            if job.subjects not in lower:
                lower[job.subjects] = [text.lower() for text in texts]
            texts = lower[job.subjects]
        literal = job.regex.literal
        numbers = [number for number, text in enumerate(texts) if literal in text]
        if numbers:
            places.append(place)
            pending.append((job, numbers))
    if not pending:
        return results
    for place, answer in zip(places, _run_worker(pending, subjects), strict=True):
        results[place] = answer if isinstance(answer, str) else frozenset(answer)
    return results


def _run_worker(
    jobs: Sequence[tuple[MatchJob, list[int]]], subjects: Mapping[str, Sequence[Sequence[str]]]
) -> list[list[int] | str]:
    needed: dict[str, dict[int, Sequence[str]]] = {}
    for name, numbers in ((job.subjects, numbers) for job, numbers in jobs):
        needed.setdefault(name, {}).update((number, subjects[name][number]) for number in numbers)
    limits = {"seconds": _REGEX_S, "total": _TOTAL_S, "bytes": _MEMORY_BYTES}
    questions = [
        {"regex": job.regex.source, "subjects": job.subjects, "numbers": numbers}
        for job, numbers in jobs
    ]
    request = {**limits, "subjects": needed, "jobs": questions}
    # Isolated and without site-packages, it starts in 20 ms.
    argv = [sys.executable, "-I", "-S", str(_WORKER)]
    completed = run(argv, stdin=json.dumps(request).encode(), timeout_s=_STALL_S, ok=None)
    if completed.timed_out or completed.returncode != 0:
        why = "it took too long" if completed.timed_out else completed.errors.rpartition("\n")[2]
        raise ToolError(
            f"the regular expressions of MAINTAINERS cannot be matched: {why}",
            code="recipient-sources",
        )
    answers: list[list[int] | str] = json.loads(completed.stdout)
    return answers
