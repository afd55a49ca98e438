# SPDX-License-Identifier: GPL-2.0-or-later
"""`audit`: find the early hypercalls of a revision."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen.audit.audit_tree import OnNote, audit_tree
from patchgen.audit.read_facts import OnProgress
from patchgen.audit.result import Audit
from patchgen.kernel import load_dotconfig
from patchgen.odb import Repository


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """The user's request: a repository, a revision, and a .config or None for all branches."""

    tree: Path
    revision: str = "HEAD"
    config: Path | None = None


def run_audit(
    request: AuditRequest,
    on_progress: OnProgress = lambda done, total: None,
    on_note: OnNote = lambda note: None,
) -> Audit:
    """Return the audit of a kernel. `on_note` receives notes for the user about the cache.

    Raises RefusedError if the revision does not exist or is not an x86 kernel, UsageError for a
    .config that cannot be read.
    """
    begin = time.monotonic()
    config = load_dotconfig(request.config) if request.config else None
    repository = Repository(request.tree)
    try:
        commit = repository.resolve_commit(request.revision)
        tree = repository.resolve_tree(commit)
        audit = audit_tree(
            repository, tree, config=config, on_progress=on_progress, on_note=on_note
        )
    finally:
        repository.close()
    return replace(
        audit,
        revision=request.revision,
        commit=str(commit),
        config=str(request.config or ""),
        seconds=round(time.monotonic() - begin, 2),
    )
