# SPDX-License-Identifier: GPL-2.0-or-later
"""Sweeps as SARIF 2.1.0, the format in which analysers pass results to other tools.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; "section" below refers to it.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from patchgen.coccinelle import Header
from patchgen.model.base import Base
from patchgen.model.outcome import ReportedPlace
from patchgen.model.series import FileEdit
from patchgen.model.sweep import Sweep
from patchgen.sweep.hunks import LineHunk, find_hunks, group_hunks
from patchgen.version import find_version

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_ROOT = "SRCROOT"
# The values of `// Confidence:` in scripts/coccinelle: level, rank (section 3.27.25, 0 to 100), and
# the property by which code scanning services sort rules.
_CONFIDENCE = {
    "very high": ("warning", 95.0, "very-high"),
    "high": ("warning", 80.0, "high"),
    "moderate": ("warning", 50.0, "medium"),
    "medium": ("warning", 50.0, "medium"),
    "average": ("warning", 50.0, "medium"),
    "low": ("note", 20.0, "low"),
}
# Prefixes by which scripts state the level of a message.
_LEVELS = {"ERROR": "error", "WARNING": "warning", "INFO": "note", "NOTE": "note"}
_NOTIFICATIONS = {
    "unparsed": "Code that spatch could not parse, so it was not searched",
    "left": "A word that the semantic patch removes, left in the tree",
    "unfinished": "A file that spatch did not finish",
    "rule": "What is doubtful in the semantic patch itself",
    "note": "How the sweep was run",
}


def make_sarif(
    sweeps: Sequence[tuple[Sweep, Header]], *, spatch_version: str = "", repository_uri: str = ""
) -> dict[str, Any]:
    """Return the log of sweeps over one base, with one rule for each semantic patch.

    Each report is a result. So is each group of hunks in one function: a match may consist of
    several hunks, which make sense only together, so they form one fix. `repository_uri` is the
    address of the repository; without it, the base is given as a property.
    """
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "patchgen",
                "version": find_version(),
                "rules": [_rule(sweep, header) for sweep, header in sweeps],
                "notifications": [
                    {"id": name, "shortDescription": {"text": text}}
                    for name, text in _NOTIFICATIONS.items()
                ],
            },
            "extensions": [{"name": "Coccinelle", "version": spatch_version}]
            if spatch_version
            else [],
        },
        "invocations": [_invocation([sweep for sweep, _ in sweeps])],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The top of the tree"}}},
        "columnKind": "unicodeCodePoints",
        "results": _with_fingerprints(
            result for index, (sweep, _) in enumerate(sweeps) for result in _results(sweep, index)
        ),
    }
    if sweeps:
        run.update(_provenance(sweeps[0][0].base, repository_uri))
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _provenance(base: Base, repository_uri: str) -> dict[str, Any]:
    """Return the commit; section 3.14.26 does not allow one without a repository's address."""
    named = {"properties": {"revision": base.oid, "revisionName": base.describe}}
    if not repository_uri:
        return named
    details = {
        "repositoryUri": repository_uri,
        "revisionId": base.oid,
        "mappedTo": {"uriBaseId": _ROOT},
    }
    return {"versionControlProvenance": [details], **named}


def _rule(sweep: Sweep, header: Header) -> dict[str, Any]:
    name = PurePosixPath(sweep.public_name)
    rule: dict[str, Any] = {"id": sweep.public_name, "name": name.stem}
    if header.purpose:
        paragraph = header.purpose.partition("\n\n")[0]
        rule["shortDescription"] = {"text": " ".join(paragraph.split())}
        rule["fullDescription"] = {"text": header.purpose}
    if header.comments:
        rule["help"] = {"text": header.comments}
    confidence = _CONFIDENCE.get(" ".join(header.confidence.lower().split()))
    if confidence:
        level, rank, precision = confidence
        rule["defaultConfiguration"] = {"level": level, "rank": rank}
        rule["properties"] = {"confidence": header.confidence, "precision": precision}
    elif header.confidence:
        rule["properties"] = {"confidence": header.confidence}
    return rule


# --- results ---


def _results(sweep: Sweep, index: int) -> Iterator[dict[str, Any]]:
    for report in sweep.reports:
        result = {**_result(sweep, index, report.text), "locations": [_report_location(report)]}
        # The rule of the semantic patch, whereas SARIF's rule is the semantic patch itself.
        yield {**result, "properties": {"rule": report.rule}} if report.rule else result
    for edit in sweep.edits:
        for hunks in _group_hunks(edit):
            yield {
                **_result(sweep, index, "\n".join(map(_describe_hunk, hunks))),
                "locations": [_location(edit.path, _hunk_region(hunks[0]))],
                "fixes": [_fix(sweep, edit, hunks)],
            }


def _result(sweep: Sweep, index: int, text: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": sweep.public_name,
        "ruleIndex": index,
        "message": {"text": text or sweep.public_name},
    }
    level = _LEVELS.get(text.partition(" ")[0].rstrip(":").upper())
    # Without a level, the rule's applies (section 3.27.10).
    return {**result, "level": level} if level else result


