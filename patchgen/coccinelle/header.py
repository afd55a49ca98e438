# SPDX-License-Identifier: GPL-2.0-or-later
"""The metadata of a .cocci: its purpose, its options, its requirements, and its modes.

From the kernel's Documentation/dev-tools/coccinelle.rst and scripts/coccicheck: `///` lines state
the purpose, `//#` lines comment on it; `// Confidence:`, `// Options:` and `// Requires:` are read
with grep, wherever they are. `virtual` names are SmPL (Coccinelle manual, "The SmPL grammar").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from patchgen.coccinelle.lexing import GAP, find_words, make_plain, skip_gap
from patchgen.errors import ErrorPlace, SpecError
from patchgen.model.smpl import Mode

_WORD = r"[A-Za-z_$][A-Za-z0-9_$]*"
_VIRTUAL = re.compile(
    rf"(?<![A-Za-z0-9_$])virtual(?=[^A-Za-z0-9_$]){GAP}({_WORD}(?:{GAP},{GAP}{_WORD})*)", re.DOTALL
)
_IDENTIFIER = re.compile(rf"(?<![A-Za-z0-9_$])virtual[ \t\n]*\.[ \t\n]*({_WORD})")
# Read before anything else, in comments and scripts as well. cocci_args.ml (1.1.1 and 1.3.1) trims
# the line and the text after `#`, and does not require a space after `spatch`.
_SPATCH = re.compile(r"^[ \t\r\f\v]*#[ \t\r\f\v]*spatch(?P<args>.+)$")
_NEEDS = re.compile(r"^// Needs: (\S+\.[ch]): (.*\S)[ \t]*$", re.MULTILINE)
# coccicheck reads the first three, patchgen all.
_FIELD_LINE = re.compile(r"^//[ \t]*(?:Confidence|Options|Requires|Needs):.*\n?", re.MULTILINE)
_INCLUDE = re.compile(r"#[ \t]*include[ \t]*\"(?P<name>[^\"]{1,4096})\"")
# A literal may have any of C's prefixes: L"..." (lexer_cocci.mll).
_ISOMORPHISMS = re.compile(r"(?:L|U|u8?)?\"(?P<name>(?:\\.|[^\"\\])*+)\"", re.DOTALL)
_SHIPPED = re.compile(r"<(?P<name>[^>\n]{0,255})>")


@dataclass(frozen=True, slots=True)
class OptionLine:
    """A line with options for spatch: its number, from 1, and its arguments."""

    line: int
    args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """The metadata of a .cocci.

    `options` are those of `// Options:` lines, `own_options` those of `#spatch` lines, which spatch
    reads itself. `requires` is the minimum version of spatch, "" for any. `modes` are the modes
    that -D can select; without modes, the .cocci is run unchanged, in PATCH mode. `virtuals` are
    its other virtual rules, `identifiers` the virtual identifiers that it uses. `needs` are files
    of the base, and C tokens that each must have, from patchgen's own `// Needs: FILE: TOKENS`
    lines.
    """

    purpose: str = ""
    comments: str = ""
    confidence: str = ""
    options: tuple[str, ...] = ()
    own_options: tuple[str, ...] = ()
    requires: str = ""
    modes: tuple[Mode, ...] = ()
    virtuals: tuple[str, ...] = ()
    identifiers: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        """All virtual rules, including the modes."""
        return (*self.modes, *self.virtuals)

    def is_met_by(self, version: str) -> bool:
        """Return whether a version of spatch is new enough, in the order of `sort -V`."""
        return not self.requires or _version_key(self.requires) <= _version_key(version)


@dataclass(frozen=True, slots=True)
class Reference:
    """Another file that a .cocci reads: its name, and the offset of the reference.

    `is_shipped` is set for isomorphisms in angle brackets, which are in Coccinelle's folder.
    """

    name: str
    offset: int
    is_shipped: bool = False


def decode_cocci(content: bytes, name: str) -> str:
    """Return the text of a .cocci, with line feeds as line ends.

    Raises SpecError with the line if it is not UTF-8.
    """
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        excerpt = content.split(b"\n")[line - 1].decode("utf-8", "replace").rstrip("\r")
        raise SpecError(
            "this is not UTF-8",
            code="not-utf8",
            place=ErrorPlace(name, line, excerpt=excerpt),
            hint="convert the file, for example: `iconv -f latin1 -t utf-8`",
        ) from error


def read_header(text: str) -> Header:
    """Return the metadata of a .cocci."""
    names = _virtual_names(text)
    requires = sorted((v for _, v in _fields(text, "Requires:") if v), key=_version_key)
    confidence = [value for _, value in _fields(text, "Confidence:") if value]
    return Header(
        purpose=_comment_lines(text, "///"),
        comments=_comment_lines(text, "//#"),
        confidence=confidence[0] if confidence else "",
        options=tuple(arg for option in read_options(text) for arg in option.args),
        own_options=tuple(arg for option in read_own_options(text) for arg in option.args),
        requires=requires[-1] if requires else "",
        modes=tuple(mode for mode in Mode if mode in names),
        virtuals=tuple(name for name in names if name not in set(Mode)),
        identifiers=tuple(dict.fromkeys(_IDENTIFIER.findall(make_plain(text).text))),
        needs=tuple(_NEEDS.findall(text)),
    )


def remove_fields(text: str) -> str:
    """Return a .cocci for readers of a mail: without the lines that only programs read."""
    return _FIELD_LINE.sub("", text)


def read_options(text: str) -> tuple[OptionLine, ...]:
    """Return the arguments on `// Options:` lines, as coccicheck's grep and cut find them."""
    return tuple(
        OptionLine(line, tuple(value.split())) for line, value in _fields(text, "Options:")
    )


