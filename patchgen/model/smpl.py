# SPDX-License-Identifier: GPL-2.0-or-later
"""A rendered semantic patch, ready for spatch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from patchgen.errors import ErrorPlace


class Mode(StrEnum):
    """The mode of a semantic patch, as coccicheck's MODE
    (Documentation/dev-tools/coccinelle.rst). A .cocci without virtual modes has only PATCH.
    """

    PATCH = "patch"
    REPORT = "report"
    CONTEXT = "context"
    ORG = "org"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the template that an author wrote: file, number from 1, and its text."""

    file: str
    number: int
    text: str

    def place(self, column: int | None = None) -> ErrorPlace:
        """Return the place of an error in this line."""
        return ErrorPlace(self.file, self.number, column, excerpt=self.text)


@dataclass(frozen=True, slots=True)
class SemanticPatch:
    """The exact SmPL for spatch, and the inputs that go with it.

    `origin[i]` is the template line that produced line i+1 of `text` (None: unknown). `definitions`
    are values of virtual identifiers (spatch -D NAME=TEXT). `texts` replace the markers
    `/* patchgen: NAME */` in the result. `macros` is the content of spatch's --macro-file.
    """

    name: str
    text: str
    origin: tuple[SourceLine | None, ...] = ()
    definitions: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    macros: str = ""

    def place(self, line: int, column: int | None = None) -> ErrorPlace:
        """Return the place in the template for a line of the rendered text (both from 1)."""
        if 0 < line <= len(self.origin):
            source = self.origin[line - 1]
            if source is not None:
                return source.place(column)
        lines = self.text.split("\n")
        excerpt = lines[line - 1] if 0 < line <= len(lines) else None
        return ErrorPlace(self.name, line, column, excerpt=excerpt)

    @property
    def file_place(self) -> ErrorPlace:
        """The place of the whole semantic patch: the template that produced its first line."""
        source = next(filter(None, self.origin), None)
        return ErrorPlace(source.file if source else self.name)


class TemplateLine(NamedTuple):
    """The name of a template, as its loader has it, and a line number from 1."""

    template: str
    line: int
