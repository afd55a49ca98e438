# SPDX-License-Identifier: GPL-2.0-or-later
"""Convert a sweep to the document of `run --json`."""

from __future__ import annotations

from typing import Any

from patchgen.coccinelle import Header
from patchgen.model.base import Base
from patchgen.model.leftover import Leftovers
from patchgen.model.outcome import ReportedPlace
from patchgen.model.series import FileEdit
from patchgen.model.sweep import Counts, Sweep
from patchgen.sweep.hunks import find_hunks, format_diff


def describe_sweep(sweep: Sweep, header: Header | None = None) -> dict[str, Any]:
    """Return the result of a sweep. Lines and columns count from 1; unknown values are None."""
    header = header or Header()
    return {
        "semantic_patch": sweep.semantic_patch,
        "purpose": header.purpose or None,
        "confidence": header.confidence or None,
        "mode": sweep.mode.value,
        "base": _describe_base(sweep.base),
        "rules": [
            {"rule": rule.rule, "hits": rule.hits, "files": rule.files} for rule in sweep.rules
        ],
        "reports": [_describe_report(report) for report in sweep.reports],
        "edits": [_describe_edit(edit) for edit in sweep.edits],
        "output": sweep.output or None,
        "unparsed": [
            {"path": str(place.path), "line": place.line, "function": place.name}
            for place in sweep.unparsed
        ],
        "leftovers": _describe_leftovers(sweep.leftovers) if sweep.leftovers else None,
        "unfinished": [
            {"path": str(path), "reason": failure.reason}
            for path, failure in sweep.unfinished.items()
        ],
        "files": _describe_counts(sweep.counts),
        "written": [name for name, _ in sweep.written],
        "warnings": list(sweep.warnings),
        "notes": list(sweep.notes),
        "seconds": round(sweep.seconds, 3),
    }


def _describe_base(base: Base) -> dict[str, Any]:
    return {"commit": base.oid, "name": base.describe, "version": base.version or None}


def _describe_report(report: ReportedPlace) -> dict[str, Any]:
    return {
        "path": str(report.path),
        "line": report.line,
        "column": report.column,
        "end_line": report.end_line,
        "end_column": report.end_column,
        "rule": report.rule or None,
        "text": report.text,
    }


def _describe_edit(edit: FileEdit) -> dict[str, Any]:
    hunks = list(find_hunks(edit.before or b"", edit.after))
    return {
        "path": str(edit.path),
        "insertions": sum(len(hunk.after) for hunk in hunks),
        "deletions": sum(len(hunk.before) for hunk in hunks),
        "lines": [hunk.start for hunk in hunks],
        # JSON cannot represent bytes that are not UTF-8.
        "diff": format_diff(edit).encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
    }


def _describe_counts(counts: Counts) -> dict[str, int]:
    return {
        "in_question": counts.files,
        "candidates": counts.candidates,
        "cached": counts.cached,
        "run": counts.run,
    }


def _describe_leftovers(leftovers: Leftovers) -> dict[str, Any]:
    return {
        "words": [
            {
                "word": count.word,
                "before": count.before,
                "changed": count.changed,
                "left": count.left,
                "too_common": count.is_common,
            }
            for count in leftovers.words
        ],
        "counts": {reason.value: count for reason, count in leftovers.by_reason.items()},
        "places": [
            {
                "path": str(place.path),
                "line": place.line,
                "word": place.word,
                "reason": place.reason.value,
                "detail": place.detail or None,
                "is_code": place.reason.is_code,
            }
            for place in leftovers.places
        ],
    }
