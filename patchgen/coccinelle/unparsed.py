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

In place of the lines, `PB: bad: but on tokens not from original file` is printed if the error is in
what a macro of spatch's own expands to.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from patchgen.ctokens import Token, erase_directives, tokenize
from patchgen.model.outcome import UnparsedFunction

_ERROR_IN = re.compile(r"^\s*= error in (?P<file>.*); set verbose_parsing for more info$")
_BAD = re.compile(r"^(?:bad: |BAD:!!!!! )(?P<line>.*)$")
_NOWHERE = re.compile(r"^PB: bad: but on tokens not from original file")
# A file, and the lines of a stretch in it; no lines if it may be anywhere in the file.
_Stretch = tuple[str, list[str]]


def read_unparsed(
    output: str, sources: Mapping[str, bytes], handled: str
) -> tuple[UnparsedFunction, ...]:
    """Return the functions in the stretches of the sources that spatch marked as bad.

    `sources` are the texts by the names that spatch prints, `handled` is the file that is run. A
    stretch without a function (of macros, for example) is one entry without a name.
    """
    found: dict[UnparsedFunction, None] = {}
    finders: dict[str, _StretchFinder] = {}
    for name, stretch in _bad_stretches(output, handled):
        if name in sources:
            finder = finders.setdefault(name, _StretchFinder(sources[name]))
            found |= dict.fromkeys(finder.find(PurePosixPath(name), stretch))
    return tuple(found)


def _bad_stretches(output: str, handled: str) -> Iterator[_Stretch]:
    """Yield the stretches that could not be parsed."""
    name = handled
    stretch: list[str] = []
    for line in [*output.splitlines(), ""]:
        if (bad := _BAD.match(line)) is not None:
            stretch.append(bad["line"])
            continue
        if stretch:
            yield name, stretch
            stretch = []
        if _NOWHERE.match(line):
            yield name, []
        if (error := _ERROR_IN.match(line)) is not None:
            name = posixpath.normpath(error["file"])


class _StretchFinder:
    """Finds stretches in a source. They are in its order, until spatch begins with it again."""

    def __init__(self, source: bytes):
        self._macros = _find_macros(source)
        self._lines = [line.rstrip() for line in source.decode("latin-1").split("\n")]
        # A stretch can begin in the middle of a continued #define.
        self._code = erase_directives(source).split(b"\n")
        self._searched = 0

    def find(self, path: PurePosixPath, stretch: Sequence[str]) -> list[UnparsedFunction]:
        wanted = [line.rstrip() for line in stretch]
        start = self._locate(wanted, self._searched)
        if start is None:
            start = self._locate(wanted, 0)
        if start is None or not stretch:
            # It is in this file, but where cannot be determined.
            code = b"\n".join(self._code)
            return [UnparsedFunction(path, 1, None, len(self._lines), self._words(code))]
        end = self._searched = start + len(stretch)
        functions = _find_functions(self._code[start:end])
        starts = [start + line for line, _ in functions] or [start]
        # What precedes the first function is in the stretch, too.
        ends = [*starts[1:], end]
        places = [start, *starts[1:]]
        names = [name for _, name in functions] or [None]
        return [
            UnparsedFunction(
                path, shown + 1, name, last, self._words(b"\n".join(self._code[first:last]))
            )
            for shown, first, last, name in zip(starts, places, ends, names, strict=True)
        ]

    def _words(self, code: bytes) -> frozenset[str]:
        """Return the tokens of a code, and of the file's macros that it uses."""
        words: set[bytes] = set()
        waiting = [code]
        while waiting:
            new = {token.text for token in tokenize(waiting.pop())} - words
            words |= new
            waiting += [self._macros[word] for word in new if word in self._macros]
        return frozenset(word.decode("latin-1") for word in words)

    def _locate(self, wanted: Sequence[str], start: int) -> int | None:
        """Return the index of a stretch in the file, from `start` on; None if it is not found."""
        for index in range(start, len(self._lines) - len(wanted) + 1):
            if self._lines[index : index + len(wanted)] == wanted:
                return index
        return None


_DEFINE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)((?:[^\\\n]|\\[^\n]|\\\n)*)", re.MULTILINE)


def _find_macros(source: bytes) -> dict[bytes, bytes]:
    """Return the definitions of the macros of a file; several of one name are joined."""
    found: dict[bytes, bytes] = {}
    for name, definition in _DEFINE.findall(source):
        found[name] = found.get(name, b"") + definition + b"\n"
    return found


# --- the names of functions ---

# Words that parentheses may follow in a body, and the names of attributes and of macros.
_NO_NAME = frozenset({b"if", b"for", b"while", b"do", b"switch", b"return", b"sizeof", b"else"})
_ATTRIBUTE = re.compile(rb"__\w+\Z")
_MACRO = re.compile(rb"[A-Z][A-Z0-9_]*\Z")


def _find_functions(code: Sequence[bytes]) -> list[tuple[int, str | None]]:
    """Return line (from 0) and name of each function that begins in a stretch.

    The stretch may begin anywhere, and need not be valid C. A function's header begins in the first
    column and ends before a `{`; the name is None if it is uncertain.
    """
    found: list[tuple[int, str | None]] = []
    header: list[Token] = []
    depth = 0
    for token in tokenize(b"\n".join(code)):
        if token.text == b"{":
            if depth == 0 and (named := _name_of(header, code)) is not None:
                found.append(named)
            depth += 1
            header = []
        elif token.text == b"}":
            # In kernel code, a brace in the first column closes everything.
            closes_all = code[token.line - 1].startswith(b"}")
            depth = 0 if closes_all else max(0, depth - 1)
            header = []
        elif depth == 0:
            header = [] if token.text == b";" else [*header, token]
    return found


def _name_of(header: Sequence[Token], code: Sequence[bytes]) -> tuple[int, str | None] | None:
    """Return line and name of the function that a header is of; None if it is of something else."""
    nested = 0
    names: list[Token] = []
    gap: list[Token] = []
    for token, following in zip(header, [*header[1:], None], strict=True):
        if token.text in (b"(", b")"):
            nested += 1 if token.text == b"(" else -1
            gap = []
        elif nested == 0 and token.text == b"=":
            return None
        elif nested == 0 and token.is_word and following is not None and following.text == b"(":
            # After an attribute, a type precedes the name; after the name, attributes follow.
            if not names or gap:
                names.append(token)
        elif nested == 0:
            gap.append(token)
    if not names or nested or any(token.text in _NO_NAME for token in header):
        return None
    if not code[header[0].line - 1][:1].strip():
        # A header begins in the first column; this may be any statement.
        return None
    certain = [name for name in names if not _MACRO.match(name.text)]
    if len(certain) > 1:
        certain = [name for name in certain if not _ATTRIBUTE.match(name.text)]
    line = (certain or names)[0].line - 1
    is_certain = len(certain) == 1 and header[0] is not certain[0]
    return line, certain[0].text.decode("latin-1") if is_certain else None
