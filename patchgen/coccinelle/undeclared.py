# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the words of C that a semantic patch has to declare, from spatch's parse error.

spatch reads no headers of the kernel, so it takes an undeclared word for a variable or a function:
`(u16)e` is a parse error without `typedef u16;`. So is `list_for_each(p, h) S` without
`iterator name list_for_each;`. The error is placed at the word, or at a token after it. Other
mistakes give the same error, and another meaning of a word may hide them: a call without its
semicolon can be read as a loop. So a word is named only if it is spelt like one of its kind, and
if spatch accepts the code once the word is declared.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from patchgen.coccinelle.lexing import make_plain
from patchgen.coccinelle.rules import Rule, read_rules
from patchgen.coccinelle.witness import PreparedText
from patchgen.model.smpl import SemanticPatch
from patchgen.process import Completed

Ask = Callable[[str], Completed]
"""Lets spatch read a text derived from the semantic patch."""

_PARSE_ERROR = re.compile(
    r"^(?P<part>minus|plus): parse error: *\n"
    r'  File "[^"]*\.cocci", line (?P<line>\d+), column (?P<column>\d+), charpos = \d+\n'
    r"\s*around = '(?P<around>[^\n]*)',",
    re.MULTILINE,
)
_OTHER_PARSE_ERROR = re.compile(r"^[a-z ]+: parse error", re.MULTILINE)
# What a declaration begins with, and what it declares.
_MEANINGS = {
    "typedef": "type",
    "iterator name": "loop macro",
    "declarer name": "declaring macro",
    "attribute name": "attribute",
}
_WORD = re.compile(r"[A-Za-z_]\w*")
_KEYWORDS = frozenset(
    {"asm", "break", "case", "char", "const", "continue", "default", "do", "double", "else"}
    | {"enum", "exists", "extern", "float", "for", "forall", "goto", "if", "inline", "int", "long"}
    | {"register", "return", "short", "signed", "sizeof", "static", "strict", "struct", "switch"}
    | {"typedef", "typeof", "union", "unsigned", "void", "volatile", "when", "while"}
)
_LOOP = re.compile(r"\w*for_?each\w*|for_\w+", re.IGNORECASE)
_DECLARES = re.compile(r"[A-Z][A-Z0-9_]*|module_\w+")
_TYPE = re.compile(r"\w+_t|u_?(?:char|short|int|long)|(?:__)?(?:[us]|[lb]e)\d+")
# spatch may place the error at a token after the word: after the arguments of a macro, for example.
_LINES_READ = 2
# Each query takes spatch's start, some 30 ms.
_MAX_QUERIES = 12
_MAX_WORDS = 3


@dataclass(frozen=True, slots=True)
class _Word:
    """A word that may need a declaration; `line` counts from 1."""

    name: str
    kind: str
    line: int


@dataclass(frozen=True, slots=True)
class _Error:
    """A parse error: spatch reads each rule's minus code, then its plus code."""

    rule: Rule
    is_plus: bool
    line: int
    column: int

    def is_passed(self, later: _Error) -> bool:
        """Return whether spatch has read the line of this error before it found the later one."""
        start, is_plus, line = later.rule.start, later.is_plus, later.line
        return (start, is_plus, line) > (self.rule.start, self.is_plus, self.line)


def find_undeclared(
    patch: SemanticPatch, prepared: PreparedText, output: str, ask: Ask
) -> str | None:
    """Return a hint that names the words to declare; None if they are not the error's cause.

    `output` is what spatch printed about `prepared`.
    """
    error = _read_error(prepared.text, output)
    words = _search(prepared.text, error, ask) if error else None
    if error is None or words is None:
        return None
    places = []
    for word in words:
        original = prepared.lines[word.line - 1]
        if original is None:
            return None
        line = patch.place(original).line
        places.append(f"the {_MEANINGS[word.kind]} {word.name} (line {line})")
    added = " ".join(
        f"{kind} {', '.join(names)};"
        for kind in _MEANINGS
        if (names := [word.name for word in words if word.kind == kind])
    )
    header = prepared.lines[error.rule.start - 1]
    rule = error.rule.name
    if rule is None and header is not None:
        rule = f"the rule on line {patch.place(header).line}"
    return (
        f"spatch probably does not know {' and '.join(places)}: add the line `{added}` to the "
        f"metavariables of {rule}"
    )


