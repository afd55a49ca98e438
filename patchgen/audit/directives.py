# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a file's preprocessor directives, and remove them from its text.

Directives cut through statements and declarations, so a parser that does not expand macros cannot
read the text with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from patchgen.audit.c_text import (
    CALLED,
    IDENTIFIER,
    MEMBER_CALLED,
    LineCounter,
    overwrite_spans,
    overwrite_with_spaces,
)
from patchgen.audit.facts import Macro, Region

# These patterns begin with characters: `re` finds them much faster than the start of a line.
_DIRECTIVE = re.compile(rb"\n[ \t]*#[ \t]*(\w+)([^\n\\]*+(?:\\(?:\r?\n)?[^\n\\]*+)*+)")
# Linear time: an unclosed comment extends to the end, and an escaped quote begins no literal.
_COMMENT_OR_STRING = re.compile(
    rb"/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z)|//[^\n]*+"
    rb'|"(?<!\\")[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'
    rb"|'(?<!\\')[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'",
    re.S,
)
_DEFINE = re.compile(rb"^[ \t]+(\w+)(\(([^)]*)\))?(.*)$", re.S)
_STRING = re.compile(r'(?<!\\)"(?:\\.|[^"\\])*+"')
_CONTINUED = b"\\\n"
_BRACKETS = ((b"{", b"("), (b"}", b")"))
_FUNCTION_IN_MACRO = re.compile(r"\)\s*(?:\\\s*)?\{")
_ASM_CALL = re.compile(r"\bcall\s+([a-z_]\w+)")
_ASM = re.compile(r"\b(?:asm|__asm__|__asm)\b")
_KEYWORDS = """
    if while for switch do return sizeof typeof __typeof__ defined asm __asm__ volatile
    __volatile__ __attribute__ __builtin_constant_p
"""
_NO_CALLS = frozenset(_KEYWORDS.split())


@dataclass(frozen=True, slots=True)
class Preprocessed:
    """A text without comments and directives, each byte in its line, and the directives read."""

    text: bytes
    regions: tuple[Region, ...]
    includes: tuple[str, ...]
    macros: tuple[Macro, ...]


def read_directives(content: bytes) -> Preprocessed:
    """Remove comments and directives from a file, C or assembly."""
    content, strings = _remove_comments(content)
    reader = _Directives(content, strings)
    directives = []
    for match in _DIRECTIVE.finditer(b"\n" + content):
        start, end = match.start(), match.end() - 1
        reader.read(match[1], match[2], start, end)
        directives.append((start, end))
    text = overwrite_spans(content, [*directives, *reader.dropped])
    return Preprocessed(text, tuple(reader.regions), tuple(reader.includes), tuple(reader.macros))


