# SPDX-License-Identifier: GPL-2.0-or-later
"""Parse MAINTAINERS: its sections, and their lines.

The top of MAINTAINERS itself describes the format; where it is ambiguous, the rules are those of
scripts/get_maintainer.pl (Linux 6.1 to 6.12). A line "X: value", where X is a capital letter in
the first column, belongs to the last line before it that is neither such a line, nor empty, nor a
comment: the name of the section.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from patchgen.controls import escape_controls
from patchgen.model.base import TreeReader

_FIELD = re.compile(r"(?P<key>[A-Z]):\s*(?P<value>.*)", re.DOTALL)
# The longest line of Linux 6.12 has 160 characters.
_LONGEST = 4096
# MAINTAINERS may be a folder of files (get_maintainer.pl --mpath).
_FILES = ("MAINTAINERS", "MAINTAINERS/*")

Line = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class Field:
    """A line "KEY: VALUE" of a file; `number` is its index among all lines that are not empty.

    The value is unchanged: it may have control characters, and bytes that are not UTF-8 as
    surrogates (PEP 383).
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
        return (each for each in self.fields if each.key in keys)

    @property
    def maintainers(self) -> tuple[str, ...]:
        """The values of the M: lines, without control characters."""
        return tuple(escape_controls(each.value.strip()) for each in self.select("M"))

    @property
    def lists(self) -> tuple[str, ...]:
        """The addresses of the mailing lists, without control characters."""
        words = (each.value.split() for each in self.select("L"))
        return tuple(escape_controls(each[0]) for each in words if each)


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
    """Return the MAINTAINERS of a tree, None if it has none."""
    files = [file for file in tree.find(_FILES) if not file.path.name.startswith(".")]
    if not files:
        return None
    texts = [(str(file.path), tree.read(file).decode("utf-8", "surrogateescape")) for file in files]
    return _read(line for name, text in texts for line in _number(name, text))


def parse_maintainers(text: str, name: str = "MAINTAINERS") -> MaintainersFile:
    """Parse the text of one file."""
    return _read(_number(name, text))


def _number(name: str, text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):
        yield name, number, line.removesuffix("\r")


def _read(lines: Iterable[Line]) -> MaintainersFile:
    drafts: list[_Draft] = []
    warnings = []
    count = 0
    for file, number, line in lines:
        if not line or line.isspace() or line.lstrip().startswith("#"):
            continue
        if len(line) > _LONGEST:
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
