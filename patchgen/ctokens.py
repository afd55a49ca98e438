# SPDX-License-Identifier: GPL-2.0-or-later
"""C source as a sequence of tokens, without comments and white space.

It answers questions about a tree ("does this identifier occur, and on which line?") and finds the
calls in functions. It does not expand macros and does not choose
between `#if` branches: tokens of all branches are read, as the compiled branch is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, repeat
from typing import NamedTuple

# Comments and literals come first, so that nothing inside them is read as code (C11 6.4).
# The quantifiers are possessive, so that the pattern never backtracks.
_COMMENT = rb"/\*.*?(?:\*/|\Z) | //(?:[^\\\n]++|\\.)*+"
_LITERALS = {
    b'"': rb'"(?:[^"\\\n]++|\\.)*+',
    b"'": rb"'(?:[^'\\\n]++|\\.)*+",
}
_CLOSED = b" | ".join(start + quote for quote, start in _LITERALS.items())
_SKIP = rb"%s | \s+ | \\\n" % _COMMENT
_CODE = rb"""
      (?P<word> [A-Za-z_$][A-Za-z_0-9$]* )
    | (?P<number> \.?[0-9](?:[eEpP][+-]|[A-Za-z_0-9.])* )
    | (?P<operator> -> | \+\+ | -- | <<=? | >>=? | [<>=!]= | && | \|\| | [-+*/%&|^]= | \.\.\. | . )
"""
# How a bracket changes the depth of nesting.
BRACKETS = {b"(": 1, b"[": 1, b"{": 1, b")": -1, b"]": -1, b"}": -1}
_FIRST_OF_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_$")


def _compile(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.VERBOSE | re.DOTALL)


# A source in which every literal is closed, and a token with the comments and white space before
# it. After the last token there may be one match without a token.
_ALL_CLOSED = _compile(rb"(?: [^\"'/]++ | %s | / | %s )*+" % (_COMMENT, _CLOSED))
_LEXEME = _compile(
    rb"(?!\Z)((?: %s )*+( %s | %s | \Z ))" % (_SKIP, _CLOSED, re.sub(rb"\?P<\w+>", b"?:", _CODE))
)


class Token(NamedTuple):
    """A token, its line (from 1), and whether it is a word (an identifier or a keyword).

    It is a tuple, as a large file has 100,000 tokens and a dataclass takes three times as long to
    create.
    """

    text: bytes
    line: int
    is_word: bool


def is_word(token: bytes) -> bool:
    """Return whether a token is a word: an identifier or a keyword."""
    return token[0] in _FIRST_OF_WORD


def tokenize(source: bytes) -> Iterator[Token]:
    """Yield the tokens of a C source, in time linear in its length.

    Any bytes are accepted. Bytes that are not C become single characters, and so does a quote that
    is not closed on its line: the rest of the line is read as code.
    """
    line = 1
    for lexeme, text in zip(*_split(source), strict=True):
        yield Token(text, line + lexeme[: -len(text)].count(b"\n"), is_word(text))
        line += lexeme.count(b"\n")


def _split(source: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the tokens with the comments and white space before each, and the tokens alone."""
    lexemes: list[tuple[bytes, bytes]] = []
    if _ALL_CLOSED.fullmatch(source):
        lexemes = _LEXEME.findall(source)
        if lexemes and not lexemes[-1][1]:
            lexemes.pop()
    else:
        skipped = b""
        for match in _matches(source):
            text = match[0][:1] if match.lastgroup == "open" else match[0]
            if match.lastgroup == "skip":
                skipped += text
            else:
                lexemes.append((skipped + text, text))
                skipped = b""
    # zip(*lexemes) would take eight times as long, with each token as an argument.
    return [lexeme for lexeme, _ in lexemes], [text for _, text in lexemes]


@lru_cache
def _compile_token(quotes: bytes) -> re.Pattern[bytes]:
    """Return the pattern of a token where literals may begin with any of these quotes."""
    starts = [_LITERALS[quotes[i : i + 1]] for i in range(len(quotes))]
    ends = [start + quotes[i : i + 1] for i, start in enumerate(starts)]
    literals = b""
    if quotes:
        literals = b"| (?P<literal> %s ) | (?P<open> %s )" % (b"|".join(ends), b"|".join(starts))
    return _compile(b"(?P<skip> %s ) %s | %s" % (_SKIP, literals, _CODE))


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
        for match in _compile_token(quotes).finditer(source, at):
            yield match
            at = match.end()
            if match.lastgroup == "open":
                unclosed[match[0][:1]] = at
                at = match.start() + 1
                break
            if unclosed and at >= min(unclosed.values()):
                unclosed = {quote: end for quote, end in unclosed.items() if end > at}
                break


_PROSE = _compile(rb"%s | %s" % (_COMMENT, _CLOSED))


def find_prose(source: bytes) -> list[tuple[int, int]]:
    """Return begin and end of each comment and literal, as `tokenize` splits the source."""
    if _ALL_CLOSED.fullmatch(source):
        return [match.span() for match in _PROSE.finditer(source)]
    return [
        match.span()
        for match in _matches(source)
        if match.lastgroup == "literal" or match[0].startswith((b"/*", b"//"))
    ]


def split_tokens(source: bytes) -> list[tuple[bytes, bytes]]:
    """Return the tokens of a C source, each after the white space and comments before it.

    What follows the last token is left out.
    """
    lexemes, texts = _split(source)
    return [
        (lexeme[: len(lexeme) - len(text)], text)
        for lexeme, text in zip(lexemes, texts, strict=True)
    ]


