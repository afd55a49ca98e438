# SPDX-License-Identifier: GPL-2.0-or-later
"""Find what the cover letter still says about patches that a person has dropped from the series.

A program cannot know whether a text is still true. It can find the names that only a dropped patch
adds to the code, and the words of the cover letter's subject that no remaining patch has.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from patchgen.model.finding import Finding, list_first
from patchgen.model.series import Cover
from patchgen.odb.difftext import Kind, classify_lines

# As text names code: with a call's parentheses, or with an underscore.
_CODE = re.compile(r"\b(?:[A-Za-z_]\w*(?=\(\))|[A-Za-z]\w*_\w+)")
_NAME = re.compile(r"[A-Za-z_]\w*")
# Shorter words are mostly prepositions and articles.
_SHORTEST_WORD = 5
_COMMON = frozenset({"through", "without", "within", "before", "after", "where", "instead"})


@dataclass(frozen=True, slots=True)
class MissingPatch:
    """A patch that was generated but is not in the series any more.

    `added` are the names that its diff has in added lines only.
    """

    subject: str
    added: frozenset[str] = frozenset()


def find_added_names(diff: str) -> frozenset[str]:
    """Return the names that a diff has in added lines only."""
    added: set[str] = set()
    others: set[str] = set()
    for kind, line in classify_lines(diff.split("\n")):
        if kind is Kind.HUNK:
            (added if line.startswith("+") else others).update(_NAME.findall(line[1:]))
    return frozenset(added - others)


def check_dropped(
    cover: Cover, dropped: Collection[MissingPatch], subjects: Sequence[str], remaining: str
) -> Iterator[Finding]:
    """Yield what a cover letter says about dropped patches, as notes.

    `subjects` are those of the series' patches, and `remaining` is their diff.
    """
    text = " ".join(f"{cover.subject} {cover.body}".split())
    names = set(_CODE.findall(text)) - set(_NAME.findall(remaining))
    present = _list_words(" ".join(subjects))
    for patch in dropped:
        reasons = []
        if words := _list_words(cover.subject) & _list_words(patch.subject) - present:
            reasons.append(f"only that patch has {list_first(sorted(words))} of its subject")
        if _name_text(patch.subject, subjects) in text:
            reasons.append("it names that patch")
        if found := names & patch.added:
            reasons.append(f"no other patch has {list_first(sorted(found))}, which it names")
        if reasons:
            yield Finding(
                "lint",
                f'read it again, since the series does not have "{patch.subject}" any more: '
                + "; ".join(reasons),
                where="cover letter",
                failure=False,
            )


def _name_text(subject: str, others: Sequence[str]) -> str:
    """Return a subject without its prefix; with it if only that distinguishes it from others."""
    summary = subject.partition(": ")[2]
    return subject if any(summary in other for other in others) else summary


def _list_words(text: str) -> set[str]:
    words = {word.lower() for word in re.findall(r"\w+", text)}
    return {word for word in words if len(word) >= _SHORTEST_WORD} - _COMMON
