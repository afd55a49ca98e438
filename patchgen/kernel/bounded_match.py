# SPDX-License-Identifier: GPL-2.0-or-later
"""Match regular expressions of a tree, some of which may run forever, within limits.

`^(([a-z0-9/_.]+)+)+!$` takes longer than anybody waits, in Python as in Perl. They are matched in a
process of its own with limits (regex_worker.py). An engine with linear time would lack features of
Perl (look-around, back references), and would be one more dependency.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import ToolError
from patchgen.kernel.perl_regex import Translated
from patchgen.process import run

# CPU seconds for one regular expression with all its subjects, and for all of them. The 146 of
# Linux 6.12 take 0.3 s for 10,000 files.
_EACH_S = 2.0
_ALL_S = 20.0
# Seconds of wall-clock time, for a machine that has stalled.
_PATIENCE_S = 600.0
_BYTES = 4 << 30
_WORKER = Path(__file__).with_name("regex_worker.py")


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
    wholes = {name: ["".join(texts) for texts in each] for name, each in subjects.items()}
    lower: dict[str, list[str]] = {}
    asked: list[tuple[MatchJob, list[int]]] = []
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
            asked.append((job, numbers))
    if not asked:
        return results
    for place, answer in zip(places, _ask(asked, subjects), strict=True):
        results[place] = answer if isinstance(answer, str) else frozenset(answer)
    return results


def _ask(
    jobs: Sequence[tuple[MatchJob, list[int]]], subjects: Mapping[str, Sequence[Sequence[str]]]
) -> list[list[int] | str]:
    needed: dict[str, dict[int, Sequence[str]]] = {}
    for name, numbers in ((job.subjects, numbers) for job, numbers in jobs):
        needed.setdefault(name, {}).update((number, subjects[name][number]) for number in numbers)
    limits = {"seconds": _EACH_S, "total": _ALL_S, "bytes": _BYTES}
    questions = [
        {"regex": job.regex.source, "subjects": job.subjects, "numbers": numbers}
        for job, numbers in jobs
    ]
    request = {**limits, "subjects": needed, "jobs": questions}
    # Isolated and without site-packages, it starts in 20 ms.
    argv = [sys.executable, "-I", "-S", str(_WORKER)]
    done = run(argv, stdin=json.dumps(request).encode(), timeout_s=_PATIENCE_S, ok=None)
    if done.timed_out or done.returncode != 0:
        why = "it took too long" if done.timed_out else done.errors.rpartition("\n")[2]
        raise ToolError(f"the regular expressions of MAINTAINERS cannot be matched: {why}")
    answers: list[list[int] | str] = json.loads(done.stdout)
    return answers
