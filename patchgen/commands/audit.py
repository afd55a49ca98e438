# SPDX-License-Identifier: GPL-2.0-or-later
"""`audit`: find the early hypercalls of a revision."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from patchgen.audit.audit_tree import OnNote, audit_tree, find_reasons
from patchgen.audit.questions import load_questions
from patchgen.audit.read_facts import OnProgress
from patchgen.audit.reasons import Reasons
from patchgen.audit.result import Audit
from patchgen.audit.tables import Tables, load_tables
from patchgen.kernel import load_dotconfig
from patchgen.model.base import Oid
from patchgen.odb import Repository
from patchgen.spec import find_variant

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """The user's request: a repository, a revision, and a .config or None for all branches.

    With the name or the path of a `variant`, its audit.toml extends the tables.
    """

    tree: Path
    revision: str = "HEAD"
    config: Path | None = None
    variant: str | None = None

    def load_tables(self) -> Tables:
        """Return the tables. Raises SpecError for an audit.toml that is missing or wrong."""
        tables = load_tables()
        return load_questions(find_variant(self.variant).source, tables) if self.variant else tables


def run_audit(
    request: AuditRequest,
    on_progress: OnProgress = lambda done, total: None,
    on_note: OnNote = lambda note: None,
) -> Audit:
    """Return the audit of a kernel. `on_note` receives notes for the user about the cache.

    Raises RefusedError if the revision does not exist or is not an x86 kernel, UsageError for a
    .config that cannot be read, SpecError for an audit.toml that is wrong.
    """
    begin = time.monotonic()
    commit, audit = _run(request, audit_tree, on_progress, on_note)
    return replace(
        audit,
        revision=request.revision,
        commit=str(commit),
        config=str(request.config or ""),
        seconds=round(time.monotonic() - begin, 2),
    )


def run_reasons(
    request: AuditRequest,
    on_progress: OnProgress = lambda done, total: None,
    on_note: OnNote = lambda note: None,
) -> Reasons:
    """Return why each function of a kernel is early or not. Raises errors as `run_audit` does."""
    return _run(request, find_reasons, on_progress, on_note)[1]


def _run(
    request: AuditRequest, find: Callable[..., _Result], on_progress: OnProgress, on_note: OnNote
) -> tuple[Oid, _Result]:
    """Return the commit of a request, and what `audit_tree` or `find_reasons` finds in its tree."""
    config = load_dotconfig(request.config) if request.config else None
    tables = request.load_tables()
    with closing(Repository(request.tree)) as repository:
        commit = repository.resolve_commit(request.revision)
        tree = repository.resolve_tree(commit)
        result = find(
            repository,
            tree,
            config=config,
            tables=tables,
            on_progress=on_progress,
            on_note=on_note,
        )
    return commit, result
