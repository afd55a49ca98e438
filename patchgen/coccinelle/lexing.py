"""SmPL without its comments and literals, as far as it is certain where these end.

After parsing_cocci/lexer_cocci.mll of Coccinelle 1.1.1 to 1.3.1. Its modes (rule header,
metavariables, body) agree on comments and literals but for lines such as `#if`, `---` and `+++`,
which some of them take whole. Scripts are read by another lexer. Where readings differ, nothing
behind that place is made blank: what is left may say too much, never too little.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# White space, comments and first-column signs that may stand between two words of a header or a
# declaration. Possessive: an open end must not be searched for in another place.
GAP = r"(?:[ \t\n\r\v\f]|//[^\n]*|/\*.*?\*/|[-+*?]|#[^\n]*)*+"
_CODE = r"(?<![A-Za-z0-9_$])(?:script|initialize|finalize)(?![A-Za-z0-9_$])" + GAP + ":"
CODE = re.compile(_CODE, re.DOTALL)

_STRING = r'"(?:[^"\\\n]|\\[^\n])*"'
_CHARACTER = r"'(?:[^'\\\n]|\\[^\n])+'"
_COMMENT = r"//[^\n]*|/\*.*?\*/"
_WHOLE_LINE = rf"(?:[^\"'/\n]|{_STRING}|{_CHARACTER}|//[^\n]*|/\*[^\n]*?\*/|/(?!\*))*+(?=\n|\Z)"
_LITERAL = re.compile(rf"{_COMMENT}|{_STRING}|{_CHARACTER}", re.DOTALL)
_TOKEN = re.compile(
    rf"(?P<blank>{_COMMENT}|{_STRING}|{_CHARACTER}|\#!{_WHOLE_LINE}"
    rf"|\#[ \t]*spatch(?:[ \t]{_WHOLE_LINE}|(?=\n|\Z)))"
    rf"|(?P<code>{_CODE})"
    r"|(?P<include>\#[ \t]*include)[ \t]*(?:\"[^\"\n]+\"|<[^>\n]+>)"
    rf"|(?P<line>(?:\#|---|\+\+\+){_WHOLE_LINE})"
    r"|(?P<open>/\*|[\"'\#]|---|\+\+\+)"
    r"|[A-Za-z0-9_$]+|[^A-Za-z0-9_$/\"'\#+-]+|.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Plain:
    """A text of the same length and lines, with comments and literals made blank.

    `certain` is the offset up to which they are; from there on the text is as it was.
    """

    text: str
    certain: int

    def find_prolog_end(self) -> int:
        """Return where the first rule begins, its length where that is not certain."""
        at = self.text.find("@", 0, self.certain)
        return at if at >= 0 else len(self.text)


@lru_cache(maxsize=64)
def make_plain(text: str) -> Plain:
    """Make comments and literals blank, up to the first place that can be read in two ways."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found["code"] or found["open"]:
            break
        parts.append(_without_literals(found))
        at = found.end()
    return Plain("".join(parts) + text[at:], at)


def line_of(text: str, offset: int) -> int:
    """Return the line, from 1, of an offset."""
    return text.count("\n", 0, offset) + 1


def _without_literals(token: re.Match[str]) -> str:
    if token["blank"]:
        return _only_breaks(token)
    if token["line"]:
        return _LITERAL.sub(_only_breaks, token[0])
    if token["include"]:
        return token["include"] + " " * (len(token[0]) - len(token["include"]))
    return token[0]


def _only_breaks(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])
