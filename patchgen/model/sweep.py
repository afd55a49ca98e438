"""A semantic patch run over a whole tree: what it found, what it would change, what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from patchgen.model.base import Base
from patchgen.model.outcome import UnparsedFunction
from patchgen.model.series import FileEdit


class Mode(StrEnum):
    """What a semantic patch is asked for, as coccicheck's MODE
    (Documentation/dev-tools/coccinelle.rst). A .cocci without virtual modes has PATCH only.
    """

    PATCH = "patch"
    REPORT = "report"
    CONTEXT = "context"
    ORG = "org"


@dataclass(frozen=True, slots=True)
class Report:
    """A place that a semantic patch points at. Lines and columns count from 1.

    `end_line` and `end_column` are of the first character behind it, None where nothing says so.
    `rule` is the rule that said it; "" where that cannot be told.
    """

    path: PurePosixPath
    line: int
    column: int | None
    text: str
    rule: str = ""
    end_line: int | None = None
    end_column: int | None = None

    def __str__(self) -> str:
        column = f":{self.column}" if self.column is not None else ""
        return f"{self.path}:{self.line}{column}: {self.text}"


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule matched, and in how many files."""

    rule: str
    hits: int
    files: int


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A file that spatch did not come to an end with: a timeout, or an error that it met there."""

    path: PurePosixPath
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many files were in question, had the words that the rules need, and were run by spatch.

    `kept` are those whose result was known from an earlier run.
    """

    files: int
    candidates: int
    kept: int
    run: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one semantic patch came to on one tree. All but `edits` in the order of paths.

    `edits` is empty but in PATCH mode. `output` is what its scripts printed and is no report.
    """

    semantic_patch: str
    base: Base
    mode: Mode
    rules: tuple[RuleCount, ...]
    edits: tuple[FileEdit, ...] = ()
    reports: tuple[Report, ...] = ()
    output: str = ""
    unparsed: tuple[UnparsedFunction, ...] = ()
    unfinished: tuple[Unfinished, ...] = ()
    counts: Counts = Counts(0, 0, 0, 0)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def public_name(self) -> str:
        """What other people can know the semantic patch by: see public_name()."""
        return public_name(self.semantic_patch)


def public_name(name: str) -> str:
    """Return a semantic patch's path in the tree, or only its own name: no place of a machine.

    Bytes of it that are no UTF-8 are replaced, as it goes into messages.
    """
    path = PurePosixPath(name)
    public = path.name if path.is_absolute() or ".." in path.parts else str(path)
    return public.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
