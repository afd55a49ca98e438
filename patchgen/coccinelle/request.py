# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters of a run of spatch over many files, and the result for each file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.model.outcome import RuleHits, UnparsedFunction
from patchgen.model.smpl import SemanticPatch
from patchgen.model.sweep import ReportedPlace

# Another file in the batch made the run fail, not this one.
AGAIN = "to be run again"
TOOK_TOO_LONG = "it took too long"
NOT_UNDERSTOOD = "spatch's output cannot be parsed"


@dataclass(frozen=True, slots=True)
class RunnableSmpl:
    """A semantic patch as it is run over a tree.

    `options` are options for spatch (the .cocci's own `// Options:`, -I, ...). `modes` are the
    virtual rules that are defined (-D NAME). `has_python` and `has_ocaml` are set if it has such
    scripts. `may_run_code` is set if the user trusts it. With `shows_marks` (context mode) lines
    are marked, and nothing is changed. `companions` are other files that the semantic patch reads,
    by the names that it uses.
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
    """A file for spatch: its path in the tree, and its text as a whole or as a slice."""

    path: PurePosixPath
    text: bytes


@dataclass(frozen=True, slots=True)
class FileRun:
    """The result of spatch for one file.

    `after` is None if nothing changed. `said` is what scripts printed for the file. `marks` are the
    places that context mode marks. If spatch did not finish the file, `failure` is set, and all
    else is empty.
    """

    path: PurePosixPath
    after: bytes | None = None
    rules: tuple[RuleHits, ...] = ()
    unparsed: tuple[UnparsedFunction, ...] = ()
    said: str = ""
    marks: tuple[ReportedPlace, ...] = ()
    failure: str = ""
