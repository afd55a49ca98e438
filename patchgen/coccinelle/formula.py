"""What words a text must have: conjunctions and alternatives, as spatch states them."""

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

# A conjunction with more clauses than that is no use to a search of files.
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
    """Tell whether a text with these words satisfies the formula."""
    match formula:
        case Word(text):
            return text in words
        case AllOf(parts):
            return all(holds(part, words) for part in parts)
        case AnyOf(parts):
            return any(holds(part, words) for part in parts)


def words_of(formula: Formula) -> frozenset[str]:
    """Return all words that the formula speaks of."""
    if isinstance(formula, Word):
        return frozenset({formula.text})
    return frozenset().union(*(words_of(part) for part in formula.parts))


def clauses_of(formula: Formula) -> list[frozenset[str]]:
    """Return sets of words, of each of which a text must have one.

    Less may be asked for than the formula does, never more. Empty where nothing is asked for.
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
    """Return a formula as JSON has it: a word, or a sign and its parts."""
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
    sign, *parts = dumped
    return (AllOf if sign == "&" else AnyOf)(tuple(map(load_formula, parts)))


_TOKEN = re.compile(r"[()&|]|[^()&|]+")


def parse_formula(text: str) -> Formula:
    """Read a formula as spatch prints it: `(kmalloc&(memset|bzero))`, `true`.

    `true` and `false` may be the words of C just as well. spatch leaves the constants out of
    conjunctions and alternatives, so inside of those they are words. Alone, each is taken for
    what asks less of a text: `true` always holds, `false` is a word.

    Raises ValueError for what is no formula.
    """
    if text.strip() == "true":
        return ALWAYS
    tokens = _TOKEN.findall(text.strip())[::-1]
    try:
        formula = _parse(tokens)
    except RecursionError:
        raise ValueError("the formula is nested too deeply") from None
    if tokens:
        raise ValueError(f"{text!r} is no formula")
    return formula


def _parse(tokens: list[str]) -> Formula:
    """Read a formula from the end of a list of tokens, the last one first; take them away."""
    if not tokens or tokens[-1] in ")&|" or "!" in tokens[-1]:
        raise ValueError("a formula has a word or a parenthesis here")
    first = tokens.pop()
    if first != "(":
        return Word(first)
    parts = []
    signs = set()
    while True:
        parts.append(_parse(tokens))
        if not tokens:
            raise ValueError("a parenthesis is not closed")
        sign = tokens.pop()
        if sign == ")":
            break
        signs.add(sign)
    if signs - {"&"} and signs - {"|"}:
        raise ValueError("& and | stand side by side")
    return any_of(*parts) if "|" in signs else all_of(*parts)
