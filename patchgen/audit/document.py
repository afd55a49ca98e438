# SPDX-License-Identifier: GPL-2.0-or-later
"""The document of `patchgen audit --json`: an Audit or an AuditDiff (diff.py), as JSON.

Format 1. A dataclass is an object with the fields of the same name and meaning (a few have another
key, see `_KEYS`), a tuple is a list, a StrEnum is its value, and None is null. In addition:

- the top level has `"format": 1`, and `"kind"`, "audit" or "diff";
- a TreeLocation is a string, `arch/x86/kernel/kvm.c:530`;
- a Hypercall also has `"group"`, a StatusChange `"routed"`;
- a Step has its `function`, `defined`, `called`, `how`, `via`;
- `effects` maps each platform ("VT-x", "SVM", "SEV", "SEV-ES/SNP", "TDX") to an Effect;
- an Audit has `"counts"`: early_hypercalls, unrouted, routed, own, other, early_changes, silent
  (early changes without notification), unresolved;
- in a diff, `before` and `after` at the top level are whole audits, and each of `differences` has
  `fate` (the kind of change), `reason`, `what` ("hypercall" or "change"), `before` and `after` (a
  site of that sort, or null).

`--why` prints a document of kind "why": its `answers` are one FunctionAnswer (reasons.py) for each
function of the name. `--late` prints one of kind "late": its `hypercalls` each have an `answer`, or
null.

A reader has to accept unknown fields; a field that changes its meaning makes format 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from patchgen.audit.diff import AuditDiff, Difference
from patchgen.audit.result import Audit, Hypercall, SiteGroup, StatusChange, TreeLocation

if TYPE_CHECKING:
    from patchgen.audit.reasons import FunctionAnswer

FORMAT = 1
# The fields that have another key in format 1.
_KEYS = {
    "boot_path": "spine",
    "change_kind": "fate",
    "edge_kind": "how",
    "notifiers": "tellers",
}


def describe_audit(audit: Audit) -> dict[str, Any]:
    """Return the document of an audit."""
    return {"format": FORMAT, "kind": "audit", **_convert(audit)}


def describe_diff(diff: AuditDiff) -> dict[str, Any]:
    """Return the document of a comparison."""
    return {"format": FORMAT, "kind": "diff", **_convert(diff)}


def describe_answers(name: str, answers: Sequence[FunctionAnswer]) -> dict[str, Any]:
    """Return the document of `--why`: why the functions of a name are early or late."""
    return {"format": FORMAT, "kind": "why", "function": name, "answers": _convert(tuple(answers))}


def describe_late(sites: Sequence[tuple[Hypercall, FunctionAnswer | None]]) -> dict[str, Any]:
    """Return the document of `--late`: the late hypercalls, each with the answer of `--why`."""
    documents = [{**_convert(site), "answer": _convert(answer)} for site, answer in sites]
    return {"format": FORMAT, "kind": "late", "hypercalls": documents}


def count_sites(audit: Audit) -> dict[str, int]:
    """Return the number of early sites by group, and of early changes without notification."""
    groups = [hypercall.group for hypercall in audit.early_hypercalls]
    return {
        "early_hypercalls": len(groups),
        "unrouted": groups.count(SiteGroup.UNROUTED),
        "routed": groups.count(SiteGroup.ROUTED),
        "own": groups.count(SiteGroup.OWN),
        "other": groups.count(SiteGroup.OTHER),
        "early_changes": len(audit.early_changes),
        "silent": sum(change.silent for change in audit.early_changes),
        "unresolved": len(audit.unresolved),
    }


def _convert(value: Any) -> Any:
    """Return a value of the model as a value of JSON."""
    match value:
        case TreeLocation():
            return str(value)
        case Enum():
            return value.value
        case Mapping():
            return {str(_convert(key)): _convert(member) for key, member in value.items()}
        case tuple():
            return [_convert(member) for member in value]
    if is_dataclass(value):
        return _convert_object(value)
    return value


def _convert_object(value: Any) -> dict[str, Any]:
    document = {
        _KEYS.get(field.name, field.name): _convert(getattr(value, field.name))
        for field in fields(value)
    }
    match value:
        case Hypercall():
            document["group"] = value.group.value
        case StatusChange():
            document["routed"] = value.routed
        case Audit():
            document["counts"] = count_sites(value)
        case Difference():
            document["what"] = "hypercall" if isinstance(value.site, Hypercall) else "change"
    return document
