# SPDX-License-Identifier: GPL-2.0-or-later
"""Read results of checks: the documents that `verify`, `audit` and `run` print with --json.

The models have only the fields that a report shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from patchgen.errors import UsageError

_HINT = "expected the output of `patchgen verify --json`, `audit --json` or `run --json`"


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class FindingDocument(_Document):
    """A finding of `verify`; a remark if it is not a `failure`.

    `in_old_code` is true if the removed lines have the same fault.
    """

    check: str
    failure: bool
    text: str
    config: str | None = None
    where: str | None = None
    in_old_code: bool = False


class CheckedCommit(_Document):
    """The findings about a commit."""

    commit: str
    findings: tuple[FindingDocument, ...]


class VerifyDocument(_Document):
    """The document of `patchgen verify --json`."""

    passed: bool
    checks: tuple[str, ...]
    commits: tuple[CheckedCommit, ...]
    series_findings: tuple[FindingDocument, ...]


class SiteCounts(_Document):
    """The numbers of early sites, and of unresolved calls, which may lead to more."""

    early_hypercalls: int
    unrouted: int
    early_changes: int
    silent: int
    unresolved: int


class AuditDocument(_Document):
    """The document of `patchgen audit --json`."""

    commit: str
    revision: str
    config: str
    counts: SiteCounts


class LeftoverDocument(_Document):
    """A place where a semantic patch left a word that it should remove."""

    path: str
    line: int
    word: str
    reason: str


class LeftoversDocument(_Document):
    """The places of the words that are left, and their numbers by reason."""

    counts: Mapping[str, int]
    places: tuple[LeftoverDocument, ...]


class SweepDocument(_Document):
    """The result of one semantic patch. `leftovers` is None if it does not remove a word."""

    semantic_patch: str
    leftovers: LeftoversDocument | None


class SweptBase(_Document):
    """The commit that a semantic patch was run over."""

    commit: str


class RunDocument(_Document):
    """The document of `patchgen run --json`."""

    base: SweptBase
    results: tuple[SweepDocument, ...]


@dataclass(frozen=True, slots=True)
class CheckResults:
    """The results in files, None for a command without a file."""

    verify: VerifyDocument | None = None
    audit: AuditDocument | None = None
    run: RunDocument | None = None


_KINDS: Mapping[str, type[_Document]] = {
    "verify": VerifyDocument,
    "audit": AuditDocument,
    "run": RunDocument,
}


def read_results(paths: Sequence[Path]) -> CheckResults:
    """Read files with results. Raises UsageError for other files, and for two of one command."""
    found: dict[str, tuple[Path, _Document]] = {}
    for path in paths:
        name, document = _read_document(path)
        if name in found:
            raise UsageError(
                f"{found[name][0]} and {path} both have results of `patchgen {name}`",
                code="option-combination",
            )
        found[name] = (path, document)
    results = {name: document for name, (_, document) in found.items()}
    return CheckResults(**results)  # type: ignore[arg-type]


def _read_document(path: Path) -> tuple[str, _Document]:
    """Return the name of a command, and the document that it printed into a file."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as err:
        raise UsageError(
            f"{path} cannot be read: {err.strerror or err}", code="file-unreadable"
        ) from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path} is not JSON", hint=_HINT, code="result-unreadable") from None
    keys = document if isinstance(document, dict) else {}
    name = "verify" if "checks" in keys else "run" if "results" in keys else "audit"
    if name == "audit" and keys.get("kind") != "audit":
        raise UsageError(
            f"{path} is not the result of a check", hint=_HINT, code="result-unreadable"
        )
    try:
        return name, _KINDS[name].model_validate(document)
    except ValidationError as err:
        error = err.errors()[0]
        field = ".".join(map(str, error["loc"]))
        raise UsageError(
            f"{path} is not a document of `patchgen {name} --json`: {field}: {error['msg']}",
            hint="another version of patchgen may have written it",
            code="result-unreadable",
        ) from None
