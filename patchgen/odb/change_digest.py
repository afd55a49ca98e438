# SPDX-License-Identifier: GPL-2.0-or-later
"""Digests of what a commit changes, without the position: added and removed lines, file by file.

`git patch-id` includes the lines around a change, so it differs if somebody else changed the line
above. Whether a review still holds depends on the change itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from patchgen.model.base import Oid
from patchgen.odb.plumbing import Git

_MARK = b"\0commit "


def read_substances(git: Git, base: Oid, tip: Oid) -> Mapping[Oid, str]:
    """Return a digest of the changes of each commit above `base`, oldest first."""
    shown = git.run(
        "log",
        "--reverse",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
        "--patch",
        "--binary",
        "--unified=0",
        "--format=%x00commit %H",
        f"{base}..{tip}",
    ).stdout
    substances = {}
    for part in shown.split(_MARK)[1:]:
        oid, _, diff = part.partition(b"\n")
        substances[Oid(oid.decode())] = _digest(diff)
    return substances


def _digest(diff: bytes) -> str:
    digest = hashlib.sha256()
    for line in diff.split(b"\n"):
        # Blob ids and line numbers differ with the base.
        if line and not line.startswith((b"@@ ", b"index ")):
            digest.update(line + b"\n")
    return digest.hexdigest()