def _with_fingerprints(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add an identity that survives moved lines: rule, file, text, and an ordinal."""
    counts: Counter[tuple[str, str, str]] = Counter()
    identified = []
    for result in results:
        location = result["locations"][0]["physicalLocation"]["artifactLocation"]
        facts = (result["ruleId"], location["uri"], result["message"]["text"])
        counts[facts] += 1
        text = "\0".join((*facts, str(counts[facts])))
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
        identified.append({**result, "partialFingerprints": {"patchgenText/v1": digest}})
    return identified


def _report_location(report: ReportedPlace) -> dict[str, Any]:
    region = {
        "startLine": report.line,
        "startColumn": report.column,
        "endLine": report.end_line,
        "endColumn": report.end_column,
    }
    if report.column is None and report.end_line is not None:
        # Whole lines: `end_line` is the line after the last one.
        region["endLine"] = max(report.line, report.end_line - 1)
    return _location(report.path, region)


def _location(path: PurePosixPath, region: Mapping[str, int | None]) -> dict[str, Any]:
    numbers = {name: number for name, number in region.items() if number is not None}
    return {"physicalLocation": {"artifactLocation": _artifact(path), "region": numbers}}


def _artifact(path: PurePosixPath) -> dict[str, Any]:
    # A colon in the first part would be read as a scheme (RFC 3986, section 4.2).
    return {"uri": quote(str(path).encode("utf-8", "surrogateescape")), "uriBaseId": _ROOT}


# --- fixes ---


def _group_hunks(edit: FileEdit) -> Iterator[list[LineHunk]]:
    """Return the hunks of an edit in groups between which a function ends."""
    lines = (edit.before or b"").split(b"\n")

    def are_in_one_function(one: LineHunk, following: LineHunk) -> bool:
        between = lines[one.end - 1 : following.start - 1]
        return not any(line.startswith(b"}") for line in between)

    return group_hunks(find_hunks(edit.before or b"", edit.after), are_in_one_function)


def _describe_hunk(hunk: LineHunk) -> str:
    lines = [b"-" + line for line in hunk.before] + [b"+" + line for line in hunk.after]
    shown = b"\n".join(line.rstrip(b"\n") for line in lines)
    return shown.decode("utf-8", "replace")


def _hunk_region(hunk: LineHunk) -> dict[str, int | None]:
    first = hunk.before[0] if hunk.before else b""
    indent = len(first) - len(first.lstrip())
    return {
        "startLine": hunk.start,
        "startColumn": indent + 1,
        "endLine": hunk.start + max(len(hunk.before), 1) - 1,
    }


def _fix(sweep: Sweep, edit: FileEdit, hunks: Sequence[LineHunk]) -> dict[str, Any]:
    replacements: list[dict[str, Any]] = []
    for hunk in hunks:
        content = b"".join(hunk.after)
        inserted = {"insertedContent": _content(content)} if content else {}
        replacements.append({"deletedRegion": _deleted(hunk), **inserted})
    change = {"artifactLocation": _artifact(edit.path), "replacements": replacements}
    return {"description": {"text": sweep.public_name}, "artifactChanges": [change]}


def _deleted(hunk: LineHunk) -> dict[str, int]:
    """Return the region from the first column of a hunk to the first column after it."""
    line, column = hunk.start + len(hunk.before), 1
    if hunk.before and not hunk.before[-1].endswith(b"\n"):
        line, column = line - 1, len(hunk.before[-1].decode("utf-8", "replace")) + 1
    return {"startLine": hunk.start, "startColumn": 1, "endLine": line, "endColumn": column}


def _content(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"binary": base64.b64encode(content).decode("ascii")}


# --- invocation ---


def _invocation(sweeps: Sequence[Sweep]) -> dict[str, Any]:
    return {
        "executionSuccessful": not any(sweep.unfinished for sweep in sweeps),
        "toolExecutionNotifications": [
            notification
            for index, sweep in enumerate(sweeps)
            for notification in _notifications(sweep, index)
        ],
    }


def _notifications(sweep: Sweep, index: int) -> Iterator[dict[str, Any]]:
    for place in sweep.unparsed:
        what = f"{place.name}()" if place.name else "this code"
        location = _location(place.path, {"startLine": place.line})
        yield {
            **_notification("unparsed", "warning", f"spatch could not parse {what}", index),
            "locations": [location],
        }
    for left in sweep.leftovers.places if sweep.leftovers else ():
        level = "warning" if left.reason.is_code else "note"
        text = f"{left.word} is left: {left.reason}" + (f": {left.detail}" if left.detail else "")
        yield {
            **_notification("left", level, text, index),
            "locations": [_location(left.path, {"startLine": left.line})],
        }
    for path, failure in sweep.unfinished.items():
        location = {"physicalLocation": {"artifactLocation": _artifact(path)}}
        yield {
            **_notification("unfinished", "error", failure.reason, index),
            "locations": [location],
        }
    for warning in sweep.warnings:
        yield _notification("rule", "warning", warning, index)
    for note in sweep.notes:
        yield _notification("note", "note", note, index)


def _notification(name: str, level: str, text: str, index: int) -> dict[str, Any]:
    return {
        "descriptor": {"id": name},
        "associatedRule": {"index": index},
        "level": level,
        "message": {"text": text},
    }
