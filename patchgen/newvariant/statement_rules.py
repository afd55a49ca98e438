# SPDX-License-Identifier: GPL-2.0-or-later
"""Infer rules for statements that a change replaces or deletes.

Changes that differ only in names make one rule, in which these names are metavariables. A change at
a single place makes a rule without metavariables. accepted_rules.py runs the rules to test them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from patchgen.ctokens import BRACKETS, is_word
from patchgen.newvariant.changed_tokens import ChangedFile, TokenChange, Tokens
from patchgen.newvariant.rule import InferredRule, choose_name

_STARTS = frozenset({b";", b"{", b"}"})
_MOST_TOKENS = 80
_MOST_RULES = 30
_MOST_SINGLE = 8
_BRACES = {b"{": 1, b"}": -1}
_KEYWORDS = frozenset(
    b"break case char const continue default do double else enum extern float for goto if int long "
    b"register return short signed sizeof static struct switch typedef union unsigned void "
    b"volatile while".split()
)
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class _StatementChange:
    """Statements before and after: their tokens, and their lines without indentation."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    old_lines: tuple[str, ...]
    new_lines: tuple[str, ...]

    @property
    def shape(self) -> tuple[object, ...]:
        """The tokens with None for each name: equal for changes that differ only in names."""
        shapes = (
            tuple(None if self._is_name(side, at) else text for at, text in enumerate(side))
            for side in (self.old, self.new)
        )
        return tuple(shapes)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the old and the new statements, in order."""
        return tuple(
            side[at]
            for side in (self.old, self.new)
            for at in range(len(side))
            if self._is_name(side, at)
        )

    @staticmethod
    def _is_name(side: Sequence[str], at: int) -> bool:
        if not _WORD.fullmatch(side[at]) or side[at].encode() in _KEYWORDS:
            return False
        is_member = at > 0 and side[at - 1] in ("->", ".")
        return not is_member and side[at + 1 : at + 2] != ("(",)


def infer_statement_rules(files: Iterable[ChangedFile]) -> list[InferredRule]:
    """Return the rules for the statements that differ in these files, most places first.

    If more than _MOST_SINGLE changes are at a single place, these make no rules: for each of them,
    the replaced lines are easier to read than a rule.
    """
    shapes: dict[tuple[object, ...], list[_StatementChange]] = {}
    for file in files:
        for change in _find_changes(file):
            if change.old != change.new:
                shapes.setdefault(change.shape, []).append(change)
    groups = [group for shape in shapes.values() for group in _split_by_names(shape)]
    singles = [group for group in groups if len(group) == 1]
    if len(singles) > _MOST_SINGLE:
        groups = [group for group in groups if len(group) > 1]
    groups.sort(key=len, reverse=True)
    used: set[str] = set()
    return [_make_rule(choose_name("statements", used), group) for group in groups[:_MOST_RULES]]


def _find_changes(file: ChangedFile) -> Iterator[_StatementChange]:
    depths = [0, *accumulate(_BRACES.get(text, 0) for text in file.old.texts)]
    for hunk in file.list_hunks():
        if hunk.old_start == hunk.old_end or depths[hunk.old_start] < 1:
            continue
        i1, i2, j1, j2 = _widen(file, hunk)
        sides = ((file.old, i1, i2), (file.new, j1, j2))
        if max(i2 - i1, j2 - j1) > _MOST_TOKENS or not all(
            _is_whole(*side) for side in sides if side[1] < side[2]
        ):
            continue
        old, new = (
            tuple(text.decode("utf-8", "replace") for text in tokens.texts[start:end])
            for tokens, start, end in sides
        )
        yield _StatementChange(old, new, *(_read_lines(*side) for side in sides))


def _widen(file: ChangedFile, hunk: TokenChange) -> TokenChange:
    """Return the tokens of the whole statements that a hunk is in.

    The tokens before and after a hunk are the same in both texts.
    """
    texts = file.old.texts
    above = below = 0
    while hunk.old_start > above and hunk.new_start > above and above <= _MOST_TOKENS:
        if texts[hunk.old_start - above - 1] in _STARTS:
            break
        above += 1
    while hunk.old_end + below < len(texts) and below <= _MOST_TOKENS:
        if texts[hunk.old_end + below - 1] in _STARTS:
            break
        below += 1
    return TokenChange(
        hunk.old_start - above, hunk.old_end + below, hunk.new_start - above, hunk.new_end + below
    )


def _is_whole(tokens: Tokens, start: int, end: int) -> bool:
    """Return whether tokens are whole statements that SmPL can state."""
    texts = tokens.texts[start:end]
    depth = 0
    for text in texts:
        depth += BRACKETS.get(text, 0)
        if depth < 0:
            return False
    has_comment = any(b"/" in gap or b"\\" in gap for gap in tokens.gaps[start + 1 : end])
    is_statement = texts[-1] in (b";", b"}") and any(map(is_word, texts))
    if tokens.spans_lines(start, end):
        return False
    return depth == 0 and is_statement and b"#" not in texts and not has_comment


def _read_lines(tokens: Tokens, start: int, end: int) -> tuple[str, ...]:
    """Return the lines of some tokens, without the indentation of the first one."""
    if start == end:
        return ()
    text = tokens.cut(start, end).decode("utf-8", "replace")
    first, *others = text.split("\n")
    gap = tokens.gaps[start].decode("utf-8", "replace")
    indent = gap.rpartition("\n")[2]
    return (first, *(line.removeprefix(indent) for line in others))


def _split_by_names(group: Sequence[_StatementChange]) -> Iterator[list[_StatementChange]]:
    """Yield changes of one shape whose equal names are at the same places."""
    patterns: dict[tuple[int, ...], list[_StatementChange]] = {}
    for change in group:
        numbers: dict[str, int] = {}
        pattern = tuple(numbers.setdefault(name, len(numbers)) for name in change.names)
        patterns.setdefault(pattern, []).append(change)
    yield from patterns.values()


def _make_rule(name: str, changes: Sequence[_StatementChange]) -> InferredRule:
    first = changes[0]
    columns = list(zip(*(change.names for change in changes), strict=True))
    varying = dict.fromkeys(column[0] for column in columns if len(set(column)) > 1)
    words = {*first.old, *first.new}
    variables = {old: choose_name(f"e{k}", words) for k, old in enumerate(varying, 1)}
    place = choose_name("p", words)

    def rename(line: str) -> str:
        return _WORD.sub(lambda word: variables.get(word[0], word[0]), line)

    old_lines = [rename(line) for line in first.old_lines]
    marked = _mark(old_lines, place)
    lines = [f"@{name}@"]
    lines += [f"expression {', '.join(variables.values())};"] if variables else []
    lines += [f"position {place};", "@@"]
    lines += [f"-{line}" for line in marked]
    lines += [f"+{rename(line)}" for line in first.new_lines]
    verb = "Replace" if first.new else "Delete"
    needed = tuple(text for text in first.old if _WORD.fullmatch(text) and text not in varying)
    purpose = f"{verb} statements that begin with `{first.old_lines[0]}`."
    return InferredRule(name, "\n".join(lines) + "\n", purpose, needed)


def _mark(lines: Sequence[str], place: str) -> list[str]:
    """Return the lines with the position at their first name that is not a struct's tag."""
    for number, line in enumerate(lines):
        for word in _WORD.finditer(line):
            is_tag = re.search(r"\b(struct|union|enum)\s+$", line[: word.start()])
            if word[0].encode() not in _KEYWORDS and not is_tag:
                marked = f"{line[: word.end()]}@{place}{line[word.end() :]}"
                return [*lines[:number], marked, *lines[number + 1 :]]
    return list(lines)
