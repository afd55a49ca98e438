# SPDX-License-Identifier: GPL-2.0-or-later
"""Read what spatch could not parse from its messages, as 1.1.1 and 1.3.1 print them:

    parse error
     = error in FILE; set verbose_parsing for more info
    badcount: 2
    bad: static inline long f(void)
    BAD:!!!!! asm(...

FILE is the file that is run, a header that it includes, or a file that spatch wrote itself: after a
change it parses the new function (cocci_small_output-*) and the new file (cocci-output-*) again.
Only the first two are places in the source. A header is parsed again for each file that includes
it, and each file again if a script asks for another pass.

FILE is a file of macros, such as spatch's standard.h, if the error is in what one of them expands
to. The lines are those of the source with the macro's use.

In place of the lines, `PB: bad: but on tokens not from original file` is printed if the error is in
what a macro of spatch's own expands to.

A function that was parsed, but for which spatch can make no flow graph, is lost as well:

    FLOW: weird switch: File "a.c", line 18
    FLOW: can't jump to out: because we can't find this label

Dead code is reported in the same way, but the function is not lost.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.coccinelle.function_headers import find_function_headers
from patchgen.ctokens import erase_directives, tokenize
from patchgen.model.outcome import UnparsedFunction

_ERROR_IN = re.compile(r"^\s*= error in (?P<file>.*); set verbose_parsing for more info$")
_BAD = re.compile(r"^(?:bad: |BAD:!!!!! )(?P<line>.*)$")
_NOWHERE = re.compile(r"^PB: bad: but on tokens not from original file")
_FLOW = re.compile(
    r"^FLOW: (?!deadcode)(?P<what>.*?)(?:: File \"(?P<file>[^\"]*)\", line (?P<line>\d+))?$"
)
_OWN_OUTPUT = re.compile(r"\bcocci(?:_small_output|-output)-")
_LABEL = re.compile(r"can't jump to (?P<missing>\w+):|duplicate label (?P<double>\w+)")


@dataclass(slots=True)
class _Stretch:
    """Lines of a file that could not be parsed; none if they may be anywhere in the file."""

    file: str
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _FlowError:
    """A function for which spatch made no flow graph: a line in it (from 1), and the reason."""

    file: str
    line: int | None
    what: str


def read_unparsed(
    output: str, sources: Mapping[str, bytes], handled: str
) -> tuple[UnparsedFunction, ...]:
    """Return the functions in the stretches of the sources that spatch marked as bad.

    `sources` are the texts by the names that spatch prints, `handled` is the file that is run. A
    stretch without a function (of macros, for example) is one entry without a name.
    """
    found: dict[UnparsedFunction, None] = {}
    finders: dict[str, _PlaceFinder] = {}
    for error in _read_errors(output, handled):
        for name in _list_sources(error, sources, handled):
            finder = finders.get(name)
            if finder is None:
                finder = finders[name] = _PlaceFinder(PurePosixPath(name), sources[name])
            if isinstance(error, _FlowError):
                found |= dict.fromkeys(finder.find_function(error))
            elif error.file == name or finder.has_lines(error.lines):
                found |= dict.fromkeys(finder.find(error.lines))
                break
    return tuple(found)


def _list_sources(
    error: _Stretch | _FlowError, sources: Mapping[str, bytes], handled: str
) -> Sequence[str]:
    """Return the sources to search for an error: for one in a macro, all until it is found."""
    if error.file in sources:
        return (error.file,)
    if isinstance(error, _FlowError) or not error.lines or _OWN_OUTPUT.search(error.file):
        return ()
    return (handled, *sources)


def _read_errors(output: str, handled: str) -> Iterator[_Stretch | _FlowError]:
    """Yield what spatch could not parse, in the order of its messages."""
    name = handled
    stretch: _Stretch | None = None
    for line in output.split("\n"):
        if (bad := _BAD.match(line)) is not None:
            stretch = stretch or _Stretch(name)
            stretch.lines.append(bad["line"])
            continue
        if stretch is not None:
            yield stretch
            stretch = None
        if _NOWHERE.match(line):
            yield _Stretch(name)
        elif (error := _ERROR_IN.match(line)) is not None:
            name = posixpath.normpath(error["file"])
        elif (flow := _FLOW.match(line)) is not None:
            file = posixpath.normpath(flow["file"]) if flow["file"] else handled
            yield _FlowError(file, int(flow["line"]) if flow["line"] else None, flow["what"])
    if stretch is not None:
        yield stretch


class _PlaceFinder:
    """Finds places in a source. Stretches are in its order, until spatch reads it again."""

    def __init__(self, path: PurePosixPath, source: bytes):
        self._path = path
        self._macros = _find_macros(source)
        self._source = source.split(b"\n")
        self._lines = [line.rstrip() for line in source.decode("latin-1").split("\n")]
        # A stretch can begin in the middle of a continued #define.
        self._code = erase_directives(source).split(b"\n")
        self._searched = 0

    def has_lines(self, stretch: Sequence[str]) -> bool:
        """Return whether the source has the lines of a stretch."""
        return self._locate([line.rstrip() for line in stretch], 0) is not None

    def find(self, stretch: Sequence[str]) -> list[UnparsedFunction]:
        """Return the functions in a stretch."""
        lines = [line.rstrip() for line in stretch]
        start = self._locate(lines, self._searched)
        if start is None:
            start = self._locate(lines, 0)
        if start is None or not stretch:
            return [self._anywhere()]
        end = self._searched = start + len(stretch)
        functions = find_function_headers(self._code[start:end])
        starts = [start + line for line, _ in functions] or [start]
        # What precedes the first function is in the stretch, too.
        ends = [*starts[1:], end]
        places = [start, *starts[1:]]
        names = [name for _, name in functions] or [None]
        return [
            self._place(shown, name, first, last)
            for shown, first, last, name in zip(starts, places, ends, names, strict=True)
        ]

    def find_function(self, error: _FlowError) -> list[UnparsedFunction]:
        """Return the function that has no flow graph; all candidates if that is uncertain.

        spatch may miss a label that a function has, so any function that uses it is a candidate.
        """
        label = _LABEL.match(error.what)
        functions = list(self._functions())
        found = [place for place in functions if place[0] < (error.line or 0) <= place[2]]
        for test in (_has_wrong_label, _uses_label):
            if label is not None and not found:
                found = [place for place in functions if test(self._text(place), label)]
        return [self._place(start, name, start, end) for start, name, end in found] or [
            self._anywhere()
        ]

    def _functions(self) -> Iterator[tuple[int, str | None, int]]:
        """Yield first line (from 0), name and end of each function."""
        for start, name in find_function_headers(self._code):
            closed = (at for at in range(start, len(self._code)) if self._code[at][:1] == b"}")
            yield start, name, next(closed, len(self._code) - 1) + 1

    def _text(self, function: tuple[int, str | None, int]) -> str:
        return b"\n".join(self._code[function[0] : function[2]]).decode("latin-1")

    def _place(self, line: int, name: str | None, begin: int, end: int) -> UnparsedFunction:
        """Return the place of some lines; all count from 0."""
        # The body of a macro is code, too, and is parsed.
        words = self._words(b"\n".join(self._source[begin:end]))
        return UnparsedFunction(self._path, line + 1, name, end, words)

    def _anywhere(self) -> UnparsedFunction:
        """Return a place in the file that cannot be determined."""
        return self._place(0, None, 0, len(self._code))

    def _words(self, code: bytes) -> frozenset[str]:
        """Return the tokens of a code, and of the file's macros that it uses."""
        words: set[bytes] = set()
        pending = [code]
        while pending:
            new = {token.text for token in tokenize(pending.pop())} - words
            words |= new
            pending += [self._macros[word] for word in new if word in self._macros]
        return frozenset(word.decode("latin-1") for word in words)

    def _locate(self, lines: Sequence[str], start: int) -> int | None:
        """Return the index of a stretch in the file, from `start` on; None if it is not found."""
        for index in range(start, len(self._lines) - len(lines) + 1):
            if self._lines[index : index + len(lines)] == lines:
                return index
        return None


def _has_wrong_label(function: str, error: re.Match[str]) -> bool:
    """Return whether a function jumps to a label that it does not have, or has one twice."""
    name = error["missing"] or error["double"]
    labels = len(re.findall(rf"^\s*{name}\s*:", function, re.MULTILINE))
    return labels > 1 if error["double"] else labels == 0 and _uses_label(function, error)


def _uses_label(function: str, error: re.Match[str]) -> bool:
    name = error["missing"] or error["double"]
    return re.search(rf"\bgoto\s+{name}\b|^\s*{name}\s*:", function, re.MULTILINE) is not None


_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)((?:[^\\\n]|\\[^\n]|\\\n)*)", re.MULTILINE)


def _find_macros(source: bytes) -> dict[bytes, bytes]:
    """Return the definitions of the macros of a file; several of one name are joined."""
    found: dict[bytes, bytes] = {}
    for name, definition in _DEFINE.findall(source):
        found[name] = found.get(name, b"") + definition + b"\n"
    return found
