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
    """Why a build stopped: the compiler's first error, and the log with the complete output."""

    error: str
    log: Path


@dataclass(frozen=True, slots=True)
class Build:
    """One commit in one configuration: objects by their paths, or the failure.

    `needed` are the symbols that the objects refer to, `undefined` those of them that nothing in
    this configuration defines.
    """

    objects: Mapping[str, BuiltObject] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    undefined: tuple[str, ...] = ()
    failure: BuildFailure | None = None
