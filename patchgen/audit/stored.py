# SPDX-License-Identifier: GPL-2.0-or-later
"""The form in which facts and audits are cached: JSON, compressed by zlib.

The JSON is pydantic's for the types in patchgen.audit.facts (a list for each NamedTuple) and
patchgen.model.audit (an object for each dataclass); reading checks it against these types. It is
read by the code that wrote it only, since the cache's seals name that code.
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
    """Return facts of a file in their cached form."""
    return zlib.compress(_adapter(_FACTS).dump_json(facts), _LEVEL)


def load_facts(stored: bytes) -> FileFacts | None:
    """Return the facts that `dump_facts` was given, None for anything else."""
    facts: FileFacts | None = _load(_FACTS, stored)
    return facts


def dump_audit(audit: Audit) -> bytes | None:
    """Return an audit in its cached form; None where it has a path that is not UTF-8."""
    try:
        return zlib.compress(_adapter(_AUDIT).dump_json(audit), _LEVEL)
    except ValueError:
        return None


def load_audit(stored: bytes) -> Audit | None:
    """Return the audit that `dump_audit` was given, None for anything else."""
    audit: Audit | None = _load(_AUDIT, stored)
    return audit


def _load(kind: str, stored: bytes) -> Any:
    try:
        return _adapter(kind).validate_json(zlib.decompress(stored))
    except (ValueError, zlib.error):
        return None


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    # The import takes longer than a command needs that has nothing to do with the cache.
    from pydantic import TypeAdapter

    return TypeAdapter(FileFacts if kind == _FACTS else Audit)
