# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen audit`: find the early hypercalls of a revision."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from patchgen.audit.audit_tree import OnNote, TreeAudit
from patchgen.audit.result import Audit
from patchgen.audit.tables import Tables, load_tables
from patchgen.kernel import load_dotconfig
from patchgen.model.base import Oid
from patchgen.odb import Repository

if TYPE_CHECKING:
    from patchgen.audit.read_facts import OnProgress
    from patchgen.audit.reasons import Reasons


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
        if not self.variant:
            return tables
        # These imports build models, which would delay an audit without a variant.
        from patchgen.audit.questions import load_questions
        from patchgen.spec import find_variant

        return load_questions(find_variant(self.variant).source, tables)


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
    with _open(request, on_progress, on_note) as (commit, tree_audit):
        audit = tree_audit.find_audit()
    return _complete(audit, request, commit, begin)


def run_reasons(
    request: AuditRequest,
    on_progress: OnProgress = lambda done, total: None,
    on_note: OnNote = lambda note: None,
) -> Reasons:
    """Return why each function of a kernel is early or not. Raises errors as `run_audit` does."""
    with _open(request, on_progress, on_note) as (_, tree_audit):
        return tree_audit.find_reasons()


def run_late(
    request: AuditRequest,
    on_progress: OnProgress = lambda done, total: None,
    on_note: OnNote = lambda note: None,
) -> tuple[Audit, Reasons]:
    """Return the results of `run_audit` and `run_reasons`; the kernel is read once."""
    begin = time.monotonic()
    with _open(request, on_progress, on_note) as (commit, tree_audit):
        audit, reasons = tree_audit.find_audit(), tree_audit.find_reasons()
    return _complete(audit, request, commit, begin), reasons


@contextmanager
def _open(
    request: AuditRequest, on_progress: OnProgress, on_note: OnNote
) -> Iterator[tuple[Oid, TreeAudit]]:
    """Yield the commit of a request, and the audit of its tree."""
    config = load_dotconfig(request.config) if request.config else None
    tables = request.load_tables()
    with closing(Repository(request.tree)) as repository:
        commit = repository.resolve_commit(request.revision)
        yield (
            commit,
            TreeAudit(
                repository,
                repository.resolve_tree(commit),
                config=config,
                tables=tables,
                on_progress=on_progress,
                on_note=on_note,
            ),
        )


def _complete(audit: Audit, request: AuditRequest, commit: Oid, begin: float) -> Audit:
    """Return an audit with the names of its revision and configuration."""
    return replace(
        audit,
        revision=request.revision,
        commit=str(commit),
        config=str(request.config or ""),
        seconds=round(time.monotonic() - begin, 2),
    )
