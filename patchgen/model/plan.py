# SPDX-License-Identifier: GPL-2.0-or-later
"""The plan of a series: the patches to make on a base, and those that are left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.model.base import TreeFile
from patchgen.model.outcome import Site
from patchgen.model.smpl import SemanticPatch
from patchgen.sourcefolder import SourceFolder


@dataclass(frozen=True, slots=True)
class HitCount:
    """How often a rule must match: exactly `count` times, or at least that often."""

    count: int
    at_least: bool = False

    def accepts(self, hits: int) -> bool:
        """Return whether that many hits match the declaration."""
        return hits >= self.count if self.at_least else hits == self.count

    def __str__(self) -> str:
        return f"at least {self.count}" if self.at_least else str(self.count)


@dataclass(frozen=True, slots=True)
class RunRules:
    """Run one semantic patch over each of these files.

    They are the files of the base that match any of the globs `on` and, if there are token
    sequences in `containing`, have any of these.
    """

    patch: SemanticPatch
    files: tuple[TreeFile, ...]
    must_fire: Mapping[str, HitCount]
    on: tuple[str, ...] = ()
    containing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewFile:
    """Add a file that the base does not have."""

    path: PurePosixPath
    content: bytes


@dataclass(frozen=True, slots=True)
class InsertLines:
    """Insert lines before or after the one line of a file that reads as one of the anchors."""

    file: TreeFile
    lines: bytes
    anchors: tuple[str, ...]
    before: bool


@dataclass(frozen=True, slots=True)
class ReplaceText:
    """Replace lines that a file has exactly once."""

    file: TreeFile
    old: bytes
    new: bytes


Edit = RunRules | NewFile | InsertLines | ReplaceText


@dataclass(frozen=True, slots=True)
class PlannedPatch:
    """A commit to make. `present_at` is set if the base has the change already; it is then skipped.

    An `optional` patch is skipped if its rules do not change the base. `message` is its
    template, looked up in `folders`; it is rendered once the rules' hits are known. `trailers` are
    keys and values that are added to its message.
    """

    name: str
    backend: str | None
    message: str
    folders: tuple[SourceFolder, ...]
    edits: tuple[Edit, ...] = ()
    present_at: Site | None = None
    optional: bool = False
    trailers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EmptyVariable:
    """A variable that should have a value and is empty. `text` describes the value.

    `trailers` are the keys of the trailers that get the value, such as "Link". Only a series with
    one of `patches` needs the value; without any, each series does.
    """

    name: str
    text: str
    trailers: tuple[str, ...] = ()
    patches: tuple[str, ...] = ()

    def is_needed_for(self, made: Collection[str]) -> bool:
        """Return whether a series with patches of these names needs the value."""
        return not self.patches or not set(self.patches).isdisjoint(made)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact about the base that supports a reason: a text, and its place in the base (or None)."""

    text: str
    site: Site | None = None

    def __str__(self) -> str:
        return f"{self.site} {self.text}" if self.site else self.text


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A backend, or only one `patch`, that is not part of the series, and why.

    `unmet_needs` has a line for each need that the base does not meet. With `on_request`, the patch
    or backend is made if the user names it.
    """

    backend: str | None
    reason: str
    evidence: tuple[Evidence, ...] = ()
    unmet_needs: tuple[str, ...] = ()
    on_request: bool = False
    patch: str | None = None

    @property
    def name(self) -> str:
        """The name of the patch or the backend."""
        return self.patch or self.backend or ""

    def __str__(self) -> str:
        evidence = f" ({'; '.join(map(str, self.evidence))})" if self.evidence else ""
        lines = (f"{self.name} left out: {self.reason}{evidence}{':' if self.unmet_needs else ''}",)
        return "\n".join((*lines, *(f"  {need}" for need in self.unmet_needs)))
