# SPDX-License-Identifier: GPL-2.0-or-later
"""Determine which rules of the recorded semantic patches made which changed lines of a diff.

A record has the text of the rules that ran, and how often each of them hit, but not the lines that
they changed. So lines are attributed to the rule that removes and adds their text: consecutive `-`
and `+` lines. The texts are compared by token, without parentheses, which isomorphisms drop, and a
metavariable matches a part of a statement. If several rules match, those whose removed and added
text both match come first, then those with the longest text; all rules of equal rank are named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from patchgen.coccinelle import Rule, list_metavariables, read_rules
from patchgen.ctokens import tokenize
from patchgen.report.diff_lines import DiffBlock, DiffLine, LineKind

# The text of a template replaces a comment that begins so (patchgen.coccinelle.markers).
_MARKER = "/* patchgen: "
# It ends each token.
_END = "\0"
_END_OF_STATEMENT = re.compile("[;{}]")
# The longest value of a metavariable, in characters, so that the time is linear in the diff.
_LONGEST_VALUE = 400


@dataclass(frozen=True, slots=True)
class ChangePattern:
    """Lines that a rule removes and adds together: the texts of each side, cut at metavariables."""

    rule: str
    sides: Mapping[LineKind, tuple[str, ...]]

    def measure(self, kind: LineKind) -> int:
        """Return the number of characters that have to match on a side."""
        return sum(map(len, self.sides[kind]))


@dataclass(frozen=True, slots=True)
class PatchRules:
    """The rules that may have made a patch.

    With `has_templates`, a template may have added a line that does not match a rule. If
    `is_edited` is set, a person may have written it.
    """

    names: tuple[str, ...]
    patterns: tuple[ChangePattern, ...]
    has_templates: bool
    is_edited: bool

    @property
    def only_rule(self) -> str:
        """The rule that made all changes, "" if another rule, a template or a person may have."""
        is_alone = len(self.names) == 1 and not self.has_templates and not self.is_edited
        return self.names[0] if is_alone else ""


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


def _read_patterns(rule: Rule) -> Iterator[ChangePattern]:
    metavariables = frozenset(list_metavariables(rule))
    for group in _group_lines(rule):
        sides = {
            kind: tuple(_split_texts("\n".join(lines), metavariables))
            for kind, lines in group.items()
        }
        texts = [text for side in sides.values() for text in side]
        if _has_word(texts):
            usable = {kind: side for kind, side in sides.items() if any(side)}
            yield ChangePattern(rule.label, usable)


def _has_word(texts: Iterable[str]) -> bool:
    return any(character.isalnum() for text in texts for character in text)


def _group_lines(rule: Rule) -> Iterator[dict[LineKind, list[str]]]:
    """Yield the lines of a rule that are changed together, without their first character.

    The text of a template takes the place of a marker, so a marker separates lines.
    """
    group: dict[LineKind, list[str]] = {}
    for line, plain in zip(rule.body_lines, rule.pattern.split("\n")[1:], strict=False):
        change = line.lstrip("?!")
        is_change = plain.lstrip("?!").startswith(("+", "-"))
        if is_change and _MARKER not in line:
            group.setdefault(LineKind(change[0]), []).append(change[1:])
        elif plain.strip():
            yield group
            group = {}
    yield group


def _split_texts(code: str, metavariables: Collection[str]) -> Iterator[str]:
    """Yield the tokens of SmPL between its metavariables, as `_join` joins them.

    The last text is "" if a metavariable is at the end. Positions are left out.
    """
    texts: list[list[str]] = [[]]
    is_position = False
    for token in _tokenize(code):
        if token == "@" or is_position:
            is_position = not is_position
        elif token in ("...", "\\") or token in metavariables:
            texts.append([])
        else:
            texts[-1].append(token)
    yield from (_END + _join(tokens) for tokens in texts if tokens)
    if not texts[-1]:
        yield ""


def _join(tokens: Iterable[str]) -> str:
    return "".join(token + _END for token in tokens)


def _tokenize(code: str) -> list[str]:
    """Return the tokens of code without parentheses."""
    tokens = (token.text.decode("utf-8", "surrogateescape") for token in tokenize(_encode(code)))
    return [token for token in tokens if token not in ("(", ")")]


def _encode(line: str) -> bytes:
    return line.encode("utf-8", "surrogateescape")


def find_rules(block: DiffBlock, rules: PatchRules) -> list[str]:
    """Return the rule of each line of a block of changed lines, "" for lines that match no rule.

    Several rules that may have made a line are joined by "or".
    """
    numbers = {
        kind: [number for number, line in enumerate(block.lines) if line.kind is kind]
        for kind in (LineKind.REMOVED, LineKind.ADDED)
    }
    code = {
        kind: [_join(_tokenize(block.lines[number].text)) for number in listed]
        for kind, listed in numbers.items()
    }
    # The rank of the best rules of each line, and their names.
    best: list[tuple[tuple[bool, int], dict[str, None]]] = [((False, 0), {})] * len(block.lines)
    for pattern in rules.patterns:
        found = {
            kind: list(_find_lines(texts, code[kind])) for kind, texts in pattern.sides.items()
        }
        is_whole = all(found.values())
        for kind, indexes in found.items():
            rank = (is_whole, pattern.measure(kind))
            for number in (numbers[kind][index] for index in indexes):
                others = best[number][1] if best[number][0] == rank else {}
                if rank >= best[number][0]:
                    best[number] = (rank, {**others, pattern.rule: None})
    return _complete([" or ".join(names) for _, names in best], block.lines, rules)


def _complete(found: Sequence[str], lines: Sequence[DiffLine], rules: PatchRules) -> list[str]:
    """Return the rules of lines, with the only rule of a block for its other lines, too.

    spatch may break the lines of a change differently than the rule. Added lines next to it may
    also come from a template.
    """
    names = {rules.only_rule} if rules.only_rule else {rule for rule in found if rule}
    if len(names) != 1 or rules.is_edited:
        return list(found)
    [only] = names
    return [
        rule or ("" if rules.has_templates and line.kind is LineKind.ADDED else only)
        for rule, line in zip(found, lines, strict=True)
    ]


def _find_lines(texts: Sequence[str], lines: Sequence[str]) -> Iterator[int]:
    """Yield the numbers of the lines that have texts in this order, for each occurrence.

    The lines are joined, since a statement may be on several of them.
    """
    code = _END + "".join(lines)
    ends = list(accumulate(map(len, lines), initial=1))[1:]
    number = 0
    begin = code.find(texts[0])
    while begin >= 0:
        end = _match(texts, code, begin)
        if end is not None:
            while ends[number] <= begin + 1:
                number += 1
            yield number
            while ends[number] < end:
                number += 1
                yield number
        # The end of a token may be the beginning of the next text.
        begin = code.find(texts[0], begin + 1 if end is None else end - 1)


def _match(texts: Sequence[str], code: str, begin: int) -> int | None:
    """Return the end of a match that begins with the first text, None if the others do not follow.

    A metavariable matches a part of one statement, of limited length.
    """
    end = begin + 1
    for text in texts:
        stop = _END_OF_STATEMENT.search(code, end, end + _LONGEST_VALUE)
        if not text:
            return stop.end() if stop else end
        last = stop.start() if stop else end + _LONGEST_VALUE
        found = code.find(text, end - 1, last + len(text))
        if found < 0:
            return None
        end = found + len(text)
    return end
