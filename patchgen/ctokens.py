"""C source as a sequence of tokens, with comments and white space left out.

Used to ask a tree what it has ("is this identifier there, and in which line?") and to name the
functions in text that Coccinelle could not parse. It neither expands macros nor chooses between
`#if` branches: a token in any branch counts, since the branch that is compiled is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Comments and literals come first, so that nothing inside them is taken for code (C11 6.4).
_TOKEN = re.compile(
    rb"""
      (?P<skip> /\*.*?(?:\*/|\Z) | //(?:[^\\\n]|\\.|\\\n)* | \s+ | \\\n )
    | (?P<literal> "(?:[^"\\\n]|\\.|\\\n)*" | '(?:[^'\\\n]|\\.|\\\n)*' )
    | (?P<word> [A-Za-z_$][A-Za-z_0-9$]* )
    | (?P<number> \.?[0-9](?:[eEpP][+-]|[A-Za-z_0-9.])* )
    | (?P<sign> -> | \+\+ | -- | <<=? | >>=? | [<>=!]= | && | \|\| | [-+*/%&|^]= | \.\.\. | . )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token, its line (from 1), and whether it is a word (an identifier or a keyword)."""

    text: bytes
    line: int
    is_word: bool


def tokenize(source: bytes) -> Iterator[Token]:
    """Yield the tokens of a C source. Any bytes are taken; what is no C becomes single signs."""
    line = 1
    for match in _TOKEN.finditer(source):
        text = match.group()
        if match.lastgroup != "skip":
            yield Token(text, line, match.lastgroup == "word")
        line += text.count(b"\n")


def find_sequence(source: bytes, wanted: Sequence[bytes]) -> int | None:
    """Return the line where a sequence of tokens first occurs, or None."""
    # Most files of a tree lack the first word altogether; do not cut those into tokens.
    if not wanted or any(token not in source for token in wanted):
        return None
    tokens = list(tokenize(source))
    texts = [token.text for token in tokens]
    for start in range(len(texts) - len(wanted) + 1):
        if texts[start : start + len(wanted)] == list(wanted):
            return tokens[start].line
    return None


def find_functions(source: bytes) -> list[tuple[str, int]]:
    """Return name and line of each function that is defined at the top level of a text.

    The text may be part of a file and need not be valid C: a function is a word, its
    parenthesised parameters, any further words (attributes), and an opening brace, outside of
    braces, parentheses and preprocessor lines.
    """
    functions: list[tuple[str, int]] = []
    depth = 0
    candidate: tuple[str, int] | None = None
    tokens = list(tokenize(blank_directives(source)))
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
                # `static void f(void) __attribute__((x)) {`: the first call-like word names it.
                candidate = candidate or (token.text.decode("ascii"), token.line)
                index = _after_parenthesis(tokens, index + 1)
                continue
        index += 1
    return functions


def _after_parenthesis(tokens: Sequence[Token], index: int) -> int:
    """Return the index behind the parenthesis that matches the one at `index`."""
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
    """Return the source with preprocessor lines, continued ones too, made empty."""
    kept = []
    in_directive = False
    for line in source.split(b"\n"):
        in_directive = in_directive or line.lstrip().startswith(b"#")
        kept.append(b"" if in_directive else line)
        in_directive = in_directive and line.rstrip().endswith(b"\\")
    return b"\n".join(kept)
