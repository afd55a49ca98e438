# SPDX-License-Identifier: GPL-2.0-or-later
"""The result of building a commit in one configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BuiltObject:
    """An object as built: its warnings without line numbers, and digests of its functions.

    `functions` is empty if the configuration's code cannot be compared.
    """

    warnings: tuple[str, ...] = ()
    functions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BuildFailure:
    """Why a build stopped: the first error, its file and line, and the log of the complete output.

    `hint` says what the user can do, "" if that is unknown; `parameter` is the input to change.
    """

    text: str
    where: str = ""
    hint: str = ""
    parameter: str = ""
    log: Path | None = None

    @property
    def error(self) -> str:
        """Return the error in one line, with its place."""
        return f"{self.where}: {self.text}" if self.where else self.text


@dataclass(frozen=True, slots=True)
class Build:
    """One commit in one configuration: objects by their paths, or the failure.

    `read` are the files of the series that a compiler read for the objects, headers too; `unread`
    are the others that the commit has. `includers` are the objects that were built only for the
    headers that they include. `needed` are the symbols that the objects refer to, `undefined` those
    of them that this configuration does not define. `mismatches` are modpost's reports of
    references to code and data that are freed after boot; `unchecked` is the reason if modpost
    could not read the objects.
    """

    objects: Mapping[str, BuiltObject] = field(default_factory=dict)
    read: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    includers: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    undefined: tuple[str, ...] = ()
    mismatches: tuple[str, ...] = ()
    unchecked: str = ""
    failure: BuildFailure | None = None
