# SPDX-License-Identifier: GPL-2.0-or-later
"""Rewrite a semantic patch so that spatch reports which words its rules need.

With plain metavariables, all words that spatch reports come from the same function.

spatch reports which words a rule needs, but does not report operators, strings, and words that a
constraint names. Each of these is written as another word if spatch's report about that word,
including alternatives and isomorphisms, holds for the original:

- An operator between two operands, `a && b` as `a + patchgen_and + b`: this is an expression
  wherever the original is one. None of Coccinelle's isomorphisms (standard.iso) turns other code
  into one of these operators, or the other way round.
- A string, `f("abc")` as `f(patchgen_string_0)`: this is an expression, too.
- A metavariable with a choice of words (patchgen.coccinelle.choices), in its rule and in those that
  inherit it. A script that reads it reads the position of the other word instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from patchgen.coccinelle.choices import Choices, find_choices, split_parts
from patchgen.coccinelle.formula import Formula
from patchgen.coccinelle.lexing import make_plain
from patchgen.coccinelle.metavariables import Declaration
from patchgen.coccinelle.rules import Rule, read_rules

_SPELT = {
    "&&": "patchgen_and",
    "||": "patchgen_or",
    "<<": "patchgen_left",
    ">>": "patchgen_right",
    "/": "patchgen_division",
    "%": "patchgen_remainder",
}
OPERATORS = frozenset(_SPELT)
# What each of these words stands for.
OPERATOR_WORDS = {word: frozenset({operator}) for operator, word in _SPELT.items()}
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


def name_words(formula: Formula, meanings: Mapping[str, Choices]) -> Formula:
    """Return spatch's formula for a spelt-out text, with what its words stand for."""
    return tuple(
        frozenset().union(*(meanings.get(word, {word}) for word in clause)) for clause in formula
    )


# --- strings and choices ---


@dataclass(frozen=True, slots=True)
class SpeltText:
    """A text in which words stand for something else, and what for: one of these words."""

    text: str
    meanings: Mapping[str, Choices] = field(default_factory=dict)


def find_rule_choices(text: str) -> tuple[Mapping[str, Choices], ...]:
    """Return for each rule which of its metavariables have a choice of words, own or inherited."""
    all_choices: dict[tuple[str, str], Choices] = {}
    by_rule = []
    for rule in read_rules(text):
        own: dict[str, Choices] = {}
        for declaration in rule.declarations:
            for owner, name in declaration.inherited:
                if (owner, name) in all_choices:
                    own[name] = all_choices[owner, name]
            own |= find_choices(declaration)
        all_choices |= {(rule.name or "", name): choices for name, choices in own.items()}
        by_rule.append(own)
    return tuple(by_rule)


def spell_choices(text: str, choices: Sequence[Mapping[str, Choices]]) -> SpeltText:
    """Return the semantic patch with words for its strings and for metavariables with a choice.

    Lines stay the same. `choices` are those of each rule.
    """
    if _OWN_RULES.search(text):
        return SpeltText(text)
    speller = _Speller()
    rules = read_rules(text)
    read = {pair for rule in rules if rule.is_script for pair in _find_reads(rule)}
    pieces: list[str] = []
    at = 0
    for rule, own in zip(rules, choices, strict=True):
        opened = rule.begin + 1 + len(rule.header) + 1
        closed = opened + len(rule.declared)
        end = closed + 2 + len(rule.pattern)
        declared, body = speller.spell(rule, own, text[closed + 2 : end], read)
        pieces += [text[at:opened], declared, "@@", body]
        at = end
    return SpeltText("".join([*pieces, text[at:]]), speller.meanings)


def _find_reads(rule: Rule) -> list[tuple[str, str]]:
    return [(found[1], found[2]) for found in _READS.finditer(rule.declared)]


_READS = re.compile(r"<<\s*(\w+)\s*\.\s*(\w+)")
# A string that matches itself in C: without escapes, `...` and format specifiers.
_PLAIN_STRING = re.compile(r'(?<![\w"\\])"(?![^"]*\.\.\.)[\w .,:;!?/=()+-]{2,}"(?!")')


@dataclass(slots=True)
class _Speller:
    """Replaces metavariables and strings by words, each of which gets a number."""

    meanings: dict[str, Choices] = field(default_factory=dict)
    # The positions that stand for metavariables in scripts, by rule and name.
    positions: dict[tuple[str, str], str] = field(default_factory=dict)

    def spell(
        self, rule: Rule, choices: Mapping[str, Choices], body: str, read: set[tuple[str, str]]
    ) -> tuple[str, str]:
        """Return the declarations on as many lines as before, and the body."""
        if rule.is_script:
            return _READS.sub(self._read_position, rule.declared), body
        words = {name: self._name(found) for name, found in choices.items()}
        declared = [text for found in rule.declarations for text in _declare(found, words)]
        for name in words:
            if rule.name and (rule.name, name) in read:
                position = f"patchgen_at_{len(self.positions)}"
                self.positions[rule.name, name] = position
                declared.append(f"position {position}")
        lines = [f"{text};".replace("\n", " ") for text in declared if text.strip()]
        body = self._spell_body(rule, body, words)
        return " ".join(lines) + "\n" * rule.declared.count("\n"), body

    def _spell_body(self, rule: Rule, body: str, words: Mapping[str, str]) -> str:
        """Replace metavariables in code, and strings in what is matched."""
        marks = {name: mark for (owner, name), mark in self.positions.items() if owner == rule.name}
        names = re.compile(rf"(?<![\w.])(?:{'|'.join(words)})\b" if words else r"(?!)")
        lines = []
        for line, code in zip(body.split("\n"), rule.pattern.split("\n"), strict=True):
            is_added = line.startswith("+")
            pieces, at = [], 0
            for found in names.finditer(code):
                # A script reads where the metavariable is, which is in every match.
                mark = None if is_added else marks.pop(found[0], None)
                pieces += [line[at : found.start()], words[found[0]], f"@{mark}" if mark else ""]
                at = found.end()
            spelt = "".join([*pieces, line[at:]])
            if not is_added and not re.match(r"[-* ]?\s*#", line):
                spelt = _PLAIN_STRING.sub(lambda text: self._name(frozenset({text[0]})), spelt)
            lines.append(spelt)
        return "\n".join(lines)

    def _name(self, choices: Choices) -> str:
        word = f"patchgen_word_{len(self.meanings)}"
        self.meanings[word] = choices
        return word

    def _read_position(self, found: re.Match[str]) -> str:
        position = self.positions.get((found[1], found[2]))
        return f"<< {found[1]}.{position}" if position else found[0]


def _declare(declaration: Declaration, words: Mapping[str, str]) -> Iterator[str]:
    """Yield declarations in place of one: of the words, and of its other metavariables.

    A word that is declared as a symbol could not be the name of a function that is defined.
    """
    parts = split_parts(declaration.text)
    names = declaration.names
    if words.keys().isdisjoint(names) or len(parts) != len(names):
        yield declaration.text
        return
    others = []
    for name, part in zip(names, parts, strict=True):
        if name in words:
            if declaration.kind in ("declarer", "iterator"):
                yield f"{declaration.kind} name {words[name]}"
        else:
            others.append(part.strip().removeprefix(f"{declaration.kind} "))
    if others:
        yield f"{declaration.kind} {', '.join(others)}"
