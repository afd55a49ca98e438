# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that a text must have, as clauses: it must have one word of every clause.

spatch prints them as nested conjunctions and alternatives.
"""

from __future__ import annotations

import re
from collections.abc import Collection

Formula = tuple[frozenset[str], ...]
ALWAYS: Formula = ()
NEVER: Formula = (frozenset(),)

# Alternatives of conjunctions multiply. The largest formula of a script of Linux 7.1 has 648.
_MAX_CLAUSES = 1024


def all_of(*parts: Formula) -> Formula:
    """Return the conjunction."""
    clauses = tuple(dict.fromkeys(clause for part in parts for clause in part))
    return clauses if all(clauses) else NEVER


def any_of(*parts: Formula) -> Formula:
    """Return the alternative; if it has too many clauses, one that requires less, never more."""
    clauses = NEVER
    for part in parts:
        if len(clauses) * len(part) > _MAX_CLAUSES:
            # One clause of both sides still has to hold.
            clauses = (clauses[0] | part[0],)
        else:
            clauses = tuple(dict.fromkeys(first | second for first in clauses for second in part))
    return clauses


def holds(formula: Formula, words: Collection[str]) -> bool:
    """Return whether a text with these words satisfies the formula."""
    return not any(clause.isdisjoint(words) for clause in formula)


def words_of(formula: Formula) -> frozenset[str]:
    """Return all words in the formula."""
    return frozenset().union(*formula)


_TOKEN = re.compile(r"[()&|]|[^()&|]+")


def parse_formula(text: str) -> Formula:
    """Parse a formula as spatch prints it: `(kmalloc&(memset|bzero))`, `true`.

    `true` and `false` may also be words of the C code. spatch removes the constants from
    conjunctions and alternatives, so inside of those they are words. Alone, they are read in the
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
        return (frozenset({first}),)
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