def _remove_comments(content: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """Return a text with spaces in place of its comments, and the spans of its literals."""
    text, strings = bytearray(content), []
    for match in _COMMENT_OR_STRING.finditer(content):
        start, end = match.span()
        if content[start] != ord("/"):
            strings.append((start, end))
            continue
        # In a macro's text, a backslash inside a comment continues the line, too.
        parts = map(overwrite_with_spaces, match[0].split(_CONTINUED))
        text[start:end] = _CONTINUED.join(parts)
    return bytes(text), strings


class _Directives:
    """Reads directives in order: conditions become regions of lines.

    `strings` are the spans of the literals in `content`, which has no comments.
    """

    def __init__(self, content: bytes, strings: Sequence[tuple[int, int]]):
        self._bare = overwrite_spans(content, strings)
        self._lines = LineCounter(content)
        self._open: list[_OpenCondition] = []
        self.regions: list[Region] = []
        self.includes: list[str] = []
        self.macros: list[Macro] = []
        self.dropped: list[tuple[int, int]] = []

    def read(self, name: bytes, text: bytes, start: int, end: int) -> None:
        """Read the directive between two offsets; `text` is what follows its name."""
        argument = text.replace(b"\\\n", b" ")
        line = self._lines.number(start)
        if name in (b"if", b"ifdef", b"ifndef"):
            self._open.append(_OpenCondition(_condition(name, argument), line, end))
        elif name in (b"elif", b"else", b"elifdef") and self._open:
            self._close(line, start)
            before = self._open.pop()
            earlier = [*before.earlier, before.condition]
            condition = _condition(b"if", argument) if name == b"elif" else "1"
            self._open.append(_OpenCondition(condition, line, end, earlier, before.unbalanced))
        elif name == b"endif" and self._open:
            self._close(line, start)
            self._open.pop()
        elif name == b"include":
            self.includes.append(argument.strip().decode("utf-8", "replace"))
        elif name == b"define":
            self._define(text, line)

    def _close(self, line: int, offset: int) -> None:
        """End a branch and record its condition for its lines.

        If the alternatives of an #if have unbalanced braces, only the first remains in the text.
        """
        branch = self._open[-1]
        condition = " && ".join(
            [*(f"!({earlier})" for earlier in branch.earlier), f"({branch.condition})"]
        )
        self.regions.append(Region(branch.line, line, condition))
        opened, closed = (
            [self._bare.count(bracket, branch.start, offset) for bracket in brackets]
            for brackets in _BRACKETS
        )
        unbalanced = opened != closed
        if branch.earlier and branch.unbalanced and unbalanced:
            self.dropped.append((branch.start, offset))
        branch.unbalanced = branch.unbalanced or unbalanced

    def _define(self, definition: bytes, line: int) -> None:
        match = _DEFINE.match(definition.replace(b"\\\n", b" \n"))
        if match is None:
            return
        body = match[4].decode("utf-8", "replace")
        # Keep the calls of inline assembly; drop other strings.
        bare = _STRING.sub(_find_asm_call, body)
        parameters = (match[3] or b"").decode("utf-8", "replace").replace("...", "__VA_ARGS__")
        names = tuple(parameter.strip() for parameter in parameters.split(",") if parameter.strip())
        calls = [
            (name, line + bare.count("\n", 0, at))
            for name, at in _find_calls(bare, frozenset(names))
        ]
        # A macro that defines functions is expanded where it is used at file scope.
        defines = _FUNCTION_IN_MACRO.search(body) is not None
        keep = defines or bool(_ASM.search(body)) or '"' in body or len(body) < 400
        self.macros.append(
            Macro(
                match[1].decode(),
                line,
                match[2] is not None,
                names,
                tuple(calls),
                " ".join(body.split()) if keep else "",
            )
        )


def _find_calls(text: str, parameters: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Yield the calls in a macro's text, as in Macro.calls, and their offsets."""
    members = {}
    if "->" in text or "." in text:
        members = {match.end(): match for match in MEMBER_CALLED.finditer(text)}
    for called in CALLED.finditer(text):
        if match := members.get(called.end()):
            path = IDENTIFIER.findall(match[2])
            base = "" if match[1] is None or match[1] in parameters else match[1]
            # The parameter that names the member is replaced where the macro is used.
            if path[-1] not in parameters:
                yield ".".join([base, *path]), called.start()
        elif (
            called[1] not in _NO_CALLS
            and called[1] not in parameters
            and not text[: called.start()].rstrip().endswith("##")
        ):
            yield called[1], called.start()


def _find_asm_call(match: re.Match[str]) -> str:
    called = _ASM_CALL.search(match[0])
    return f" {called[1]}( " if called else '""'


@dataclass(slots=True)
class _OpenCondition:
    condition: str
    line: int
    start: int
    earlier: list[str] | tuple[str, ...] = ()
    unbalanced: bool = False


def _condition(name: bytes, argument: bytes) -> str:
    text = " ".join(argument.decode("utf-8", "replace").split())
    if name == b"ifdef":
        return f"defined({text})"
    if name == b"ifndef":
        return f"!defined({text})"
    return text
