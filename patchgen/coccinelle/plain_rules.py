# SPDX-License-Identifier: GPL-2.0-or-later
"""A semantic patch in the forms in which spatch is asked which words its rules need.

With plain metavariables, none of the words that spatch reports are from elsewhere.

spatch reports which words a rule needs, not which operators. An operator between two operands can
be written as a word, `a && b` as `a + patchgen_and + b`: that is an expression wherever the
original is, and what spatch reports about the word, including alternatives and isomorphisms, holds
for the operator. This is correct because none of Coccinelle's isomorphisms (standard.iso) turns
other code into one of these operators, or the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from patchgen.coccinelle.formula import Formula
from patchgen.coccinelle.lexing import make_plain
from patchgen.coccinelle.rules import read_rules

_SPELT = {
    "&&": "patchgen_and",
    "||": "patchgen_or",
    "<<": "patchgen_left",
    ">>": "patchgen_right",
    "/": "patchgen_division",
    "%": "patchgen_remainder",
}
OPERATORS = frozenset(_SPELT)
_OPERATOR_OF = {word: operator for operator, word in _SPELT.items()}
# After an operand on the same line; `...` is not one, and dots cannot be added: `a || ... || b`.
_BETWEEN = re.compile(r"(?<=[\w)\]])([ \t]*)(&&|\|\||<<|>>|[/%])(?![/*=&|<>])(?![ \t]*\.\.\.)")
# The user's own isomorphisms and macros may turn anything into operators.
_OWN_RULES = re.compile(r"\busing\b|--(?:iso|macro)-file")


def plain_types(text: str, virtuals: Mapping[str, bool]) -> str | None:
    """Return the semantic patch with inherited and typed metavariables made plain ones.

    A dependency remains only if it cannot hold: if a rule inherits a position from a rule that
    depends on one in another function, the words of the latter are not in this function. `virtuals`
    maps each virtual rule to whether it is defined. Line numbers do not change. None if a
    declaration cannot be parsed.
    """
    code = make_plain(text).uncommented
    pieces: list[str] = []
    at = 0
    for rule in read_rules(text):
        if rule.is_script:
            continue
        if not all(declaration.is_readable for declaration in rule.declarations):
            return None
        header_start = rule.begin + 1
        header_end = header_start + len(rule.header)
        header = code[header_start:header_end]
        if rule.dependency is not None and rule.may_run(virtuals):
            begin, end = rule.dependency.span()
            header = header[:begin] + re.sub(r"[^\n]", " ", header[begin:end]) + header[end:]
        declared = ";".join(declaration.plain() for declaration in rule.declarations)
        pieces += [text[at:header_start], header, "@", declared]
        at = header_end + 1 + len(rule.declared)
    return "".join([*pieces, text[at:]])


def spell_operators(text: str) -> str:
    """Return the semantic patch with operators written as words, on the same lines."""
    if _OWN_RULES.search(text):
        return text
    lines = text.split("\n")
    for rule in read_rules(text):
        for number in range(rule.body - 1, rule.end - 1) if not rule.is_script else ():
            if not re.match(r"\+|[-* ]?\s*#", lines[number]):
                lines[number] = _BETWEEN.sub(_spell, lines[number])
    return "\n".join(lines)


def _spell(match: re.Match[str]) -> str:
    return f"{match[1]} + {_SPELT[match[2]]} +"


def name_operators(formula: Formula) -> Formula:
    """Return spatch's formula for a spelt-out text, with the operators themselves."""
    return tuple(frozenset(_OPERATOR_OF.get(word, word) for word in clause) for clause in formula)