def read_own_options(text: str) -> tuple[OptionLine, ...]:
    """Return the arguments on `#spatch` lines, split at spaces and tabs only, with their quotes."""
    options = []
    for number, line in enumerate(text.split("\n"), 1):
        if match := _SPATCH.match(line):
            args = re.split(r"[ \t]+", match["args"].strip(" \t\r\f"))
            options.append(OptionLine(number, tuple(arg for arg in args if arg)))
    return tuple(options)


def read_option_lines(text: str) -> tuple[OptionLine, ...]:
    """Return the words of all lines that set options, as patchgen obeys them."""
    return tuple(
        sorted((*read_options(text), *read_own_options(text)), key=lambda option: option.line)
    )


def has_rules(text: str) -> bool:
    """Return whether it has anything but comments, options and virtual rules."""
    return bool(_VIRTUAL.sub("", make_plain(text).plain).strip(" \t\n\r\v\f;"))


def decode_rules(content: bytes, name: str) -> str:
    """Return the text of a semantic patch. Raises SpecError if it is not UTF-8 or has no rule."""
    text = decode_cocci(content, name)
    if not has_rules(text):
        raise SpecError(
            f"{name} has no rule", code="no-rule", hint="a rule begins with @@ or @NAME@"
        )
    return text


def find_references(text: str) -> tuple[Reference, ...]:
    """Return the other files that it reads: included ones, then isomorphisms.

    `#include "..."` includes a .cocci before the first rule. `using` names isomorphisms, before the
    rules or in their headers; a header may name several, separated by commas
    (parser_cocci_menhir.mly: choose_iso). If a name cannot be read, it is "".
    """
    isomorphisms = (
        reference
        for _, start, end in find_words(text, ("using",))
        for reference in _read_using(text, start, skip_gap(text, end))
    )
    return (*_find_includes(text), *isomorphisms)


def _find_includes(text: str) -> list[Reference]:
    plain = make_plain(text)
    includes = [
        Reference(text[start + 1 : end - 1], start)
        for start, end in plain.includes
        if start < plain.prolog_end
    ]
    if plain.certain < plain.prolog_end:
        uncertain = _INCLUDE.finditer(text, plain.certain)
        includes += [Reference(match["name"], match.start()) for match in uncertain]
    return includes


def _read_using(text: str, start: int, at: int | None) -> Iterator[Reference]:
    """Yield the files named after a `using`, of which the first begins at an offset."""
    if at is not None and (shipped := _SHIPPED.match(text, at)):
        yield Reference(shipped["name"], start, is_shipped=True)
        return
    while at is not None:
        literal = _ISOMORPHISMS.match(text, at)
        if literal is None:
            return
        yield Reference(literal["name"], start)
        at = skip_gap(text, literal.end())
        if at is not None and text[at : at + 1] != ",":
            return
        at = at and skip_gap(text, at + 1)
    yield Reference("", start)


def _virtual_names(text: str) -> tuple[str, ...]:
    plain = make_plain(text)
    names: list[str] = []
    for match in _VIRTUAL.finditer(plain.text, 0, plain.prolog_end):
        names += re.findall(_WORD, re.sub(GAP + ",", ",", match[1], flags=re.DOTALL))
    return tuple(dict.fromkeys(names))


def _fields(text: str, name: str) -> list[tuple[int, str]]:
    """Return line and value of the matches of `grep NAME | cut -d: -f2`."""
    lines = enumerate(text.split("\n"), 1)
    return [(number, line.split(":")[1].strip()) for number, line in lines if name in line]


def _comment_lines(text: str, mark: str) -> str:
    lines = [line.removeprefix(mark) for line in text.split("\n") if line.startswith(mark)]
    return "\n".join(line.removeprefix(" ").rstrip() for line in lines).strip("\n")


def _version_key(version: str) -> list[tuple[list[int], int]]:
    """Return a sort key for the order of filevercmp(3), which `sort -V` uses."""
    parts = re.findall(r"([^0-9]*)([0-9]*)", version)
    return [
        ([_order(character) for character in text] + [0], int(digits or 0))
        for text, digits in parts
    ]


def _order(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 0x110000
