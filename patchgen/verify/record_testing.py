# SPDX-License-Identifier: GPL-2.0-or-later
"""Record the passed checks of a series in its cover letter (series/tested_line.py)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from patchgen.errors import RefusedError
from patchgen.kernel import read_compiler_versions
from patchgen.model.finding import Finding, list_first
from patchgen.model.series import Signatures
from patchgen.odb import Quarantine, Repository, open_tree, read_commit
from patchgen.series import (
    CHECKPATCH_IS_CLEAN,
    FILES_OF_CHECKS,
    SeriesBranch,
    advise_recording,
    digest_tested,
    find_absent_files,
    put_cover_below,
    put_testing,
)
from patchgen.verify.checked_series import CheckedSeries

# Checks of only the form, which readers of the letter can see themselves.
_OF_FORM = ("lint", "am", "code")


def check_recordable(repository: Repository, target: CheckedSeries) -> None:
    """Raise RefusedError if a series has no cover letter to write to, or no check to record."""
    series = target.series
    if series is None or repository.find_ref(f"refs/heads/{series.name}") != series.tip:
        raise RefusedError(
            f"{target.name} is not a branch, and has no cover letter to record tests in",
            code="cover-missing",
            hint="name the branch of the series",
        )
    if series.cover_commit is None or series.record is None:
        raise RefusedError(
            f"{series.name} has no record of how it was generated, so it cannot record tests",
            code="record-missing",
            hint="the record is in the commit of the cover letter: name a branch with that commit",
        )
    absent = _find_absent(repository, series)
    if len(absent) == len(FILES_OF_CHECKS):
        # Fail before the checks, which these files would end one after the other.
        raise RefusedError(
            f"nothing to record: the base has no {' and no '.join(absent)}, so only the form of "
            "the patches can be checked",
            code="nothing-to-record",
            hint=advise_recording(absent, ()),
        )


def _find_absent(repository: Repository, series: SeriesBranch) -> list[str]:
    return find_absent_files(open_tree(repository, series.base))


def describe_testing(
    columns: Sequence[str],
    findings: Sequence[Finding],
    variables: Sequence[str] = (),
    compilers: Sequence[str] = (),
) -> str:
    """Return the passed checks for a cover letter; "" if only the form was checked.

    `columns` are the checks that ran, and the configurations that built files of the series.
    `variables` are make's, "NAME=VALUE", and `compilers` the prefixes of cross compilers. A check
    with a finding, even a note, is not listed as passed.
    """
    noted = {finding.config or finding.check for finding in findings}
    passed = [name for name in columns if name not in noted]
    if not set(passed) - {"sections", *_OF_FORM}:
        return ""
    parts = []
    others = ("checkpatch", "boot", "sections", *_OF_FORM)
    if builds := [name for name in passed if name not in others]:
        parts.append(
            f"the files that it touches build with W=1 and no new warnings for {_join(builds)} "
            f"({', '.join([*read_compiler_versions(variables, compilers), *variables])})"
        )
        if "sections" in passed:
            parts.append("modpost finds no new section mismatch in it")
    # A file that several patches change is noted for each of them.
    if unbuilt := sorted({f.where for f in findings if f.check == "build" and f.where}):
        parts.append(f"not built: {list_first(unbuilt)}")
    if "checkpatch" in passed:
        parts.append(CHECKPATCH_IS_CLEAN)
    if "boot" in passed:
        parts.append("the last patch boots in QEMU, without SEV and TDX")
    return f"each patch by `patchgen verify`: {'; '.join(parts)}"


def record_testing(
    repository: Repository,
    series: SeriesBranch,
    columns: Sequence[str],
    findings: Sequence[Finding],
    variables: Sequence[str] = (),
    compilers: Sequence[str] = (),
    skipped: Collection[str] = (),
) -> str:
    """Write the passed checks of a series into its cover letter, and return that text.

    `skipped` are the checks that the user does not want.

    Only the letter's commit and the ids of the patches on top of it change, so even the current
    branch may be moved. Raises RefusedError if nothing was checked, or if the branch has moved
    in the meantime.
    """
    summary = describe_testing(columns, findings, variables, compilers)
    if not summary:
        raise RefusedError(
            "nothing to record: no configuration built a file of the series, and checkpatch did "
            "not run",
            code="nothing-to-record",
            hint=advise_recording(_find_absent(repository, series), skipped),
        )
    assert series.cover is not None and series.record is not None and series.tracking is not None
    content = digest_tested(series.base, series.commits, summary)
    cover, record = put_testing(series.cover, series.record, summary, content)
    with Quarantine(repository) as quarantine:
        _, commits = put_cover_below(
            quarantine,
            series.base,
            cover,
            replace(series.tracking, record=record.to_document()),
            [commit.oid for commit in series.commits],
            _make_signatures(repository, quarantine, series),
        )
        ref = f"refs/heads/{series.name}"
        quarantine.publish(ref, commits[-1], series.base, series.tip, "patchgen: verify --record")
    return summary


def _make_signatures(
    repository: Repository, quarantine: Quarantine, series: SeriesBranch
) -> Signatures:
    """Return the letter's author, with the current user as committer."""
    now = repository.read_signatures()
    assert series.cover_commit is not None
    author = read_commit(quarantine, series.cover_commit).author
    name, _, email = author.removesuffix(">").rpartition(" <")
    return replace(now, author=replace(now.author, name=name, email=email))


def _join(names: Collection[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
