# SPDX-License-Identifier: GPL-2.0-or-later
"""The form in which facts and audits are cached: JSON, compressed by zlib.

The JSON is pydantic's for the types in patchgen.audit.facts (a list for each NamedTuple) and
patchgen.model.audit (an object for each dataclass); reading checks it against these types. Only the
code that wrote it reads it, as the cache's seals name that code.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

from patchgen.audit.facts import FileFacts
from patchgen.model.audit import Audit

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_LEVEL = 1
_FACTS = "facts"
_AUDIT = "audit"


def dump_facts(facts: FileFacts) -> bytes:
    """Return the cached form of a file's facts."""
    return zlib.compress(_adapter(_FACTS).dump_json(facts), _LEVEL)


def load_facts(stored: bytes) -> FileFacts | None:
    """Return the facts stored by `dump_facts`, None for anything else."""
    facts: FileFacts | None = _load(_FACTS, stored)
    return facts


def dump_audit(audit: Audit) -> bytes | None:
    """Return the cached form of an audit; None if it has a path that is not UTF-8."""
    try:
        return zlib.compress(_adapter(_AUDIT).dump_json(audit), _LEVEL)
    except ValueError:
        return None


def load_audit(stored: bytes) -> Audit | None:
    """Return the audit stored by `dump_audit`, None for anything else."""
    audit: Audit | None = _load(_AUDIT, stored)
    return audit


def _load(kind: str, stored: bytes) -> Any:
    try:
        return _adapter(kind).validate_json(zlib.decompress(stored))
    except (ValueError, zlib.error):
        return None


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    # The import takes longer than a whole command that does not use the cache.
    from pydantic import TypeAdapter

    return TypeAdapter(FileFacts if kind == _FACTS else Audit)
