"""What a run of spatch over many files takes, and what it gives for each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.model.outcome import RuleHits, UnparsedFunction
from patchgen.model.smpl import SemanticPatch
from patchgen.model.sweep import Report

# The file was not at fault: another one in its batch was.
AGAIN = "to be run again"
TOOK_TOO_LONG = "it took too long"
NOT_UNDERSTOOD = "what spatch printed is not understood"


@dataclass(frozen=True, slots=True)
class Program:
    """A semantic patch as it is run over a tree.

    `options` are words for spatch (the .cocci's own `// Options:`, -I, ...); `modes` the virtual
    rules that are defined (-D NAME). `has_python` and `has_ocaml` say which scripts it has.
    `may_run_code` is set for those that the user trusts.
    `shows_marks` is context mode: nothing is changed, lines are marked. `companions` are other
    files that the semantic patch reads, by the names that it uses.
    """

    patch: SemanticPatch
    options: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    has_python: bool = False
    has_ocaml: bool = False
    shows_marks: bool = False
    companions: Mapping[str, str] = field(default_factory=dict)
    may_run_code: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A file for spatch: its path in the tree and its text, whole or a slice of it."""

    path: PurePosixPath
    text: bytes


@dataclass(frozen=True, slots=True)
class Ran:
    """What spatch made of one file.

    `after` is None where nothing was changed. `said` is what scripts printed while they were at
    it. `marks` are the places that context mode points at. `failure` is set, and all else empty,
    where spatch did not come to an end with the file.
    """

    path: PurePosixPath
    after: bytes | None = None
    rules: tuple[RuleHits, ...] = ()
    unparsed: tuple[UnparsedFunction, ...] = ()
    said: str = ""
    marks: tuple[Report, ...] = ()
    failure: str = ""
