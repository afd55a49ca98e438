# SPDX-License-Identifier: GPL-2.0-or-later
"""Determine which rules of the recorded semantic patches made which changed lines of a diff.

A record has the text of the rules that ran, and how often each of them hit, but not the lines that
they changed. So lines are attributed to the rule that adds or removes their text: one or more `+`
lines in a row, or `-` lines. White space is ignored, and a metavariable stands for a part of a
statement. If the texts of several rules occur, it is the rule with the longest one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from patchgen.coccinelle import Rule, list_metavariables, read_rules
from patchgen.ctokens import tokenize
from patchgen.report.diff_lines import DiffBlock, DiffLine, LineKind

# A template's text is inserted at such a comment (patchgen.coccinelle.markers).
_MARKER = "/* patchgen: "
_END_OF_STATEMENT = re.compile("[;{}]")
# The longest value of a metavariable, in characters, so that the time is linear in the diff.
_LONGEST_VALUE = 400


@dataclass(frozen=True, slots=True)
class TextPattern:
    """Lines that a rule adds or removes together: their text, cut at each metavariable.

    It has no white space.
    """

    rule: str
    kind: LineKind
    texts: tuple[str, ...]

    @property
    def weight(self) -> int:
        """The number of characters that have to match."""
        return sum(map(len, self.texts))


@dataclass(frozen=True, slots=True)
class PatchRules:
    """The rules that may have made a patch.

    With `has_templates`, other lines that it adds come from templates. If it `is_edited`, any other
    line may be a person's.
    """

    names: tuple[str, ...]
    patterns: tuple[TextPattern, ...]
    has_templates: bool
    is_edited: bool


def read_patch_rules(
    texts: Iterable[str],
    hits: Mapping[str, int],
    *,
    has_templates: bool,
    is_edited: bool = False,
) -> PatchRules:
    """Return the rules that change code in semantic patches, as recorded.

    `hits` counts the hits of each rule; rules without a hit are left out, unless it is empty.
    """
    rules = [
        rule
        for text in texts
        for rule in read_rules(text)
        if rule.modifies and (not hits or hits.get(rule.label))
    ]
    return PatchRules(
        tuple(dict.fromkeys(rule.label for rule in rules)),
        tuple(pattern for rule in rules for pattern in _read_patterns(rule)),
        has_templates,
        is_edited,
    )


def _read_patterns(rule: Rule) -> Iterator[TextPattern]:
    metavariables = frozenset(list_metavariables(rule))
    for kind, lines in _group_lines(rule):
        texts = tuple(_split_texts("\n".join(lines), metavariables))
        if any(character.isalnum() for text in texts for character in text):
            yield TextPattern(rule.label, kind, texts)


def _group_lines(rule: Rule) -> Iterator[tuple[LineKind, list[str]]]:
    """Yield the lines of a rule that are added or removed together, without their first character.

    The text of a template takes the place of a marker, so a marker separates lines.
    """
    groups: dict[LineKind, list[str]] = {}
    for line, plain in zip(rule.body_lines, rule.pattern.split("\n")[1:], strict=False):
        change = line.lstrip("?!")
        is_change = plain.lstrip("?!").startswith(("+", "-"))
        if is_change and _MARKER not in line:
            groups.setdefault(LineKind(change[0]), []).append(change[1:])
        elif plain.strip():
            yield from groups.items()
            groups = {}
    yield from groups.items()


def _split_texts(code: str, metavariables: Collection[str]) -> Iterator[str]:
    """Yield the texts of SmPL between its metavariables, without white space and positions."""
    texts = [""]
    is_position = False
    for token in tokenize(_encode(code)):
        text = token.text.decode("utf-8", "surrogateescape")
        if text == "@" or is_position:
            is_position = not is_position
        elif text in ("...", "\\") or text in metavariables:
            texts.append("")
        else:
            texts[-1] += "".join(text.split())
    yield from filter(None, texts)


def _encode(line: str) -> bytes:
    return line.encode("utf-8", "surrogateescape")


def find_rules(block: DiffBlock, rules: PatchRules) -> list[str]:
    """Return the rule of each line of a block of changed lines, "" where none is found."""
    best: list[tuple[int, str]] = [(0, "")] * len(block.lines)
    for kind in (LineKind.ADDED, LineKind.REMOVED):
        numbers = [number for number, line in enumerate(block.lines) if line.kind is kind]
        squeezed = ["".join(block.lines[number].text.split()) for number in numbers]
        for pattern in (pattern for pattern in rules.patterns if pattern.kind is kind):
            for index in _find_lines(pattern, squeezed):
                number = numbers[index]
                best[number] = max(best[number], (pattern.weight, pattern.rule))
    return _complete([rule for _, rule in best], block.lines, rules)


def _complete(found: Sequence[str], lines: Sequence[DiffLine], rules: PatchRules) -> list[str]:
    """Return the rules of lines, where a line without one is a part of the same change.

    A rule's change may be laid out on other lines than those of the rule. An added line next to it
    may also come from a template.
    """
    others = {rule for rule in found if rule}
    if len(rules.names) == 1 and not rules.has_templates:
        others = set(rules.names)
    if len(others) != 1 or rules.is_edited:
        return list(found)
    [only] = others
    return [
        rule or ("" if rules.has_templates and line.kind is LineKind.ADDED else only)
        for rule, line in zip(found, lines, strict=True)
    ]


def _find_lines(pattern: TextPattern, lines: Sequence[str]) -> Iterator[int]:
    """Yield the numbers of the lines that have the texts of a pattern, wherever it matches.

    The lines are joined, since a statement may be on several of them.
    """
    text = "".join(lines)
    ends = list(accumulate(map(len, lines)))
    number = 0
    begin = text.find(pattern.texts[0])
    while begin >= 0:
        end = _match(pattern.texts, text, begin)
        if end is not None:
            while ends[number] <= begin:
                number += 1
            yield number
            while ends[number] < end:
                number += 1
                yield number
        begin = text.find(pattern.texts[0], end or begin + 1)


def _match(texts: Sequence[str], text: str, begin: int) -> int | None:
    """Return the end of a match that begins with the first text, None if the others do not follow.

    A metavariable stands for a part of one statement, of limited length.
    """
    end = begin
    for part in texts:
        stop = _END_OF_STATEMENT.search(text, end, end + _LONGEST_VALUE)
        last = stop.start() if stop else end + _LONGEST_VALUE
        found = text.find(part, end, last + len(part))
        if found < 0:
            return None
        end = found + len(part)
    return end
