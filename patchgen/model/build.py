"""What building a commit in one configuration came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BuiltObject:
    """An object as built: its warnings without line numbers, and digests of its functions.

    `functions` is empty where the configuration's code is not to be compared.
    """

    warnings: tuple[str, ...] = ()
    functions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BuildFailure:
    """Why a build stopped: the compiler's own first error, and where the whole output is."""

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
