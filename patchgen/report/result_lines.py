# SPDX-License-Identifier: GPL-2.0-or-later
"""Describe the results of checks. A check without a result is reported as not run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from patchgen.counting import count
from patchgen.model.base import Oid
from patchgen.report.content import ResultLine, ResultState
from patchgen.report.results import (
    AuditDocument,
    CheckResults,
    FindingDocument,
    RunDocument,
    VerifyDocument,
)
from patchgen.series import SeriesBranch, digest_tested

# The number of places that are listed.
_LISTED = 50


def describe_results(
    series: SeriesBranch, results: CheckResults, trees: Mapping[Oid, Oid]
) -> tuple[ResultLine, ...]:
    """Return a line for each of verify, audit and leftovers.

    `trees` has the tree of each commit that the results name and the repository has.
    """
    return (
        _describe_verify(series, results.verify, trees),
        _describe_audit(series, results.audit, trees),
        _describe_leftovers(series, results.run),
    )


def list_named_commits(results: CheckResults) -> list[Oid]:
    """Return the commits that results are about."""
    verified = results.verify.commits if results.verify else ()
    audited = [results.audit.commit] if results.audit else []
    return list(map(Oid, [*(commit.commit for commit in verified), *audited]))


def list_findings(
    results: CheckResults, trees: Mapping[Oid, Oid]
) -> dict[Oid, tuple[FindingDocument, ...]]:
    """Return the findings of `verify` about patches, by the patches' trees."""
    commits = results.verify.commits if results.verify else ()
    by_tree = {trees.get(Oid(commit.commit)): commit.findings for commit in commits}
    return {tree: findings for tree, findings in by_tree.items() if tree is not None}


def _describe_verify(
    series: SeriesBranch, document: VerifyDocument | None, trees: Mapping[Oid, Oid]
) -> ResultLine:
    if document is None:
        return _describe_recorded(series)
    state = ResultState.PASSED if document.passed else ResultState.FAILED
    now = [commit.tree for commit in series.commits]
    verified = [trees.get(Oid(commit.commit)) for commit in document.commits]
    note = "" if verified == now else "; these are results of other patches"
    findings = [finding for commit in document.commits for finding in commit.findings]
    old = sum(finding.in_old_code for finding in findings)
    number = len(findings) - old + len(document.series_findings)
    text = f"{', '.join(document.checks)}: {count(number, 'finding') if number else 'no findings'}"
    text += f", {old} in old code" if old else ""
    details = tuple(map(describe_finding, document.series_findings))
    return ResultLine("verify", state, text + note, details)


def _describe_recorded(series: SeriesBranch) -> ResultLine:
    """Return the result that `verify --record` wrote into the cover letter."""
    testing = series.record.testing if series.record else None
    if testing is None:
        return ResultLine("verify", ResultState.NOT_RUN, "no result is recorded or given")
    if testing.content == digest_tested(series.base, series.commits, testing.summary):
        return ResultLine("verify", ResultState.PASSED, testing.summary)
    text = f"the patches have changed since {testing.summary}"
    return ResultLine("verify", ResultState.NOT_RUN, text)


def describe_findings(findings: Sequence[FindingDocument]) -> list[str]:
    """Return each finding as one line, and the number of those in old code as another."""
    old = sum(finding.in_old_code for finding in findings)
    lines = [describe_finding(finding) for finding in findings if not finding.in_old_code]
    return [*lines, *([f"{count(old, 'finding')} in old code (remark)"] if old else [])]


def describe_finding(finding: FindingDocument) -> str:
    """Return a finding as one line."""
    config = f" [{finding.config}]" if finding.config else ""
    where = f"{finding.where}: " if finding.where else ""
    note = "" if finding.failure else " (remark)"
    return f"{finding.check}{config}: {where}{finding.text}{note}"


def _describe_audit(
    series: SeriesBranch, document: AuditDocument | None, trees: Mapping[Oid, Oid]
) -> ResultLine:
    if document is None:
        return ResultLine("audit", ResultState.NOT_RUN, "no result is given")
    counts = document.counts
    sentences = [
        f"{counts.unrouted} of {count(counts.early_hypercalls, 'early site')} "
        f"{'bypasses' if counts.unrouted == 1 else 'bypass'} the op",
        f"the hypervisor is not notified of {counts.silent} of "
        f"{count(counts.early_changes, 'early change')} of page status",
        f"{count(counts.unresolved, 'unresolved call')} may lead to more",
        f"on {_name_commit(series, Oid(document.commit), trees)}, "
        f"{document.config or 'all branches'}",
    ]
    return ResultLine("audit", ResultState.DONE, "; ".join(sentences))


def _name_commit(series: SeriesBranch, oid: Oid, trees: Mapping[Oid, Oid]) -> str:
    if oid == series.base:
        return "the base"
    if trees.get(oid) == series.commits[-1].tree:
        return "the last patch"
    return f"another commit ({oid[:12]})"


def _describe_leftovers(series: SeriesBranch, document: RunDocument | None) -> ResultLine:
    if document is None:
        return ResultLine("leftovers", ResultState.NOT_RUN, "no result is given")
    left = [result.leftovers for result in document.results if result.leftovers is not None]
    counts = [
        f"{reason}: {number}" for leftovers in left for reason, number in leftovers.counts.items()
    ]
    where = "the base" if document.base.commit == series.base else "another commit"
    text = f"on {where}: {', '.join(counts) or 'no leftovers'}"
    places = [
        f"{place.path}:{place.line}: {place.word}: {place.reason}"
        for leftovers in left
        for place in leftovers.places
    ]
    return ResultLine("leftovers", ResultState.DONE, text, tuple(_list_first(places)))


def _list_first(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_LISTED]
    if len(lines) > _LISTED:
        yield f"and {len(lines) - _LISTED} more"
