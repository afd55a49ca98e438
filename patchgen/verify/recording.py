# SPDX-License-Identifier: GPL-2.0-or-later
"""What a series passed, written into its cover letter (series/testing.py)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from patchgen.errors import BaseError
from patchgen.kernel import compiler_version
from patchgen.model.finding import Finding
from patchgen.model.series import Signatures
from patchgen.odb import Quarantine, Repository, read_commit
from patchgen.series import (
    SeriesBranch,
    digest_tested,
    put_cover_below,
    put_testing,
)
from patchgen.verify.target import Target

# What patchgen checks of the form only; a reader of the letter sees that for himself.
_OF_FORM = ("lint", "am", "code")


def check_recordable(repository: Repository, target: Target) -> None:
    """Raise BaseError where a series has no letter to write into."""
    series = target.series
    if series is None or repository.find_ref(f"refs/heads/{series.name}") != series.tip:
        raise BaseError(
            f"{target.name} is not a branch, and has no cover letter to record a test in",
            hint="name the branch of the series",
        )
    if series.cover_commit is None or series.record is None:
        raise BaseError(
            f"{series.name} has no record of how it was made, and no place for a test in it",
            hint="patchgen keeps both in the commit of the cover letter, which this branch lacks",
        )


def describe_testing(
    columns: Sequence[str], findings: Sequence[Finding], variables: Sequence[str] = ()
) -> str:
    """Return what a series passed, for a cover letter; "" where only its form was checked.

    `columns` are the checks and configurations that ran, `variables` make's, "NAME=VALUE". One that
    has a finding, were it only a note, is not said to be passed.
    """
    noted = {finding.config or finding.check for finding in findings}
    passed = [name for name in columns if name not in noted]
    parts = []
    others = ("checkpatch", "boot", "sections", *_OF_FORM)
    if builds := [name for name in passed if name not in others]:
        parts.append(
            f"what it touches builds with W=1 and no new warning as {_join(builds)} "
            f"({', '.join([compiler_version(variables), *variables])})"
        )
        if "sections" in passed:
            parts.append("modpost finds no new section mismatch in it")
    if unbuilt := sorted(f.where for f in findings if f.check == "build" and f.where):
        parts.append(f"no configuration builds {_join(unbuilt)}")
    if "checkpatch" in passed:
        parts.append("checkpatch --strict reports nothing")
    if "boot" in passed:
        parts.append("the last one boots in QEMU, without SEV and TDX")
    return f"each patch by `patchgen verify`: {'; '.join(parts)}" if parts else ""


def record_testing(
    repository: Repository,
    series: SeriesBranch,
    columns: Sequence[str],
    findings: Sequence[Finding],
    variables: Sequence[str] = (),
) -> str:
    """Write what a series passed into its letter, and return that.

    Only the letter's commit changes, and the ids of the patches on top of it: a branch that is
    checked out may be moved. Raises BaseError where there is nothing to record, or where the branch
    was moved meanwhile.
    """
    summary = describe_testing(columns, findings, variables)
    if not summary:
        raise BaseError(
            "there is nothing to record: no configuration was built, and checkpatch did not run",
            hint=f"leave fewer checks out; {_join(_OF_FORM)} are of the form only",
        )
    assert series.cover is not None and series.record is not None and series.tracking is not None
    content = digest_tested(series.base, [commit.tree for commit in series.commits])
    cover, record = put_testing(series.cover, series.record, summary, content)
    with Quarantine(repository) as quarantine:
        _, commits = put_cover_below(
            quarantine,
            series.base,
            cover,
            replace(series.tracking, record=record.to_document()),
            [commit.oid for commit in series.commits],
            _sign(repository, quarantine, series),
        )
        ref = f"refs/heads/{series.name}"
        quarantine.publish(ref, commits[-1], series.base, series.tip, "patchgen: verify --record")
    return summary


def _sign(repository: Repository, quarantine: Quarantine, series: SeriesBranch) -> Signatures:
    """Return the letter's author, and who is at work now as its committer."""
    now = repository.read_signatures()
    assert series.cover_commit is not None
    author = read_commit(quarantine, series.cover_commit).author
    name, _, email = author.removesuffix(">").rpartition(" <")
    return replace(now, author=replace(now.author, name=name, email=email))


def _join(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
