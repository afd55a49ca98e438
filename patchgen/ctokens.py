# SPDX-License-Identifier: GPL-2.0-or-later
"""C source as a sequence of tokens, without comments and white space.

It answers questions about a tree ("does this identifier occur, and on which line?") and names the
functions in text that Coccinelle could not parse. It does not expand macros and does not choose
between `#if` branches: tokens of all branches are read, as the compiled branch is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

# Comments and literals come first, so that nothing inside them is read as code (C11 6.4).
# The quantifiers are possessive, so that the pattern never backtracks.
_LITERALS = {
    b'"': rb'"(?:[^"\\\n]++|\\.)*+',
    b"'": rb"'(?:[^'\\\n]++|\\.)*+",
}
_TOKEN = rb"""
      (?P<skip> /\*.*?(?:\*/|\Z) | //(?:[^\\\n]++|\\.)*+ | \s+ | \\\n )
    | %s
      (?P<word> [A-Za-z_$][A-Za-z_0-9$]* )
    | (?P<number> \.?[0-9](?:[eEpP][+-]|[A-Za-z_0-9.])* )
    | (?P<operator> -> | \+\+ | -- | <<=? | >>=? | [<>=!]= | && | \|\| | [-+*/%%&|^]= | \.\.\. | . )
"""


@lru_cache
def _compile(quotes: bytes) -> re.Pattern[bytes]:
    """Return the pattern of a token where literals may begin with any of these quotes."""
    starts = [_LITERALS[quotes[i : i + 1]] for i in range(len(quotes))]
    ends = [start + quotes[i : i + 1] for i, start in enumerate(starts)]
    literals = b""
    if quotes:
        literals = b"(?P<literal> %s ) | (?P<open> %s ) |" % (b"|".join(ends), b"|".join(starts))
    return re.compile(_TOKEN % literals, re.VERBOSE | re.DOTALL)


class Token(NamedTuple):
    """A token, its line (from 1), and whether it is a word (an identifier or a keyword).

    It is a tuple, as a large file has 100,000 tokens and a dataclass takes three times as long to
    create.
    """

    text: bytes
    line: int
    is_word: bool


def tokenize(source: bytes) -> Iterator[Token]:
    """Yield the tokens of a C source, in time linear in its length.

    Any bytes are accepted. Bytes that are not C become single characters, and so does a quote that
    is not closed on its line: the rest of the line is read as code.
    """
    line = 1
    for match in _matches(source):
        kind, text = match.lastgroup, match.group()
        if kind == "open":
            yield Token(text[:1], line, False)
        elif kind != "skip":
            yield Token(text, line, kind == "word")
        if kind in ("skip", "literal"):
            line += text.count(b"\n")


def _matches(source: bytes) -> Iterator[re.Match[bytes]]:
    """Yield the matches of tokens; of an `open` match, only the quote has been consumed.

    After a quote that is not closed before its line ends, no quote of that kind on the same line
    can be closed either. So the line's end is remembered, and no literal of that kind is tried
    before it.
    """
    at = 0
    unclosed: dict[bytes, int] = {}
    while at < len(source):
        quotes = b"".join(quote for quote in _LITERALS if quote not in unclosed)
        for match in _compile(quotes).finditer(source, at):
            yield match
            at = match.end()
            if match.lastgroup == "open":
                unclosed[match[0][:1]] = at
                at = match.start() + 1
                break
            if unclosed and at >= min(unclosed.values()):
                unclosed = {quote: end for quote, end in unclosed.items() if end > at}
                break


def find_sequence(source: bytes, wanted: Sequence[bytes]) -> int | None:
    """Return the line where a sequence of tokens first occurs, or None."""
    # Most files of a tree lack one of the tokens; they need not be tokenized.
    if not wanted or any(token not in source for token in set(wanted)):
        return None
    # Map tokens to characters: str.find() is linear, comparing lists at every position is not.
    numbers = {token: chr(number) for number, token in enumerate(dict.fromkeys(wanted), 1)}
    tokens = list(tokenize(source))
    texts = "".join(numbers.get(token.text, "\0") for token in tokens)
    start = texts.find("".join(numbers[token] for token in wanted))
    return tokens[start].line if start >= 0 else None


def find_functions(source: bytes) -> list[tuple[str, int]]:
    """Return name and line of each function that is defined at the top level of a text.

    The text may be part of a file and need not be valid C. A function is a word, its parenthesised
    parameters, any further words (attributes), and an opening brace, outside of braces,
    parentheses and preprocessor lines.
    """
    return _functions_in(list(tokenize(blank_directives(source))))


def _functions_in(tokens: Sequence[Token]) -> list[tuple[str, int]]:
    functions: list[tuple[str, int]] = []
    depth = 0
    candidate: tuple[str, int] | None = None
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.text == b"{":
            if depth == 0 and candidate is not None:
                functions.append(candidate)
            candidate = None
            depth += 1
        elif token.text == b"}":
            depth = max(0, depth - 1)
        elif depth == 0:
            if token.text in (b";", b"=", b","):
                candidate = None
            elif token.is_word and index + 1 < len(tokens) and tokens[index + 1].text == b"(":
                # `static void f(void) __attribute__((x)) {`: the first word before a ( is the name.
                candidate = candidate or (token.text.decode("ascii"), token.line)
                index = _after_parenthesis(tokens, index + 1)
                continue
        index += 1
    return functions


def _after_parenthesis(tokens: Sequence[Token], index: int) -> int:
    """Return the index after the parenthesis that matches the one at `index`."""
    depth = 0
    while index < len(tokens):
        if tokens[index].text == b"(":
            depth += 1
        elif tokens[index].text == b")":
            depth -= 1
            if depth == 0:
                return index + 1
        index += 1
    return index


def blank_directives(source: bytes) -> bytes:
    """Return the source with preprocessor lines and their continuations emptied."""
    kept = []
    in_directive = False
    for line in source.split(b"\n"):
        in_directive = in_directive or line.lstrip().startswith(b"#")
        kept.append(b"" if in_directive else line)
        in_directive = in_directive and line.rstrip().endswith(b"\\")
    return b"\n".join(kept)


@dataclass(frozen=True, slots=True)
class TokenCall:
    """A call `callee(arguments)` in a function."""

    callee: str
    line: int
    function: str
    arguments: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """`x.member = value` with a single word as value: maybe a function that is called later."""

    member: str
    value: str


def find_calls(source: bytes) -> tuple[list[TokenCall], list[Assignment]]:
    """Return the calls in functions, and the assignments to members anywhere.

    Keywords with parentheses, such as `if (`, are among the calls. Preprocessor lines are left
    out, and so are calls that are nested in more parentheses than a compiler has to accept (63, C11
    5.2.4.1): all their arguments together would be of quadratic size. A call without a closing
    parenthesis is left out, too.
    """
    calls: list[TokenCall] = []
    assignments: list[Assignment] = []
    depth = 0
    function: str | None = None
    tokens = list(tokenize(blank_directives(source)))
    texts = tuple(token.text for token in tokens)
    ends = _match_parentheses(tokens)
    named = iter(_functions_in(tokens))
    following = next(named, None)
    for index, token in enumerate(tokens):
        if token.text == b"{":
            # find_functions() returns the functions in source order, each before its brace.
            while depth == 0 and following is not None and following[1] <= token.line:
                function, following = following[0], next(named, None)
            depth += 1
        elif token.text == b"}":
            depth = max(0, depth - 1)
            function = function if depth else None
        elif token.is_word and index + 1 < len(tokens):
            name = token.text.decode("ascii")
            if tokens[index + 1].text == b"(" and function is not None and depth:
                if index + 1 in ends:
                    arguments = texts[index + 2 : ends[index + 1]]
                    calls.append(TokenCall(name, token.line, function, arguments))
            elif value := _assigned(tokens, index):
                assignments.append(Assignment(name, value))
    return calls, assignments


_DEEPEST = 63


def _match_parentheses(tokens: Sequence[Token]) -> dict[int, int]:
    """Return the index of the parenthesis that closes each opening one.

    Parentheses nested deeper than _DEEPEST levels, and those that are not closed, are left out.
    """
    ends: dict[int, int] = {}
    opened: list[int] = []
    for index, token in enumerate(tokens):
        if token.text == b"(":
            opened.append(index)
        elif token.text == b")" and opened:
            begin = opened.pop()
            if len(opened) < _DEEPEST:
                ends[begin] = index
    return ends


def _assigned(tokens: Sequence[Token], index: int) -> str | None:
    """Return the word that is assigned to the member named at `index`, None if none is."""
    if not 0 < index < len(tokens) - 3 or tokens[index - 1].text not in (b".", b"->"):
        return None
    equals, value, end = tokens[index + 1 : index + 4]
    if equals.text != b"=" or not value.is_word or end.text not in (b";", b",", b"}"):
        return None
    return value.text.decode("ascii")
