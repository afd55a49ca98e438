# SPDX-License-Identifier: GPL-2.0-or-later
"""Parse MAINTAINERS: its sections, their lines, and the path patterns F: and X:.

The top of MAINTAINERS itself describes the format; where it is ambiguous, the rules are those of
scripts/get_maintainer.pl (Linux 6.1 to 6.12). A line "X: value", where X is a capital letter in
the first column, belongs to the last line before it that is neither such a line, nor empty, nor a
comment: the name of the section.

get_maintainer.pl turns a path pattern into a Perl regular expression: `*` is `.*`, which crosses
folders, `?` is any character, a dot is a dot, and it has to match at the beginning of the path. A
pattern that ends in a slash covers everything below it; any other only paths with as many slashes
as the pattern. A slash is added to a pattern that names a folder; the script looks that up in a
checkout, and patchgen in the tree. All other special characters of Perl are special in patterns,
too: `[ch]`. Patterns with only `*` and `?` are matched here, in linear time for each part between
two stars; the others are left to section_match.py.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from patchgen.controls import escape_controls
from patchgen.model.base import TreeReader

_FIELD = re.compile(r"(?P<key>[A-Z]):\s*(?P<value>.*)", re.DOTALL)
# The longest line of Linux 6.12 has 160 characters.
_MAX_LENGTH = 4096
# MAINTAINERS may be a folder of files (get_maintainer.pl --mpath).
_FILES = ("MAINTAINERS", "MAINTAINERS/*")
_SPECIAL = re.compile(r"[\[\](){}+^$|\\]")
_WILD = re.compile(r"[*?]")

IsFolder = Callable[[str], bool]

Line = tuple[str, int, str]


class Field(NamedTuple):
    """A line "KEY: VALUE" of a file; `number` is its index among all lines that are not empty.

    A tree has 20,000, and a dataclass takes three times as long to create as a tuple. The value is
    unchanged: it may have control characters, and bytes that are not UTF-8 as surrogates (PEP 383).
    """

    key: str
    value: str
    file: str
    line: int
    number: int

    @property
    def place(self) -> str:
        """Its location, as "FILE:LINE"."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, eq=False)
class MaintainersSection:
    """A section of MAINTAINERS. `number` is its index there; its name has no control characters.

    Sections are compared by identity, since some have hundreds of lines.
    """

    number: int
    name: str
    fields: tuple[Field, ...] = ()

    def select(self, keys: str) -> Iterator[Field]:
        """Yield the lines with one of these keys, in order."""
        return (field for field in self.fields if field.key in keys)

    @property
    def maintainers(self) -> tuple[str, ...]:
        """The values of the M: lines, without control characters."""
        return tuple(escape_controls(field.value.strip()) for field in self.select("M"))

    @property
    def lists(self) -> tuple[str, ...]:
        """The addresses of the mailing lists, without control characters."""
        fields = (field.value.split() for field in self.select("L"))
        return tuple(escape_controls(parts[0]) for parts in fields if parts)


@dataclass(frozen=True, slots=True)
class MaintainersFile:
    """All sections of a tree's MAINTAINERS, and warnings about lines that could not be read."""

    sections: tuple[MaintainersSection, ...]
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A section under construction."""

    name: str
    fields: list[Field] = field(default_factory=list)


def read_maintainers(tree: TreeReader) -> MaintainersFile | None:
    """Return the MAINTAINERS of a tree, None without one."""
    files = [file for file in tree.find(_FILES) if not file.path.name.startswith(".")]
    if not files:
        return None
    texts = [(str(file.path), tree.read(file).decode("utf-8", "surrogateescape")) for file in files]
    return _read(line for name, text in texts for line in _number_lines(name, text))


def parse_maintainers(text: str, name: str = "MAINTAINERS") -> MaintainersFile:
    """Parse the text of one file."""
    return _read(_number_lines(name, text))


def _number_lines(name: str, text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):
        yield name, number, line.removesuffix("\r")


def _read(lines: Iterable[Line]) -> MaintainersFile:
    drafts: list[_Draft] = []
    warnings = []
    count = 0
    for file, number, line in lines:
        if not line or line.isspace() or line.lstrip().startswith("#"):
            continue
        if len(line) > _MAX_LENGTH:
            warnings.append(f"{file}:{number}: a line of {len(line)} characters was left out")
            continue
        match = _FIELD.match(line)
        if match is None:
            drafts.append(_Draft(line))
        elif not drafts:
            # Like the script: a field before the first name becomes a name itself.
            drafts.append(_Draft(line))
        else:
            drafts[-1].fields.append(Field(match["key"], match["value"], file, number, count))
        count += 1
    return MaintainersFile(tuple(_finish(drafts)), tuple(warnings))


def _finish(drafts: Sequence[_Draft]) -> Iterator[MaintainersSection]:
    for number, draft in enumerate(drafts):
        if draft.fields:
            yield MaintainersSection(
                number, escape_controls(draft.name.strip()), tuple(draft.fields)
            )


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern of a section."""

    section: MaintainersSection
    field: Field

    @property
    def text(self) -> str:
        """The pattern as written."""
        return self.field.value

    @property
    def is_regex(self) -> bool:
        """Whether characters other than `*` and `?` are special, so that it needs an engine."""
        return bool(_SPECIAL.search(self.text))

    @property
    def regex(self) -> str:
        """Its regular expression in Perl's syntax."""
        text = self.text.replace(".", "\\.").replace("*", ".*").replace("?", ".")
        return f"^{text}"

    @property
    def depth(self) -> int:
        """Its depth: the section with the deepest pattern comes first."""
        if self.text.startswith("*"):
            return -1
        return self.text.count("/") + (0 if self.text.endswith("/") else 1)

    def accepts_slashes(self, path: str) -> bool:
        """Return whether a path whose beginning matches is not too deep."""
        return self.text.endswith("/") or self.text.count("/") == path.count("/")

    def matches(self, path: str, is_folder: IsFolder) -> bool:
        """Return whether a path matches the pattern, which must not be `is_regex`."""
        if _WILD.search(self.text):
            return self.accepts_slashes(path) and bool(_compile(self.text).match(path))
        if not path.startswith(self.text):
            return False
        remainder = path[len(self.text) :]
        if not remainder or self.text.endswith("/") or (remainder.startswith("/") and self.text):
            return True
        return "/" not in remainder and not (self.text and is_folder(self.text))


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern of `*` and `?`.

    The first place where the part after a star fits is as good as any later one, so the expression
    never backtracks over a star.
    """
    first, *others = (re.escape(part).replace(r"\?", ".") for part in pattern.split("*"))
    return re.compile(first + "".join(f"(?>.*?{part})" for part in others), re.DOTALL)


class PatternIndex:
    """Patterns by their fixed beginnings, so that a path is compared with few of them."""

    def __init__(self, patterns: Iterable[PathPattern]):
        self._by_start: defaultdict[str, list[PathPattern]] = defaultdict(list)
        self.regexes: list[PathPattern] = []
        for pattern in patterns:
            if pattern.is_regex:
                self.regexes.append(pattern)
            else:
                self._by_start[_WILD.split(pattern.text, maxsplit=1)[0]].append(pattern)
        self._lengths = sorted({len(start) for start in self._by_start})

    def find(self, path: str, is_folder: IsFolder) -> Iterator[PathPattern]:
        """Yield the patterns that match a path, except the `regexes`."""
        for length in self._lengths:
            if length > len(path):
                return
            for pattern in self._by_start.get(path[:length], ()):
                if pattern.matches(path, is_folder):
                    yield pattern
