# SPDX-License-Identifier: GPL-2.0-or-later
"""Replace the macros that spatch cannot parse by stand-ins, and put the macros back.

spatch 1.1.1 recognises a macro by its name and by the code around it. Where it does not, it skips
the function, or reads the arguments of `__free(kfree)` as types, and then skips each later function
that calls kfree(). By its definition in the tree's headers, a macro is replaced, in the text that
spatch reads, by code that it parses:

- attributes, and #include lines within an initialiser: by a comment;
- macros that expand to initialised fields: the comma that spatch needs is added after them;
- the head of a function, `BPF_CALL_1(f, ...)`: by `int f()`;
- a type, `typeof_member(struct x, y)`: by a word;
- a pointer with its initialiser, `AUTO_KFREE(x)`: by `*x`;
- the end of `do { ... } for_each_x(...);`: by `while`;
- `DECLARE_BITMAP(x, n) = {`, which can only be a declaration, as an assignment outside of functions
  can: by `int pGq7 = {`;
- a definition that expands to a part of a statement, declaration or table: it is completed
  (define_bodies.py).

A stand-in takes as much space as the code that it replaces, or is added at the end of a line: lines
and columns do not change. Each has a number, and is found exactly once in spatch's output, in
order; otherwise the output is not used. So no stand-in can get into a result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from patchgen.sweep.define_bodies import complete_body
from patchgen.sweep.macro_kinds import MacroKind, MacroUse

# Literals, comments and directives come first, so that their text is not read as code.
_PROSE = rb"/\*.*?(?:\*/|\Z)|//[^\n]*"
_LITERAL = rb"\"(?:[^\"\\\n]|\\.)*+(?:\"|\n|\\?\Z)|'(?:[^'\\\n]|\\.)*+(?:'|\n|\\?\Z)"
_DIRECTIVE = rb"^[ \t]*#(?:[^\\\n/]|\\.|/\*.*?(?:\*/|\Z)|/)*+"
_LEXEME = re.compile(
    rb"(?P<prose>%s)|(?P<literal>%s)|(?P<directive>%s)|(?P<word>\b[A-Za-z_]\w*)"
    % (_PROSE, _LITERAL, _DIRECTIVE),
    re.DOTALL | re.MULTILINE,
)
_BRACKET = re.compile(
    rb"%s|%s|%s|[(),;{}]" % (_PROSE, _LITERAL, _DIRECTIVE), re.DOTALL | re.MULTILINE
)
_OPENS = re.compile(rb"\s*+\(")
_INITIALISES = re.compile(rb"\s*+=\s*+\{")
_ASSIGNS = re.compile(rb"\s*+=(?!=)")
_ENDS_LINE = re.compile(rb"[ \t]*(?:/\*[^\n]*\*/[ \t]*|//[^\n]*)?(?:\n|\Z)")
_SPACE = b" \t\n\r"
_DEFINED = re.compile(rb"[ \t]*#[ \t]*define[ \t]+(?P<name>\w+)(?P<parameters>\([^()]*\))?")
_INCLUDED = re.compile(rb"[ \t]*#[ \t]*include\b")
# What is declared follows: `x = 1`, `*x;`.
_DECLARES = re.compile(rb"(?:[ \t]+|[ \t]*\*+[ \t]*)[A-Za-z_]\w*[ \t]*[=;,\[]")
_MARK = b"pGq"
_RAW_ATTRIBUTES = frozenset({b"__attribute__", b"__attribute"})
_ATTRIBUTE = MacroUse(MacroKind.ATTRIBUTE)


class _StandIn(NamedTuple):
    """The text that stands for a part of a source."""

    begin: int
    end: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Disguised:
    """A source with stand-ins, and what each of them stands for, in order."""

    text: bytes
    parts: tuple[tuple[bytes, bytes], ...]

    def reveal(self, text: bytes) -> bytes | None:
        """Put the macros back into a changed text; None if a stand-in is missing or changed."""
        pieces: list[bytes] = []
        at = 0
        for stand_in, original in self.parts:
            found = text.find(stand_in, at)
            if found < 0:
                return None
            pieces += [text[at:found], original]
            at = found + len(stand_in)
        revealed = b"".join([*pieces, text[at:]])
        return None if _MARK in revealed else revealed

    def reveal_quotes(self, text: str) -> str:
        """Put the macros back into a text that spatch printed, where it quotes the source."""
        if _MARK.decode() in text:
            for stand_in, original in self.parts:
                text = text.replace(stand_in.decode("latin-1"), original.decode("utf-8", "replace"))
        return text

    def is_free(self, text: str) -> bool:
        """Return whether a text that spatch printed has no stand-in."""
        return not self.parts or _MARK.decode() not in text


def disguise(source: bytes, uses: Mapping[bytes, MacroUse]) -> Disguised | None:
    """Return a source with stand-ins; None if its own text has the mark of one."""
    if _MARK in source:
        return None
    pieces: list[bytes] = []
    parts: list[tuple[bytes, bytes]] = []
    at = 0
    for begin, end, text in _StandInFinder(source, uses).find():
        pieces += [source[at:begin], text]
        parts.append((text, source[begin:end]))
        at = end
    return Disguised(b"".join([*pieces, source[at:]]), tuple(parts))


class _StandInFinder:
    """Finds the parts of a source that get stand-ins."""

    def __init__(self, source: bytes, uses: Mapping[bytes, MacroUse]):
        self._source = source
        self._uses = uses
        self._calls = _find_calls(source)
        # The last character of code before the current lexeme.
        self._last = b";"
        self._count = 0

    def find(self) -> Iterator[_StandIn]:
        """Yield the stand-ins in the order of the source."""
        at = 0
        for lexeme in _LEXEME.finditer(self._source):
            begin = lexeme.start()
            if begin < at:
                continue
            self._last = self._source[at:begin].rstrip(_SPACE)[-1:] or self._last
            at = lexeme.end()
            if lexeme["directive"]:
                for stand_in in self._replace_directive(begin, at):
                    self._count += 1
                    yield stand_in
            elif lexeme["word"]:
                at, found = self._replace_word(lexeme)
                if found is None:
                    self._last = self._source[at - 1 : at]
                else:
                    self._count += 1
                    yield found

    @property
    def _mark(self) -> bytes:
        """The word that makes the next stand-in differ from all others."""
        return b"%s%d" % (_MARK, self._count)

    def _replace_directive(self, begin: int, end: int) -> Iterator[_StandIn]:
        text = self._source[begin:end]
        if _INCLUDED.match(text) and self._last in b"{=,|(" and b"\\\n" not in text:
            covered = self._cover(begin, end)
            yield from [covered] if covered is not None else []
        if defined := _DEFINED.match(text):
            yield from self._complete(defined, begin, end)

    def _complete(self, defined: re.Match[bytes], begin: int, end: int) -> Iterator[_StandIn]:
        """Yield what completes the definition of a macro."""
        use = self._uses.get(defined["name"])
        completion = complete_body(
            defined.string[defined.end() :],
            has_parameters=defined["parameters"] is not None,
            is_loop=use is not None and use.kind is MacroKind.ITERATOR,
        )
        if completion is None:
            return
        if completion.opens:
            at = begin + defined.end()
            yield _StandIn(at, at, b"%s/*%s*/" % (completion.opens, self._mark))
        if completion.closes:
            closes = b"/*%s*/}" if completion.closes == b"}" else b";/*%s*/"
            yield _StandIn(end, end, closes % self._mark)

    def _replace_word(self, lexeme: re.Match[bytes]) -> tuple[int, _StandIn | None]:
        """Return where to continue, and the stand-in for a word with its arguments, if any."""
        source, word, begin, after = self._source, lexeme["word"], lexeme.start(), lexeme.end()
        use = _ATTRIBUTE if word in _RAW_ATTRIBUTES else self._uses.get(word)
        if use is not None and not use.has_parameters:
            return after, self._cover(begin, after)
        commas = self._find_arguments(after)
        if not commas:
            return after, None
        end = commas[-1] + 1
        if use is None or use.kind is not MacroKind.ATTRIBUTE:
            declares = _INITIALISES.match(source, end) or (
                _ASSIGNS.match(source, end) and source[_line_start(source, begin)] not in _SPACE
            )
            if declares:
                return end, self._fill(begin, end, b"int %s/*" % self._mark)
        if use is None:
            return after, None
        if use.kind is MacroKind.ITERATOR:
            return after, self._replace_end_of_do(begin, after, end)
        return end, self._replace_call(begin, commas, use)

    def _replace_call(self, begin: int, commas: list[int], use: MacroUse) -> _StandIn | None:
        """Return what stands for a macro with arguments, by its kind."""
        source, last, end = self._source, self._last, commas[-1] + 1
        if use.kind is MacroKind.FUNCTION:
            return self._replace_head(begin, commas, use.named)
        if use.kind is MacroKind.DECLARATOR:
            name = self._argument(commas, use.named)
            has_type = last.isalnum() or last == b"_"
            head = b"*%s/*%s" % (name, self._mark)
            return self._fill(begin, end, head) if name and has_type else None
        if use.kind is MacroKind.TYPE:
            is_type = _DECLARES.match(source, end)
            return self._fill(begin, end, b"%s/*" % self._mark) if is_type else None
        if use.kind is MacroKind.FIELDS:
            is_field = last in b"{," and _ENDS_LINE.match(source, end)
            return _StandIn(end, end, b",/*%s*/" % self._mark) if is_field else None
        is_function = last != b")" and source[end : end + 80].lstrip(_SPACE)[:1] == b"{"
        # `f(x);` may be a call where another definition is used.
        is_statement = last in b";{}:" and source[end : end + 1] == b";"
        hides = not is_function and (source[begin : begin + 1] == b"_" or not is_statement)
        return self._cover(begin, end) if hides else None

    def _replace_head(self, begin: int, commas: list[int], named: int) -> _StandIn | None:
        """Return the head of a function instead of a macro that expands to one."""
        name = self._argument(commas, named)
        head = b"int %s()/*%s" % (name, self._mark)
        return self._fill(begin, commas[-1] + 1, head) if name else None

    def _replace_end_of_do(self, begin: int, after: int, end: int) -> _StandIn | None:
        """Return `while` instead of a macro that expands to it, after `do { ... }`."""
        start = begin - 1
        if self._source[start - 1 : begin] != b"} " or self._source[end : end + 1] != b";":
            return None
        return self._fill(start, after, b"while/*%s" % self._mark)

    def _argument(self, commas: list[int], number: int) -> bytes:
        """Return an argument of a call if it is a single word, else b""."""
        if len(commas) < number + 2:
            return b""
        name = self._source[commas[number] + 1 : commas[number + 1]].strip()
        return name if re.fullmatch(rb"\w+", name) else b""

    def _find_arguments(self, at: int) -> list[int]:
        """Return the offsets of the brackets and commas of the arguments after a word, if any."""
        opened = _OPENS.match(self._source, at)
        return self._calls.get(opened.end() - 1, []) if opened is not None else []

    def _cover(self, begin: int, end: int) -> _StandIn | None:
        """Return a comment instead of a text."""
        return self._fill(begin, end, b"/*%s" % self._mark)

    def _fill(self, begin: int, end: int, head: bytes) -> _StandIn | None:
        """Return a text that begins with `head`, and then is a comment with the same white space.

        It is as long as the code that it replaces, or longer at the end of a line; None if that is
        not possible.
        """
        missing = len(head) + 2 - (end - begin)
        if missing > 0 and not _ENDS_LINE.match(self._source, end):
            return None
        text = self._source[begin:end] + b"-" * max(0, missing)
        if any(character in text[: len(head)] + text[-2:] for character in b"\n\r\t"):
            return None
        middle = re.sub(rb"[^\n\r\t]", b"-", text[len(head) : -2])
        return _StandIn(begin, end, head + middle + b"*/")


def _line_start(source: bytes, at: int) -> int:
    return source.rfind(b"\n", 0, at) + 1


def _find_calls(source: bytes) -> dict[int, list[int]]:
    """Return the offsets of the brackets and commas of each pair of parentheses, by the first.

    Parentheses with a semicolon or a brace in them are left out.
    """
    calls: dict[int, list[int]] = {}
    opened: list[list[int]] = []
    for found in _BRACKET.finditer(source):
        token, at = found[0], found.start()
        if token == b"(":
            opened.append([at])
        elif token in (b";", b"{", b"}"):
            opened.clear()
        elif token in (b",", b")") and opened:
            opened[-1].append(at)
            if token == b")":
                offsets = opened.pop()
                calls[offsets[0]] = offsets
    return calls
