# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen status`: the state of each patch of a branch on a newer base.

The patches are applied on top of each other, as in a rebase, except those that conflict.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from patchgen.commands.sent_mails import find_sent_mails
from patchgen.edit import OnProgress
from patchgen.errors import MissingObjectsError, PatchgenError, RefusedError
from patchgen.model.base import Oid
from patchgen.model.outcome import Site
from patchgen.odb import (
    CommitChanges,
    Quarantine,
    Repository,
    digest_commits,
    find_renames,
    read_changes,
    read_files,
    require_objects,
)
from patchgen.series import (
    NamedSeries,
    SeriesBranch,
    find_current_series,
    list_series,
    match_commits,
    read_branch,
    resolve_series,
)
from patchgen.status.cherry_pick import Picker
from patchgen.status.judge import PatchJudge
from patchgen.status.newer_base import NewerBase, choose_newer_base
from patchgen.status.result import ListedSeries, PatchStatus, SeriesStatus
from patchgen.status.upstream import UpstreamHistory


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """Which series to compare with which newer base; the repository does not change.

    `branch` None means the current branch, or all series if that is not a series. `onto` None means
    the branch that contains the series' base, and `variant` None the one that the series was made
    from.
    """

    tree: Path
    branch: str | None = None
    onto: str | None = None
    variant: str | None = None


def find_status(
    request: StatusRequest, *, on_progress: OnProgress = lambda done, total: None
) -> SeriesStatus:
    """Return the state of each patch of a series on a newer base.

    Raises RefusedError for a branch or a revision that cannot be read, UsageError if the newer base
    is ambiguous, and SpecError if the named variant is wrong.
    """
    with closing(Repository(request.tree)) as repository, Quarantine(repository) as quarantine:
        name, tip = resolve_series(repository, request.branch)
        return _find(repository, quarantine, name, tip, request, on_progress)


def has_series(tree: Path) -> bool:
    """Return whether the current branch of a repository is a series."""
    with closing(Repository(tree)) as repository:
        return find_current_series(repository) is not None


def list_status(
    request: StatusRequest, *, on_progress: OnProgress = lambda done, total: None
) -> tuple[ListedSeries, ...]:
    """Return the status of each branch with a cover letter, those with the newest commits first.

    Raises UsageError if no branch has one.
    """
    with closing(Repository(request.tree)) as repository, Quarantine(repository) as quarantine:
        named = list(list_series(repository, count=0))
        if not named:
            # It raises the error for a repository without series.
            resolve_series(repository, None)
        listed = []
        for number, series in enumerate(named):
            on_progress(number, len(named))
            listed.append(_find_listed(repository, quarantine, series, request))
        return tuple(listed)


def _find_listed(
    repository: Repository, quarantine: Quarantine, named: NamedSeries, request: StatusRequest
) -> ListedSeries:
    try:
        status = _find(
            repository,
            quarantine,
            named.branch,
            named.tip,
            replace(request, variant=None),
            lambda done, total: None,
        )
    except MissingObjectsError:
        raise
    except PatchgenError as err:
        return ListedSeries(named, None, err.message)
    return ListedSeries(named, status)


def _find(
    repository: Repository,
    quarantine: Quarantine,
    name: str,
    tip: Oid,
    request: StatusRequest,
    on_progress: OnProgress,
) -> SeriesStatus:
    series = _read_series(repository, quarantine, name, tip)
    if request.onto is None:
        newer = choose_newer_base(repository, series)
    else:
        newer = NewerBase(request.onto, repository.resolve_commit(request.onto))
    present, problems = _find_present(repository, quarantine, series, newer.oid, request.variant)
    patches = judge_patches(repository, quarantine, series, newer.oid, present, on_progress)
    mails = find_sent_mails(repository, series)
    count = quarantine.run("rev-list", "--count", f"{series.base}..{newer.oid}").stdout
    return SeriesStatus(
        series=series,
        base=(series.base, repository.describe(series.base)),
        onto=(newer.oid, newer.name),
        newer=int(count),
        patches=tuple(replace(patch, mail=mails.get(patch.commit.oid)) for patch in patches),
        mail=mails.get(series.cover_commit) if series.cover_commit else None,
        warnings=(*_warn(quarantine, series.base, newer), *problems),
    )


