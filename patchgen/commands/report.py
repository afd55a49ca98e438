# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen report`: the patches of a series, its recipients, and results of checks from files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from patchgen.mail import RecipientGroup, group_recipients, list_recipients
from patchgen.model.base import Oid
from patchgen.model.series import SendableVersion
from patchgen.odb import (
    Quarantine,
    Repository,
    digest_commits,
    parse_raw_commit,
    read_commits,
    read_diffs_to_show,
    read_sent,
)
from patchgen.pipeline.prepare import prepare_branch
from patchgen.report.content import PatchReport, SeriesReport, report_patch
from patchgen.report.result_lines import describe_results, list_findings, list_named_commits
from patchgen.report.results import FindingDocument, read_results
from patchgen.series import (
    MatchedCommit,
    SeriesBranch,
    compare_versions,
    match_commits,
    read_branch,
    resolve_series,
)


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """Which series to report. `branch` None means the current branch.

    `results` are files with the output of `verify`, `audit` and `run` with --json.
    """

    tree: Path
    branch: str | None = None
    results: tuple[Path, ...] = ()


def report_series(request: ReportRequest) -> SeriesReport:
    """Return the report of a series. Raises RefusedError if the branch has no cover letter."""
    results = read_results(request.results)
    with closing(Repository(request.tree)) as repository, Quarantine(repository) as quarantine:
        name, tip = resolve_series(repository, request.branch, needs_cover=True)
        # Reviewers read the page, so it has no advice to the author.
        version, warnings = prepare_branch(repository, quarantine, name, advises=False)
        series = read_branch(repository, quarantine, name, tip)
        previous, range_diff = _compare_with_sent(repository, quarantine, series)
        trees = _read_trees(repository, list_named_commits(results))
        findings = list_findings(results, trees)
        return SeriesReport(
            series=series,
            base_name=repository.describe(series.base),
            patches=tuple(_report_patches(quarantine, series, findings)),
            results=describe_results(series, results, trees),
            recipients=_group_recipients(version),
            previous=previous,
            range_diff=range_diff,
            warnings=warnings,
        )


def _report_patches(
    quarantine: Quarantine,
    series: SeriesBranch,
    findings: Mapping[Oid, Sequence[FindingDocument]],
) -> Iterator[PatchReport]:
    change_digests = digest_commits(quarantine, series.start, series.tip)
    diffs = read_diffs_to_show(quarantine, series.start, series.tip)
    matches = (
        match_commits(series.commits, change_digests, series.record)
        if series.record
        else [MatchedCommit(commit, None) for commit in series.commits]
    )
    for matched in matches:
        commit = matched.commit
        yield report_patch(
            matched,
            diffs[commit.oid],
            series.record,
            change_digests,
            findings.get(commit.tree, ()),
        )


def _compare_with_sent(
    repository: Repository, quarantine: Quarantine, series: SeriesBranch
) -> tuple[str, str]:
    """Return the tag of the last version that was sent, and the range-diff from it; "" if none was.

    The last one may be the branch's own version: the range-diff then has the edits since.
    """
    assert series.tracking is not None
    revision = series.tracking.revision
    sent = read_sent(repository, series.tracking.change_id)
    earlier = [version for version in sent if version.revision <= revision]
    if not earlier:
        return "", ""
    last = earlier[-1]
    theirs = (last.base, read_commits(quarantine, last.base, last.tip))
    ours = (series.start, series.commits)
    return last.tag, compare_versions(quarantine, theirs, ours)


def _read_trees(repository: Repository, oids: Sequence[Oid]) -> dict[Oid, Oid]:
    """Return the trees of those commits that the repository has."""
    trees = {}
    for oid, found in zip(oids, repository.objects.read(oids), strict=True):
        if found is not None and found[0] == "commit":
            trees[oid] = parse_raw_commit(found[1]).tree
    return trees


def _group_recipients(version: SendableVersion) -> tuple[RecipientGroup, ...]:
    mails = [(number, list_recipients(mail)) for number, mail in enumerate(version.mails)]
    return tuple(group_recipients(mails))
