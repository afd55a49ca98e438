"""What a .cocci says of itself: its purpose, its options, what it needs, and its modes.

Documentation/dev-tools/coccinelle.rst and scripts/coccicheck of the kernel: `///` lines say what
it is for, `//#` lines comment on it, and `// Confidence:`, `// Options:`, `// Requires:` are read
by grep, wherever they stand. `virtual` names are SmPL (Coccinelle manual, "The SmPL grammar").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from patchgen.coccinelle.lexing import GAP, Plain, make_plain
from patchgen.errors import Place, SpecError
from patchgen.model.sweep import Mode

_WORD = r"[A-Za-z_$][A-Za-z0-9_$]*"
_VIRTUAL = re.compile(
    rf"(?<![A-Za-z0-9_$])virtual(?=[^A-Za-z0-9_$]){GAP}({_WORD}(?:{GAP},{GAP}{_WORD})*)", re.DOTALL
)
_IDENTIFIER = re.compile(rf"(?<![A-Za-z0-9_$])virtual[ \t\n]*\.[ \t\n]*({_WORD})")
# cocci_args.ml reads these before anything else is read, in comments and scripts as well.
_SPATCH = re.compile(r"^[ \t\r\f\v]*#[ \t\r\f\v]*spatch(?P<words>.+)$")
_INCLUDE = re.compile(r"#[ \t]*include[ \t]*\"(?P<name>[^\"]+)\"")
_USING = re.compile(
    rf"(?<![A-Za-z0-9_$])using{GAP}(?P<name>\"(?:\\.|[^\"\\])*\"|<[^>\n]*>)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Numbered:
    """Words that stand in a line. Lines count from 1."""

    line: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """What a .cocci says of itself.

    `options` are those of `// Options:` lines, `own_options` those of `#spatch` lines; spatch
    reads the latter itself. `requires` is the least version of spatch, "" for any. `modes` are
    those that can be asked for with -D; with none of them it is run as it is, in PATCH mode.
    `virtuals` are its other virtual rules, `identifiers` the virtual identifiers that it uses.
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

    @property
    def rules(self) -> tuple[str, ...]:
        """All virtual rules, the modes among them."""
        return (*self.modes, *self.virtuals)

    def is_met_by(self, version: str) -> bool:
        """Tell whether a spatch of that version is new enough, in the order of `sort -V`."""
        return not self.requires or _version_key(self.requires) <= _version_key(version)


@dataclass(frozen=True, slots=True)
class Reference:
    """Another file that a .cocci reads: its name, and the offset where it is named.

    `is_shipped` is set for isomorphisms in angle brackets, which stand in Coccinelle's folder.
    """

    name: str
    offset: int
    is_shipped: bool = False


def decode_cocci(content: bytes, name: str) -> str:
    """Return the text of a .cocci, its lines ended by line feeds.

    Raises SpecError with the line where it is not UTF-8.
    """
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        excerpt = content.split(b"\n")[line - 1].decode("utf-8", "replace").rstrip("\r")
        raise SpecError(
            "this is not UTF-8",
            place=Place(name, line, excerpt=excerpt),
            hint="convert the file, for example: iconv -f latin1 -t utf-8",
        ) from error


def read_header(text: str) -> Header:
    """Return what a .cocci says of itself."""
    names = _virtual_names(text)
    requires = sorted((v for _, v in _fields(text, "Requires:") if v), key=_version_key)
    confidence = [value for _, value in _fields(text, "Confidence:") if value]
    return Header(
        purpose=_comment_lines(text, "///"),
        comments=_comment_lines(text, "//#"),
        confidence=confidence[0] if confidence else "",
        options=tuple(word for each in read_options(text) for word in each.words),
        own_options=tuple(word for each in read_own_options(text) for word in each.words),
        requires=requires[-1] if requires else "",
        modes=tuple(mode for mode in Mode if mode in names),
        virtuals=tuple(name for name in names if name not in set(Mode)),
        identifiers=tuple(dict.fromkeys(_IDENTIFIER.findall(make_plain(text).text))),
    )


def read_options(text: str) -> tuple[Numbered, ...]:
    """Return the words of `// Options:` lines, as coccicheck's grep and cut take them."""
    return tuple(Numbered(line, tuple(value.split())) for line, value in _fields(text, "Options:"))


def read_own_options(text: str) -> tuple[Numbered, ...]:
    """Return the words of `#spatch` lines; quotes are left in them."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if match := _SPATCH.match(line):
            found.append(Numbered(number, tuple(match["words"].split())))
    return tuple(found)


def find_includes(text: str) -> tuple[Reference, ...]:
    """Return the .cocci files that are included: `#include "..."` before the first rule."""
    plain = make_plain(text)
    return tuple(
        Reference(each["name"], each.start())
        for each in _INCLUDE.finditer(text)
        if each.start() < plain.find_prolog_end() and _is_kept(plain, each)
    )


def find_isomorphisms(text: str) -> tuple[Reference, ...]:
    """Return the isomorphism files that `using` names, before the rules or in their headers."""
    plain = make_plain(text)
    return tuple(
        Reference(each["name"][1:-1], each.start(), each["name"].startswith("<"))
        for each in _USING.finditer(text)
        if _is_kept(plain, each)
    )


def _is_kept(plain: Plain, found: re.Match[str]) -> bool:
    """Tell whether a match begins outside of comments and literals."""
    return plain.text[found.start()] == found[0][0]


def _virtual_names(text: str) -> tuple[str, ...]:
    plain = make_plain(text)
    names: list[str] = []
    for found in _VIRTUAL.finditer(plain.text, 0, plain.find_prolog_end()):
        names += re.findall(_WORD, re.sub(GAP + ",", ",", found[1], flags=re.DOTALL))
    return tuple(dict.fromkeys(names))


def _fields(text: str, name: str) -> list[tuple[int, str]]:
    """Return line and value of what `grep NAME | cut -d: -f2` finds."""
    lines = enumerate(text.split("\n"), 1)
    return [(number, line.split(":")[1].strip()) for number, line in lines if name in line]


def _comment_lines(text: str, mark: str) -> str:
    lines = [line.removeprefix(mark) for line in text.split("\n") if line.startswith(mark)]
    return "\n".join(line.removeprefix(" ").rstrip() for line in lines).strip("\n")


def _version_key(version: str) -> list[tuple[list[int], int]]:
    """Return a key in the order of filevercmp(3), which `sort -V` has."""
    parts = re.findall(r"([^0-9]*)([0-9]*)", version)
    return [([_order(sign) for sign in text] + [0], int(digits or 0)) for text, digits in parts]


def _order(sign: str) -> int:
    if sign == "~":
        return -1
    return ord(sign) if sign.isalpha() else ord(sign) + 0x110000