def find_closing(tokens: Sequence[bytes], opening: int) -> int | None:
    """Return the index of the token that closes a bracket, None if none does."""
    depth = 0
    for at in range(opening, len(tokens)):
        depth += BRACKETS.get(tokens[at], 0)
        if depth == 0:
            return at
    return None


def find_sequence(source: bytes, sequence: Sequence[bytes]) -> int | None:
    """Return the line where a sequence of tokens first occurs, or None."""
    # Most files of a tree lack one of the tokens; they need not be tokenized.
    if not sequence or any(token not in source for token in set(sequence)):
        return None
    # Map tokens to characters: str.find() is linear, comparing lists at every position is not.
    numbers = {token: chr(number) for number, token in enumerate(dict.fromkeys(sequence), 1)}
    lexemes, texts = _split(source)
    mapped = "".join([numbers.get(text, "\0") for text in texts])
    start = mapped.find("".join(numbers[token] for token in sequence))
    if start < 0:
        return None
    before = b"".join(lexemes[: start + 1])
    return before[: len(before) - len(sequence[0])].count(b"\n") + 1


class _Outline(dict[bytes, str]):
    """The character that stands for each token in an outline: w is a word, x any other token."""

    def __missing__(self, text: bytes) -> str:
        self[text] = "w" if is_word(text) else "x"
        return self[text]


def _outline(texts: Sequence[bytes]) -> str:
    """Return one character for each token, so that regular expressions find the structure."""
    marks = _Outline({text.encode(): text for text in "(){};=,."} | {b"->": "."})
    return "".join(map(marks.__getitem__, texts))


def _number_lines(lexemes: Sequence[bytes]) -> list[int]:
    """Return the line where each token ends, given the tokens with what precedes them."""
    return list(accumulate(map(bytes.count, lexemes, repeat(b"\n")), initial=1))[1:]


_AT_TOP = re.compile(r"[{;=,]|w\(")
_NESTING = {"(": re.compile(r"[()]"), "{": re.compile(r"[{}]")}


def _find_bodies(outline: str) -> Iterator[tuple[int, int, int]]:
    """Yield the index of each function's name, of its opening brace, and after its closing one.

    A function is a word, its parenthesised parameters, any further words (attributes), and an
    opening brace, outside of braces and parentheses. The text may be part of a file, and need not
    be valid C.
    """
    candidate: int | None = None
    at = 0
    while (match := _AT_TOP.search(outline, at)) is not None:
        at = match.end()
        if match[0] == "{":
            at = _find_end(outline, match.start())
            if candidate is not None:
                yield candidate, match.start(), at
            candidate = None
        elif match[0] == "w(":
            # `static void f(void) __attribute__((x)) {`: the first word before a ( is the name.
            candidate = match.start() if candidate is None else candidate
            at = _find_end(outline, at - 1)
        else:
            candidate = None


def _find_end(outline: str, opening: int) -> int:
    """Return the index after the token that closes the parenthesis or brace at `opening`."""
    depth = 0
    for match in _NESTING[outline[opening]].finditer(outline, opening):
        depth += 1 if match[0] == outline[opening] else -1
        if depth == 0:
            return match.end()
    return len(outline)


_NOT_NEWLINE = re.compile(rb"[^\n]")
_DIRECTIVE = re.compile(rb"^[^\S\n]*#(?:[^\n]*\\[^\S\n]*\n)*[^\n]*", re.MULTILINE)


def erase_directives(source: bytes) -> bytes:
    """Return the source with empty lines in place of preprocessor lines and their continuations."""
    return _DIRECTIVE.sub(lambda match: b"\n" * match[0].count(b"\n"), source)


def cover_directives(source: bytes) -> bytes:
    """Return the source, as long as before, with spaces for preprocessor lines."""
    return _DIRECTIVE.sub(lambda match: _NOT_NEWLINE.sub(b" ", match[0]), source)


class TokenCall(NamedTuple):
    """A call `callee(arguments)` in a function."""

    callee: str
    line: int
    function: str
    arguments: tuple[bytes, ...]


class Assignment(NamedTuple):
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
    lexemes, texts = _split(erase_directives(source))
    outline = _outline(texts)
    lines = _number_lines(lexemes)
    ends = _match_parentheses(outline)
    calls = [
        TokenCall(
            texts[at].decode("ascii"), lines[at], function, tuple(texts[at + 2 : ends[at + 1]])
        )
        for name, begin, end in _find_bodies(outline)
        for function in [texts[name].decode("ascii")]
        for at in (match.start() for match in _CALL.finditer(outline, begin, end))
        if at + 1 in ends
    ]
    assignments = [
        Assignment(texts[match.start() + 1].decode("ascii"), texts[match.end() - 1].decode("ascii"))
        for match in _ASSIGNMENT.finditer(outline)
    ]
    return calls, assignments


_MAX_DEPTH = 63
_CALL = re.compile(r"w\(")
_ASSIGNMENT = re.compile(r"\.w=w(?=[;,}])")


def _match_parentheses(outline: str) -> dict[int, int]:
    """Return the index of the parenthesis that closes each opening one.

    Parentheses nested deeper than _MAX_DEPTH levels, and those that are not closed, are left out.
    """
    ends: dict[int, int] = {}
    opened: list[int] = []
    for match in _NESTING["("].finditer(outline):
        if match[0] == "(":
            opened.append(match.start())
        elif opened:
            begin = opened.pop()
            if len(opened) < _MAX_DEPTH:
                ends[begin] = match.start()
    return ends