def _read_series(
    repository: Repository, quarantine: Quarantine, name: str, tip: Oid
) -> SeriesBranch:
    try:
        return read_branch(repository, quarantine, name, tip)
    except RefusedError as err:
        raise RefusedError(
            err.message,
            code=err.code,
            hint="a branch made by `patchgen run --split` or `patchgen apply` has its base in the "
            "cover letter's commit, below a line of patches",
        ) from None


def _warn(quarantine: Quarantine, base: Oid, newer: NewerBase) -> tuple[str, ...]:
    warnings = (newer.warning,) if newer.warning else ()
    if base == newer.oid:
        return (*warnings, f"{newer.name} is the series' own base, which has none of its patches")
    merge_base = quarantine.run("merge-base", base, newer.oid, ok=(0, 1)).stdout.decode().strip()
    if not merge_base:
        return (
            *warnings,
            f"{newer.name} and the series' base share no history here (a shallow clone?): commits "
            "that made the same changes cannot be named",
        )
    is_older = merge_base == newer.oid
    return (*warnings, f"{newer.name} is older than the series' base") if is_older else warnings


def _find_present(
    repository: Repository,
    quarantine: Quarantine,
    series: SeriesBranch,
    onto: Oid,
    variant: str | None,
) -> tuple[dict[Oid, Site], tuple[str, ...]]:
    """Return where the newer base has the patch of a commit, as the variant's probes find it.

    The second value has warnings, such as for a variant that cannot be read. A campaign does not
    have a variant.
    """
    record = series.record
    if record is None or record.split:
        return {}, ()
    # Importing it takes longer than a list of series.
    from patchgen.pipeline.generate import find_present
    from patchgen.pipeline.variant_places import VariantPlace, find_recorded_variant

    try:
        tree = repository.resolve_tree(onto)
        assert series.tracking is not None
        change_id = series.tracking.change_id
        place = (
            VariantPlace(variant)
            if variant
            else find_recorded_variant(repository, change_id, record.variant)
        )
        sites = find_present(repository, record, place.name, tree)
    except MissingObjectsError:
        raise
    except PatchgenError as err:
        if variant is not None:
            raise
        name = shlex.quote(series.name)
        return {}, (
            f"the probes of the variant {record.variant} were not used: {err.message}; "
            f"`patchgen status {name} --variant FOLDER` uses them",
        )
    digests = digest_commits(quarantine, series.start, series.tip)
    matched = match_commits(series.commits, digests, record)
    present = {entry.commit.oid: sites[entry.name] for entry in matched if entry.name in sites}
    return present, place.warnings


def judge_patches(
    repository: Repository,
    quarantine: Quarantine,
    series: SeriesBranch,
    onto: Oid,
    present: Mapping[Oid, Site],
    on_progress: OnProgress,
) -> tuple[PatchStatus, ...]:
    """Return the state of each patch of a series on a newer base, in order.

    `present` are the commits whose patch the probes of a variant find there.
    """
    files = {path for commit in series.commits for path in commit.files}
    old_files = read_files(quarantine, series.base, files)
    new_files = read_files(quarantine, onto, files)
    if repository.is_partial:
        require_objects(quarantine, [file.oid for file in new_files.values()])
    missing = {path: file for path, file in old_files.items() if path not in new_files}
    moves = find_renames(quarantine, series.base, onto, missing)
    picker = Picker(quarantine, moves)
    changes = read_changes(quarantine, series.base, onto, files | set(moves.values()))
    history = UpstreamHistory([_rename_files(commit, moves) for commit in changes], picker)
    judge = PatchJudge(picker, history, picker.read(onto, *files))
    patches = []
    for number, commit in enumerate(series.commits, 1):
        on_progress(number - 1, len(series.commits))
        patches.append(judge.judge(number, commit, present.get(commit.oid)))
    return tuple(patches)


def _rename_files(
    commit: CommitChanges, moves: Mapping[PurePosixPath, PurePosixPath]
) -> CommitChanges:
    """Return a commit with the new names of renamed files, without deletions of the old names."""
    files = {
        moves.get(path, path): change
        for path, change in commit.files.items()
        if path not in moves or not change.is_deleted
    }
    return replace(commit, files=files)
