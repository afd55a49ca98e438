# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that constraints give a metavariable to choose from.

`identifier f = {a, b}` and `identifier f =~ "^(a|b)$"` match a word of the C code that is `a` or
`b`, but spatch reports no word for it (parsing_cocci/get_constants2.ml). So another word replaces
the metavariable in the text that spatch gets (patchgen.coccinelle.plain_rules), and spatch's report
about that word holds for the choice.

A regular expression also gives patterns, in which `*` (ANY) at an end stands for any characters of
a word: `wait_*` for `"^wait_"`. In the syntax of OCaml's Str (--ocaml-regexps), parentheses and
bars are ordinary characters. An expression that has them matches no identifier there, so whatever
is required for it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from patchgen.coccinelle.metavariables import Declaration

# Each of these matches a single word.
WORD_KINDS = frozenset({"identifier", "function", "declarer", "iterator", "field"})
_MOST_CHOICES = 256
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|=~|!~|!=|&&|\|\||\S', re.DOTALL)
_CONSTRAIN = frozenset({"=", "=~", "!=", "!~", ":"})
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
ANY = "*"

Choices = frozenset[str]


def find_choices(declaration: Declaration) -> Mapping[str, Choices]:
    """Return the metavariables of a declaration that have a choice of words, and the words."""
    if declaration.kind not in WORD_KINDS:
        return {}
    found = {}
    for part in split_parts(declaration.text):
        tokens = _TOKEN.findall(part)
        if "list" in tokens:
            continue
        begin = next((at for at, token in enumerate(tokens) if token in _CONSTRAIN), 0)
        if begin and _IDENTIFIER.fullmatch(tokens[begin - 1]):
            choices = _read_constraint(tokens[begin:])
            if choices:
                found[tokens[begin - 1]] = choices
    return found


def split_parts(text: str) -> list[str]:
    """Split a declaration at the commas between its metavariables."""
    parts = [""]
    depth = end = 0
    for token in _TOKEN.finditer(text):
        depth += (token[0] in ("(", "{", "[")) - (token[0] in (")", "}", "]"))
        if token[0] == "," and depth == 0:
            parts[-1] += text[end : token.start()]
            parts.append("")
        else:
            parts[-1] += text[end : token.end()]
        end = token.end()
    parts[-1] += text[end:]
    return parts


def _read_constraint(tokens: list[str]) -> Choices | None:
    """Return the choice that a constraint gives; None if it gives none, or cannot be read."""
    alternatives: list[Choices] = []
    for alternative in _split(tokens, "||"):
        terms = map(_read_term, _split(alternative, "&&"))
        readable = [choices for choices in terms if choices is not None]
        if not readable:
            return None
        alternatives.append(min(readable, key=len))
    return frozenset().union(*alternatives)


def _split(tokens: Iterable[str], separator: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _read_term(tokens: list[str]) -> Choices | None:
    match tokens:
        case ["=~", expression] if expression.startswith('"'):
            return expand(expression[1:-1])
        case ["=", name] if _IDENTIFIER.fullmatch(name):
            return frozenset({name})
        case ["=", "{", *names, "}"]:
            words = [name for name in names if name != ","]
            if all(_IDENTIFIER.fullmatch(word) for word in words):
                return frozenset(words)
    return None


# --- regular expressions ---


def expand(expression: str) -> Choices | None:
    """Return words and patterns, one of which fits each word that the expression matches.

    None if they are too many, or if the expression has anything but letters, digits, `_`, groups,
    alternatives, anchors, sets of characters and the usual repetitions.
    """
    try:
        strings, end = _read_alternatives(expression, 0)
    except ValueError:
        return None
    found = frozenset(map(_make_pattern, strings))
    return None if ANY in found or end != len(expression) else found


def _make_pattern(string: str) -> str:
    """Return the word for a string with `^`, `$` and `*`, or a pattern with its longest part."""
    string = string if string.startswith("^") else ANY + string
    string = string if string.endswith("$") else string + ANY
    parts = re.sub(r"[$^]", "", string).split(ANY)
    number = max(range(len(parts)), key=lambda at: len(parts[at]))
    if not parts[number]:
        return ANY
    return (ANY if number else "") + parts[number] + (ANY if number < len(parts) - 1 else "")


def _read_alternatives(text: str, at: int) -> tuple[set[str], int]:
    """Return the strings of a group's alternatives, and the offset after the last of them.

    Raises ValueError if they cannot be listed.
    """
    found: set[str] = set()
    strings = {""}
    while at < len(text) and text[at] != ")":
        if text[at] == "|":
            found |= strings
            strings = {""}
            at += 1
            continue
        pieces, at = _read_piece(text, at)
        strings = {before + piece for before in strings for piece in pieces}
        if len(strings) + len(found) > _MOST_CHOICES:
            raise ValueError("too many choices")
    return found | strings, at


def _read_piece(text: str, at: int) -> tuple[set[str], int]:
    """Return the strings of one character, set or group with its repetition."""
    pieces, at = _read_atom(text, at)
    match text[at : at + 1]:
        case "?":
            return pieces | {""}, at + 1
        case "*":
            return {ANY}, at + 1
        case "+":
            return {piece + ANY for piece in pieces}, at + 1
        case "{":
            raise ValueError("a count is not understood")
    return pieces, at


def _read_atom(text: str, at: int) -> tuple[set[str], int]:
    character = text[at]
    if character == "(":
        begin = at + (3 if text.startswith("(?:", at) else 1)
        pieces, end = _read_alternatives(text, begin)
        if text[end : end + 1] != ")":
            raise ValueError("a group is not closed")
        return pieces, end + 1
    if character == "[":
        listed = re.compile(r"\[(\w+)\]", re.ASCII).match(text, at)
        if listed is None:
            # A range, or characters that must not be there.
            other = re.compile(r"\[\^?[\w-]+\]", re.ASCII).match(text, at)
            if other is None:
                raise ValueError("a set is not understood")
            return {ANY}, other.end()
        return set(listed[1]), listed.end()
    if character == ".":
        return {ANY}, at + 1
    if character in "^$" or re.fullmatch(r"\w", character, re.ASCII):
        return {character}, at + 1
    raise ValueError(f"{character!r} is not understood")
