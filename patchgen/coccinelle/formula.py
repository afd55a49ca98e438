# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that a text must have: conjunctions and alternatives, as spatch states them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Word:
    """The text has this word."""

    text: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """All parts hold. Without parts it always holds."""

    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the parts holds. Without parts it never holds."""

    parts: tuple[Formula, ...] = ()


Formula = Word | AllOf | AnyOf
ALWAYS = AllOf()
NEVER = AnyOf()

# A search of files gains nothing from a conjunction with more clauses.
_MOST_CLAUSES = 64


def all_of(*parts: Formula) -> Formula:
    """Return the conjunction, without parts that always hold."""
    left = tuple(part for part in parts if part != ALWAYS)
    if NEVER in left:
        return NEVER
    return left[0] if len(left) == 1 else AllOf(left)


def any_of(*parts: Formula) -> Formula:
    """Return the alternative, without parts that never hold."""
    left = tuple(part for part in parts if part != NEVER)
    if ALWAYS in left:
        return ALWAYS
    return left[0] if len(left) == 1 else AnyOf(left)


def holds(formula: Formula, words: Collection[str]) -> bool:
    """Return whether a text with these words satisfies the formula."""
    match formula:
        case Word(text):
            return text in words
        case AllOf(parts):
            return all(holds(part, words) for part in parts)
        case AnyOf(parts):
            return any(holds(part, words) for part in parts)


def words_of(formula: Formula) -> frozenset[str]:
    """Return all words in the formula."""
    if isinstance(formula, Word):
        return frozenset({formula.text})
    return frozenset().union(*(words_of(part) for part in formula.parts))


def clauses_of(formula: Formula) -> list[frozenset[str]]:
    """Return sets of words; a text must have a word of each.

    The clauses may require less than the formula, never more. Empty if nothing is required.
    """
    match formula:
        case Word(text):
            return [frozenset({text})]
        case AllOf(parts):
            return list(dict.fromkeys(clause for part in parts for clause in clauses_of(part)))
        case AnyOf(parts):
            return _distribute([clauses_of(part) for part in parts])


def _distribute(alternatives: list[list[frozenset[str]]]) -> list[frozenset[str]]:
    if not alternatives or not all(alternatives):
        return []
    clauses = alternatives[0]
    for other in alternatives[1:]:
        if len(clauses) * len(other) > _MOST_CLAUSES:
            # One clause of each side still has to hold.
            clauses = [clauses[0] | other[0]]
        else:
            clauses = list(dict.fromkeys(mine | its for mine in clauses for its in other))
    return clauses


def dump_formula(formula: Formula) -> Any:
    """Return a formula as a JSON value: a word, or a list of an operator and its parts."""
    match formula:
        case Word(text):
            return text
        case AllOf(parts):
            return ["&", *map(dump_formula, parts)]
        case AnyOf(parts):
            return ["|", *map(dump_formula, parts)]


def load_formula(dumped: Any) -> Formula:
    """Read what dump_formula returned."""
    if isinstance(dumped, str):
        return Word(dumped)
    operator, *parts = dumped
    return (AllOf if operator == "&" else AnyOf)(tuple(map(load_formula, parts)))


_TOKEN = re.compile(r"[()&|]|[^()&|]+")


def parse_formula(text: str) -> Formula:
    """Parse a formula as spatch prints it: `(kmalloc&(memset|bzero))`, `true`.

    `true` and `false` may also be words of the C code. spatch removes the constants from
    conjunctions and alternatives, so inside of those they are words. Alone, each is read in the
    way that requires less of a text: `true` always holds, `false` is a word.

    Raises ValueError for other text.
    """
    if text.strip() == "true":
        return ALWAYS
    tokens = _TOKEN.findall(text.strip())[::-1]
    try:
        formula = _parse(tokens)
    except RecursionError:
        raise ValueError("the formula is nested too deeply") from None
    if tokens:
        raise ValueError(f"{text!r} is not a formula")
    return formula


def _parse(tokens: list[str]) -> Formula:
    """Parse a formula from reversed tokens, consuming them from the end."""
    if not tokens or tokens[-1] in ")&|" or "!" in tokens[-1]:
        raise ValueError("expected a word or a parenthesis")
    first = tokens.pop()
    if first != "(":
        return Word(first)
    parts = []
    operators = set()
    while True:
        parts.append(_parse(tokens))
        if not tokens:
            raise ValueError("a parenthesis is not closed")
        operator = tokens.pop()
        if operator == ")":
            break
        operators.add(operator)
    if operators - {"&"} and operators - {"|"}:
        raise ValueError("& and | are mixed without parentheses")
    return any_of(*parts) if "|" in operators else all_of(*parts)
