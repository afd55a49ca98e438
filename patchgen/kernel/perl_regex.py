# SPDX-License-Identifier: GPL-2.0-or-later
"""Translate the Perl regular expressions of MAINTAINERS (N:, K:) to Python's syntax.

get_maintainer.pl matches them with the modifier /x: white space, and text after a `#`, are ignored.
Syntax that differs (perlre(1), perlrecharclass(1)) is translated; a feature that Python does not
have is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_MAX_LENGTH = 4096
_MAX_DEPTH = 50

# Escapes that Python does not have, or reads in another way.
_ESCAPES = {
    "z": r"\Z",
    "Z": r"(?=\n?\Z)",
    "h": r"[ \t]",
    "H": r"[^ \t]",
    "v": r"[\n-\r]",
    "V": r"[^\n-\r]",
    "R": r"(?:\r\n|[\n-\r])",
    "N": r"[^\n]",
    "e": r"\x1b",
    # Only the existence of a match matters, not its start.
    "K": "",
}
_SAME = frozenset("AbBdDwWsSafnrt")
_IN_CLASS = {"h": r" \t", "v": r"\n-\r", "e": r"\x1b", "b": r"\x08"}
_SAME_IN_CLASS = frozenset("dDwWsSafnrt")
# Escapes that do not stand for a single character and are not translated.
_REFUSED = frozenset("pPgGkXoNcx")
_POSIX = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9a-fA-F",
    "word": r"\w",
    "cntrl": r"\x00-\x1f\x7f",
    "graph": "!-~",
    "print": " -~",
    "^digit": r"\D",
    "^space": r"\S",
    "^word": r"\W",
}
_QUANTIFIER = re.compile(r"[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\}")
_GROUP = re.compile(
    r"\?(?:(?P<comment>#[^)]*\))|(?P<flags>[imsx]*(?:-[imsx]+)?)(?P<end>[:)])"
    r"|(?P<look><?[=!]|>)|P?<(?P<name>[A-Za-z_]\w*)>|'(?P<quoted>[A-Za-z_]\w*)')"
)


class RegexError(ValueError):
    """A regular expression cannot be translated; the message says why."""


@dataclass(frozen=True, slots=True)
class Translated:
    """A regular expression for `re`. Every text that it matches contains `literal`.

    `ignores_case` is set if the literal has to be looked for in lower-case text. An empty literal
    occurs in every text.
    """

    source: str
    literal: str
    ignores_case: bool


def translate(perl: str, before: str = "", *, spaced: bool = True) -> Translated:
    """Return the Python equivalent of a Perl regular expression, after the text `before`.

    `spaced` is the modifier /x. `before` is a regular expression of Python's; if `perl` has
    alternatives, it belongs only to the first of them, as in the script. Raises RegexError if
    Python has no equivalent; `re` may still refuse the result.
    """
    if not perl.strip():
        raise RegexError("it is empty")
    if len(perl) > _MAX_LENGTH:
        raise RegexError(f"it has more than {_MAX_LENGTH} characters")
    reader = _RegexReader(perl, spaced)
    source = reader.read()
    literal = max(reader.literals, key=len, default="")
    if reader.has_alternatives:
        literal = ""
    ignores = reader.ignores_case
    return Translated(before + source, literal.lower() if ignores else literal, ignores)


@dataclass(slots=True)
class _Level:
    """An open group: its modifiers, and the scoped groups to be closed with it."""

    modifiers: frozenset[str]
    scopes: list[str] = field(default_factory=list)


class _RegexReader:
    """Reads one regular expression from left to right."""

    def __init__(self, perl: str, spaced: bool):
        self._perl = perl
        self._at = 0
        self._out: list[str] = []
        self._levels = [_Level(frozenset("x" if spaced else ""))]
        self._run = ""
        self.literals: list[str] = []
        self.has_alternatives = False
        self.ignores_case = False

    def read(self) -> str:
        while self._at < len(self._perl):
            self._read_element()
        self._end_run()
        if len(self._levels) > 1:
            raise RegexError("a parenthesis is not closed")
        return "".join(self._out) + ")" * len(self._levels[0].scopes)

    def _read_element(self) -> None:
        character = self._perl[self._at]
        self._at += 1
        spaced = "x" in self._levels[-1].modifiers
        if spaced and character.isspace():
            return
        if spaced and character == "#":
            self._at = len(self._perl)
        elif character == "\\":
            self._read_escape()
        elif character == "[":
            self._end_run()
            self._out.append(self._read_class())
        elif character == "(":
            self._end_run()
            self._open()
        elif character == ")":
            self._end_run()
            self._close()
        elif character == "|":
            self._begin_alternative()
        elif match := _QUANTIFIER.match(self._perl, self._at - 1):
            self._quantify(match[0])
        elif character in "^$.":
            self._end_run()
            self._out.append(character)
        else:
            self._add_literal(character)

    def _add_literal(self, character: str) -> None:
        self._out.append(re.escape(character))
        # A literal in a group may be repeated zero times, or be in one of several alternatives.
        if len(self._levels) == 1:
            self._run += character

    def _end_run(self) -> None:
        if self._run:
            self.literals.append(self._run)
        self._run = ""

    def _quantify(self, quantifier: str) -> None:
        self._run = self._run[:-1]
        self._end_run()
        self._at += len(quantifier) - 1
        suffix = self._perl[self._at : self._at + 1]
        if suffix in ("?", "+") and suffix:
            self._at += 1
            quantifier += suffix
        self._out.append(quantifier)

    def _begin_alternative(self) -> None:
        self._end_run()
        level = self._levels[-1]
        if len(self._levels) == 1:
            self.has_alternatives = True
        # A modifier holds to the end of the group, including later alternatives.
        self._out.append(")" * len(level.scopes) + "|" + "".join(level.scopes))

    def _open(self) -> None:
        if len(self._levels) > _MAX_DEPTH:
            raise RegexError(f"its groups are more than {_MAX_DEPTH} deep")
        level = _Level(self._levels[-1].modifiers)
        match = _GROUP.match(self._perl, self._at)
        if match is None:
            if self._perl.startswith(("?", "*"), self._at):
                raise RegexError(f"({self._perl[self._at : self._at + 2]} is not supported")
            self._out.append("(")
        elif match["comment"]:
            self._at = match.end()
            return
        elif match["end"] is not None:
            self._modify(match["flags"], match["end"] == ")", level)
            if match["end"] == ")":
                self._at = match.end()
                return
        elif match["look"]:
            self._out.append(f"(?{match['look']}")
        else:
            self._out.append(f"(?P<{match['name'] or match['quoted']}>")
        self._at = match.end() if match else self._at
        self._levels.append(level)

    def _modify(self, flags: str, to_the_end: bool, level: _Level) -> None:
        """Open a group for modifiers, which hold in it or, with `to_the_end`, to the outer end."""
        on, _, off = flags.partition("-")
        changed = (level.modifiers | set(on)) - set(off)
        self.ignores_case |= "i" in on
        # White space is handled by this reader.
        on, off = on.replace("x", ""), off.replace("x", "")
        opened = f"(?{on}{f'-{off}' if off else ''}:"
        self._out.append(opened)
        if to_the_end:
            self._levels[-1].modifiers = changed
            self._levels[-1].scopes.append(opened)
        else:
            level.modifiers = changed

    def _close(self) -> None:
        if len(self._levels) == 1:
            raise RegexError("a parenthesis is not opened")
        self._out.append(")" * len(self._levels.pop().scopes) + ")")

    def _read_escape(self) -> None:
        if self._at >= len(self._perl):
            raise RegexError("it ends in a backslash")
        if (code := self._read_code()) is not None:
            self._add_literal(code)
            return
        character = self._perl[self._at]
        self._at += 1
        if character in _REFUSED and not (character == "N" and self._peek() != "{"):
            raise RegexError(f"\\{character} is not supported")
        if character in _SAME or character in "123456789":
            self._end_run()
            self._out.append("\\" + character)
        elif character in _ESCAPES:
            self._end_run()
            self._out.append(_ESCAPES[character])
        else:
            # Perl reads any other letter as itself, including \Q and \E: the text is not quoted.
            self._add_literal(character)

    def _peek(self) -> str:
        return self._perl[self._at : self._at + 1]

    def _read_code(self) -> str | None:
        """Read a character written as a number: \\x41, \\x{263a}, \\012."""
        match = re.compile(r"x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{1,2})|(0[0-7]{0,2})").match(
            self._perl, self._at
        )
        if match is None:
            return None
        self._at = match.end()
        number = int(match[3], 8) if match[3] else int(match[1] or match[2], 16)
        if number > 0x10FFFF:
            raise RegexError(f"\\x{{{number:x}}} is not a character")
        return chr(number)

    def _read_class(self) -> str:
        """Read a bracketed class after its opening bracket."""
        out = "["
        if self._peek() == "^":
            self._at += 1
            out += "^"
        first = True
        while (character := self._peek()) != "]" or first:
            if not character:
                raise RegexError("a bracket is not closed")
            out += self._read_member()
            first = False
        self._at += 1
        return out + "]"

    def _read_member(self) -> str:
        match = re.compile(r"\[:(\^?\w+):\]").match(self._perl, self._at)
        if match:
            self._at = match.end()
            if match[1] not in _POSIX:
                raise RegexError(f"[:{match[1]}:] is not supported")
            return _POSIX[match[1]]
        character = self._perl[self._at]
        self._at += 1
        if character != "\\":
            return character if character == "-" else re.escape(character)
        if (code := self._read_code()) is not None:
            return re.escape(code)
        character = self._peek()
        self._at += 1
        if character in _SAME_IN_CLASS and character:
            return "\\" + character
        if character in _IN_CLASS:
            return _IN_CLASS[character]
        if not character or character in _REFUSED or character in "HVR":
            raise RegexError(f"\\{character} in brackets is not supported")
        return re.escape(character)
