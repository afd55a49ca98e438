"""Operators that a match must have, asked of spatch as if they were words.

spatch says which words a rule needs, not which operators. An operator between two operands can be
written as a word, `a && b` as `a + patchgen_and + b`: this is an expression in each place where the
other one is, and what spatch says of the word, alternatives and isomorphisms included, holds for
the operator. That is so as no isomorphism of Coccinelle's (standard.iso) makes one of these
operators from something else, or the other way round.
"""

from __future__ import annotations

import re

from patchgen.coccinelle.formula import AllOf, AnyOf, Formula, Word
from patchgen.coccinelle.structure import read_rules

_SPELT = {
    "&&": "patchgen_and",
    "||": "patchgen_or",
    "<<": "patchgen_left",
    ">>": "patchgen_right",
    "/": "patchgen_division",
    "%": "patchgen_remainder",
}
OPERATORS = frozenset(_SPELT)
_SIGNS = {word: sign for sign, word in _SPELT.items()}
# Behind an operand on the same line; `...` is none, nor is there a sum of dots: `a || ... || b`.
_BETWEEN = re.compile(r"(?<=[\w)\]])([ \t]*)(&&|\|\||<<|>>|[/%])(?![/*=&|<>])(?![ \t]*\.\.\.)")
# Isomorphisms and macros of the user's own may make operators of anything.
_OWN_RULES = re.compile(r"\busing\b|--(?:iso|macro)-file")


def spell_operators(text: str) -> str:
    """Return the semantic patch with operators written as words, on the same lines."""
    if _OWN_RULES.search(text):
        return text
    lines = text.split("\n")
    for rule in read_rules(text):
        if rule.is_script:
            continue
        for number in range(rule.body - 1, rule.end - 1):
            if not re.match(r"\+|[-* ]?\s*#", lines[number]):
                lines[number] = _BETWEEN.sub(_spell, lines[number])
    return "\n".join(lines)


def _spell(found: re.Match[str]) -> str:
    return f"{found[1]} + {_SPELT[found[2]]} +"


def name_operators(formula: Formula) -> Formula:
    """Return the formula that spatch states for such a text, with the operators themselves."""
    match formula:
        case Word(text):
            return Word(_SIGNS.get(text, text))
        case AllOf(parts):
            return AllOf(tuple(map(name_operators, parts)))
        case AnyOf(parts):
            return AnyOf(tuple(map(name_operators, parts)))
