# SPDX-License-Identifier: GPL-2.0-or-later
"""The tokens of SmPL, split as spatch does, as far as a file can be read in only one way.

Source: parsing_cocci/lexer_cocci.mll of Coccinelle 1.1.1 (commit 5444e1410) and of 1.3.1. It has
two rules. `token` reads the prolog, rule headers and bodies; `metavariable_decl_token` reads
declarations. The longest lexeme wins. What matters here:

- White space is space, tab, newline, CR, vertical tab and form feed, and no other character.
- `//` is a comment up to the newline (CR does not end it); `/*` is one up to the first `*/`.
- `#!` is a comment up to the newline. `#`, spaces or tabs, and `spatch` are skipped, too; only if a
  space or tab follows, the rest of the line is skipped as well. So `#spatchscript` is the word
  `script`.
- `#include "NAME"` and `#include <NAME>` are one token each; NAME may contain newlines. `#include`
  alone, `##`, and `#define X` and `#undef X` are tokens without the text after them, which is read
  as usual. `#if`, `#else`, `#elif`, `#endif`, `#error`, `#line`, `#pragma X Y`, and `---` and `+++`
  extend to the newline. Any other `#` is an error, and spatch stops.
- A word begins with a letter, `_` or `$`. A number ends where a word can begin: `1script` is `1`
  and `script`.
- `"` and `'` open literals in which a backslash escapes the next character.
- In the first columns, `-`, `+`, `?` and `*` are skipped.
- `analysis` in a declaration switches to lexer_script.mll, which has other comments.

In declarations, `##` is the only `#` token; any other is an error. Scripts are read by
lexer_script.mll, but only after a header or constraint that has already been recognised as code.

Where versions or rules could disagree on the end of a comment or literal, the tokens after it are
uncertain. A reader that must not miss anything reads all of the uncertain text, and may find too
much; one that has to make sense of it leaves out apparent comments and literals.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# A gap is what spatch skips between two tokens. Possessive, as it can be read in only one way.
_SPATCH = r"\#[ \t]*spatch(?:[ \t][^\n]*)?"
GAP = rf"(?:[ \t\n\r\v\f]|//[^\n]*|/\*.*?\*/|[-+*?]|\\\r?\n|\#![^\n]*|{_SPATCH})*+"
_GAP = re.compile(GAP, re.DOTALL)
_SPACE_GAP = re.compile(r"[ \t\n\r\v\f*+?-]*+")
# In uncertain text, a gap with a comment is read only up to here, so that reading stays linear.
_GAP_LIMIT = 1024

_STRING = r'"(?:[^"\\\n]|\\[^\n])*+"'
_CHARACTER = r"'(?:[^'\\\n]|\\[^\n])++'"
_COMMENT = r"//[^\n]*|/\*.*?\*/"
_WHOLE_LINE = rf"(?:[^\"'/\n]|{_STRING}|{_CHARACTER}|//[^\n]*|/\*[^\n]*?\*/|/(?![*/]))*+(?=\n|\Z)"
_IN_LINE = re.compile(rf"(?P<comment>{_COMMENT})|{_STRING}|{_CHARACTER}", re.DOTALL)
# In uncertain text, which may be a script: an apostrophe opens no literal, and an escaped quote may
# be outside of literals.
_IN_UNCERTAIN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))|(?<!\\)\"(?:\\.|[^\"\\\n])*+\"", re.DOTALL
)
_DIRECTIVES = r"if|else|elif|endif|error|line|pragma[ \t]+[A-Za-z_][A-Za-z0-9_]*[ \t]"
_TOKEN = re.compile(
    rf"(?P<comment>{_COMMENT}|\#![^\n]*|{_SPATCH})|(?P<literal>{_STRING}|{_CHARACTER})"
    r"|\#\#"
    r"|\#[ \t]*include[ \t]*(?P<include>\"[^\"]+\"|<[^>]+>)"
    r"|\#[ \t]*include(?![ \t]*[\"<])"
    rf"|(?P<line>(?:\#[ \t]*(?:{_DIRECTIVES})|---|\+\+\+){_WHOLE_LINE})"
    r"|\#[ \t]*(?:define|undef)[ \t]+(?=[A-Za-z_])"
    r"|(?P<open>/\*|[\"'\#]|---|\+\+\+)"
    r"|(?P<word>[A-Za-z0-9_$]+)|[^A-Za-z0-9_$/\"'\#+@-]+|.",
    re.DOTALL,
)
_WORD = re.compile(r"(?P<directive>\#[ \t]*+)?(?P<word>[A-Za-z0-9_$]+)")


@dataclass(frozen=True, slots=True)
class CodeText:
    """Texts of the same length and lines, with spaces in place of comments and literals.

    `text` is unchanged after the offset `certain`; `plain` has no comments and literals there
    either, as far as these can be recognised. `uncommented` is `plain` with the literals.
    `prolog_end` is the offset of the first `@` token, the text's length if that is uncertain.
    `includes` are the spans of the names in `#include "NAME"`, quotes included, up to `certain`.
    """

    text: str
    plain: str
    uncommented: str
    certain: int
    prolog_end: int
    includes: tuple[tuple[int, int], ...]


@lru_cache(maxsize=64)
def make_plain(text: str) -> CodeText:
    """Replace comments and literals by spaces."""
    parts: list[str] = []
    uncommented: list[str] = []
    includes: list[tuple[int, int]] = []
    prolog_end = len(text)
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None or token["open"] or _ends_with(token["word"] or "", "analysis"):
            break
        if token["include"] and token["include"].startswith('"'):
            includes.append(token.span("include"))
        if token[0] == "@":
            prolog_end = min(prolog_end, at)
        parts.append(_without_literals(token))
        uncommented.append(_without_comments(token))
        at = token.end()
    uncertain = text[at:]
    return CodeText(
        text="".join(parts) + uncertain,
        plain="".join(parts) + _IN_UNCERTAIN.sub(_erase, uncertain),
        uncommented="".join(uncommented) + _erase_comments(_IN_UNCERTAIN, uncertain),
        certain=at,
        prolog_end=prolog_end,
        includes=tuple(includes),
    )


def find_words(text: str, words: tuple[str, ...]) -> Iterator[tuple[str, int, int]]:
    """Yield each place where one of these words may be a token, with its offsets.

    In uncertain text it may be in a comment. A word ends a run of letters and digits;
    it is the whole run, unless the run begins with a number or follows `#`.
    """
    for run in _WORD.finditer(make_plain(text).text):
        for word in words:
            is_end = run["directive"] and run["word"].endswith(word)
            if is_end or _ends_with(run["word"], word):
                yield word, run.end() - len(word), run.end()


def skip_gap(text: str, at: int) -> int | None:
    """Return where the next token begins, None if it is too far away to be certain.

    `at` is the end of a token, outside of comments and literals.
    """
    at = _end_of(_SPACE_GAP, text, at, len(text))
    if not text.startswith(("//", "/*", "#", "\\"), at):
        return at
    limit = min(len(text), at + _GAP_LIMIT)
    end = _end_of(_GAP, text, at, limit)
    # What looks like a comment here may end after the limit.
    if limit < len(text) and (end == limit or text[end] in "/#\\"):
        return None
    return end


class LineNumbers:
    """Line numbers of a text, from 1, by offset."""

    def __init__(self, text: str):
        self._ends = [match.start() for match in re.finditer("\n", text)]

    def find(self, offset: int) -> int:
        """Return the line of an offset."""
        return bisect_left(self._ends, offset) + 1


def _end_of(pattern: re.Pattern[str], text: str, at: int, limit: int) -> int:
    match = pattern.match(text, at, limit)
    return match.end() if match else at


def _ends_with(run: str, word: str) -> bool:
    """Return whether a run of letters and digits is the word, or a number followed by the word."""
    return run == word or (run.endswith(word) and run[0].isdigit())


def _without_literals(token: re.Match[str]) -> str:
    if token["comment"] or token["literal"]:
        return _erase(token)
    if token["line"]:
        # An `@` in such a line does not begin a rule.
        return _IN_LINE.sub(_erase, token[0]).replace("@", " ")
    if token["include"]:
        name = token["include"]
        return token[0][: -len(name)] + re.sub(r"[^\n]", " ", name)
    return token[0]


def _without_comments(token: re.Match[str]) -> str:
    if token["comment"]:
        return _erase(token)
    return _erase_comments(_IN_LINE, token[0]) if token["line"] else token[0]


def _erase_comments(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: _erase(match) if match["comment"] else match[0], text)


def _erase(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])