def _read_error(text: str, output: str) -> _Error | None:
    """Return the last parse error; None if there is none in the code of a rule of `text`."""
    found = list(_PARSE_ERROR.finditer(output))
    if not found:
        return None
    last = found[-1]
    line, column = int(last["line"]), int(last["column"])
    rules = [rule for rule in read_rules(text) if rule.body <= line <= rule.end]
    lines = text.split("\n")
    if not rules or not "".join(lines[line - 1 : line]).startswith(last["around"], column):
        # The error is in a file that the semantic patch includes, for example.
        return None
    return _Error(rules[0], last["part"] == "plus", line, column)


def _search(text: str, first: _Error, ask: Ask) -> tuple[_Word, ...] | None:
    """Return the fewest words whose declarations make spatch read on after the first error.

    A line may have several of them, such as two casts. None if there are none, or too many.
    """
    pending: list[tuple[tuple[_Word, ...], _Error]] = [((), first)]
    queries = 0
    while pending:
        known, error = pending.pop(0)
        for word in _list_words(text, error, known):
            queries += 1
            if queries > _MAX_QUERIES:
                return None
            words = (*known, word)
            answer = ask(_declare(text, first.rule, words))
            output = answer.stdout.decode("latin-1") + answer.stderr.decode("latin-1")
            following = _read_error(text, output)
            if answer.timed_out or (following is None and _OTHER_PARSE_ERROR.search(output)):
                continue
            if following is None or first.is_passed(following):
                return words
            is_later = following.column > error.column and following.line == error.line
            if is_later and len(words) < _MAX_WORDS:
                pending.append((words, following))
    return None


def _declare(text: str, rule: Rule, words: Sequence[_Word]) -> str:
    """Return the text with the words declared in a rule; all lines keep their numbers."""
    lines = text.split("\n")
    plain = make_plain(text).plain.split("\n")
    end = rule.body - 2
    at = plain[end].rindex("@@")
    added = " ".join(f"{word.kind} {word.name};" for word in words)
    lines[end] = f"{lines[end][:at]} {added} {lines[end][at:]}"
    return "\n".join(lines)


def _list_words(text: str, error: _Error, known: Sequence[_Word]) -> Iterator[_Word]:
    """Yield the words up to the token of an error that may need a declaration, the nearest first.

    spatch reads only the minus or the plus code at a time.
    """
    rule = error.rule
    declared = {word for part in rule.declarations for word in part.words}
    skipped = _KEYWORDS | declared | {word.name for word in known}
    plain = make_plain(text).plain.split("\n")
    other_part = "-" if error.is_plus else "+"
    numbers = [
        number
        for number in range(rule.body, min(error.line, len(plain)) + 1)
        if plain[number - 1].strip() and not plain[number - 1].startswith(other_part)
    ]
    for number in reversed(numbers[-_LINES_READ:]):
        line = plain[number - 1]
        for match in reversed(list(_WORD.finditer(line))):
            is_before = number < error.line or match.start() <= error.column
            if not is_before or match[0] in skipped:
                continue
            skipped |= {match[0]}
            if (kind := _guess_kind(match[0], line[match.end() :])) is not None:
                yield _Word(match[0], kind, number)


def _guess_kind(word: str, after: str) -> str | None:
    """Return what a word may be, from its spelling and the code after it; None for no guess."""
    if not _TYPE.fullmatch(word) and difflib.get_close_matches(word, _KEYWORDS, n=1, cutoff=0.75):
        # `retrun`, for example: spatch would accept `retrun x;` as the declaration of a variable.
        return None
    is_called = after.lstrip().startswith("(")
    if is_called and (_LOOP.fullmatch(word) or re.search(r"\)\s*\{\s*$", after)):
        return "iterator name"
    if _DECLARES.fullmatch(word):
        return "declarer name" if is_called else None
    if word.startswith("__") and not _TYPE.fullmatch(word):
        return "attribute name"
    return None if is_called else "typedef"
