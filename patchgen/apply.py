"""The main job: a variant and a base in, a branch and a folder of mails out.

Silent and without a terminal: progress goes to a callback, the result is a value. Nothing is
visible before the ref update, and everything before it can be thrown away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from patchgen import __version__
from patchgen.coccinelle import DEFAULT_TIMEOUT_S, find_spatch
from patchgen.edit import OnProgress, PatchedTree, make_patches
from patchgen.errors import BaseError
from patchgen.kernel import read_version
from patchgen.mail import (
    Outgoing,
    StagedFolder,
    address_mails,
    address_patches,
    check_folder,
    format_mails,
    format_patches,
)
from patchgen.model.base import Base, Oid, TreeReader
from patchgen.model.outcome import CitedCalls
from patchgen.model.plan import Plan
from patchgen.model.series import Identity, MadePatch, Series
from patchgen.odb import GitTree, Quarantine, Repository, git_version
from patchgen.resources import shipped_folder
from patchgen.series import (
    Record,
    Tracking,
    build_series,
    draft_series,
    find_tracking,
    make_change_id,
    render_subject,
    write_patches,
)
from patchgen.spec import bind_variables, build_plan, find_cited_calls, find_variant


@dataclass(frozen=True, slots=True)
class ApplyRequest:
    """What the user asked for.

    `branch` None means patchgen/VARIANT-vN, `output` None the folder `outgoing` at the tree's top.
    `with_cover` puts the cover letter below the patches, as a commit that b4 knows.
    """

    variant: str
    tree: Path
    base: str = "HEAD"
    branch: str | None = None
    revision: int = 4
    backends: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    output: Path | None = None
    sign_off: bool = False
    force: bool = False
    with_cover: bool = True
    dry_run: bool = False
    color: bool = False
    timeout_s: int = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What came of it. `series` is None where nothing remained to make.

    `values` are those of the variant's variables. `made` and `subjects` have one entry for each
    patch of the plan. The lines in `cites` are those of the tree with all patches. `mails` are on
    disk; a dry run has none, but `diffs`, coloured if that was asked for.
    """

    plan: Plan
    values: Mapping[str, str | int | bool]
    made: tuple[MadePatch, ...]
    subjects: tuple[str, ...]
    branch: str
    tools: dict[str, str]
    cites: tuple[CitedCalls, ...] = ()
    series: Series | None = None
    mails: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    diffs: str = ""


def apply_variant(
    request: ApplyRequest, *, on_progress: OnProgress = lambda done, total: None
) -> ApplyResult:
    """Make the series that a request asks for.

    Raises a PatchgenError of the kind that fits, with nothing written.
    """
    spatch = find_spatch()
    variant = find_variant(request.variant)
    values = bind_variables(variant, request.definitions)
    tools = {"patchgen": __version__, "spatch": spatch.version, "git": git_version()}
    repository = Repository(request.tree)
    try:
        base, tree = _read_base(repository, request.base)
        context = {
            **values,
            "revision": request.revision,
            "base": {"oid": base.oid, "describe": base.describe, "version": base.version},
            "tools": tools,
        }
        shared = shipped_folder("templates")
        plan = build_plan(variant, request.backends, base, tree, context, shared)
        target = _choose_target(repository, request, plan)
        may_replace = request.force or request.dry_run
        sure = any(not patch.present_at and not patch.optional for patch in plan.patches)
        # Rather now than after all the work; and what others move meanwhile is not overwritten.
        old = target.check(repository, replace=may_replace) if sure else None
        tried = make_patches(
            plan, tree, spatch, timeout_s=request.timeout_s, on_progress=on_progress
        )
        plan, made = _drop_needless(plan, tried)
        cites = find_cited_calls(variant, plan.backends, PatchedTree(tree, made), plan.context)
        cited = {"cites": {cite.name: cite.calls for cite in cites}}
        plan = replace(plan, context={**plan.context, **cited})
        result = ApplyResult(
            plan=plan,
            values=values,
            made=made,
            cites=cites,
            subjects=tuple(render_subject(plan, patch) for patch in plan.patches),
            branch=target.branch,
            tools=tools,
            warnings=_warn_unparsed(tried),
        )
        if all(patch.present_at for patch in made):
            return result
        if not sure:
            old = target.check(repository, replace=may_replace)
        return _make_series(repository, tree, request, target, old, result)
    finally:
        repository.close()


@dataclass(frozen=True, slots=True)
class _Target:
    """Where the series goes: a branch, its full ref name, and a folder for the mails."""

    branch: str
    ref: str
    folder: Path

    def check(self, repository: Repository, *, replace: bool) -> Oid | None:
        """Return what the branch points at now. Raises where branch or folder may not be used."""
        old = repository.find_ref(self.ref)
        if old is not None and not replace:
            raise BaseError(
                f"the branch {self.branch} exists already",
                hint="--force makes it anew; --branch NAME makes another",
            )
        if (checkout := repository.find_checkout(self.ref)) is not None:
            raise BaseError(
                f"the branch {self.branch} is checked out in {checkout}; "
                "moving it would confuse git there",
                hint="switch to another branch there, or choose one with --branch",
            )
        check_folder(self.folder, force=replace)
        return old


def _choose_target(repository: Repository, request: ApplyRequest, plan: Plan) -> _Target:
    branch = request.branch or f"patchgen/{plan.variant}-v{request.revision}"
    ref = repository.check_branch_name(branch)
    folder = request.output or repository.top / "outgoing"
    return _Target(branch, ref, (Path.cwd() / folder).resolve())


def _make_series(
    repository: Repository,
    tree: TreeReader,
    request: ApplyRequest,
    target: _Target,
    old: Oid | None,
    result: ApplyResult,
) -> ApplyResult:
    """Write the commits aside; then show them, or publish them with their mails."""
    plan = result.plan
    signatures = repository.read_signatures()
    with Quarantine(repository) as quarantine:
        draft = draft_series(
            plan, result.made, signatures, _record(request, result), sign_off=request.sign_off
        )
        commits, record = write_patches(quarantine, plan, draft, signatures)
        tracking = _track(quarantine, request, target, old, plan, signatures.author)
        outgoing = Outgoing(
            branch=target.branch,
            base=plan.base.oid,
            start=plan.base.oid,
            tip=commits[-1],
            change_id=tracking.change_id,
            revision=request.revision,
            cover=draft.cover,
        )
        patches = format_patches(quarantine, outgoing, signatures.committer)
        recipients, warnings = address_patches(tree, patches)
        series = build_series(
            quarantine,
            plan,
            draft,
            commits,
            signatures,
            branch=target.branch,
            tracking=replace(tracking, record=record.to_document()),
            recipients=recipients.cover,
            with_cover=request.with_cover,
        )
        result = replace(result, series=series)
        start = series.cover_commit or plan.base.oid
        if request.dry_run:
            diffs = quarantine.show_patches(start, series.tip, color=request.color)
            return replace(result, diffs=diffs)
        outgoing = replace(outgoing, start=start, tip=series.tip, cover=series.cover)
        mails = format_mails(quarantine, outgoing, signatures.committer)
        mails = address_mails(mails, recipients)
        with StagedFolder(target.folder, mails, force=request.force) as staged:
            reason = f"patchgen: apply {plan.variant} v{request.revision}"
            quarantine.publish(target.ref, series.tip, plan.base.oid, old, reason)
            paths = staged.publish()
        return replace(result, mails=tuple(paths), warnings=result.warnings + warnings)


def _track(
    quarantine: Quarantine,
    request: ApplyRequest,
    target: _Target,
    old: Oid | None,
    plan: Plan,
    author: Identity,
) -> Tracking:
    """Return what the series is to be known by: as before, where the branch is made anew."""
    known = find_tracking(quarantine, old) if old is not None else None
    change_id = known.change_id if known else make_change_id(plan.variant, target.branch, author)
    return Tracking(change_id, request.revision)


def _record(request: ApplyRequest, result: ApplyResult) -> Record:
    plan = result.plan
    return Record(
        variant=plan.variant,
        revision=request.revision,
        base=plan.base.oid,
        describe=plan.base.describe,
        backends=request.backends,
        made_backends=plan.backends,
        definitions=request.definitions,
        variables=dict(result.values),
        signed_off=request.sign_off,
        tools=result.tools,
        inputs=dict(plan.inputs),
    )


def _read_base(repository: Repository, revision: str) -> tuple[Base, TreeReader]:
    oid = repository.resolve_commit(revision)
    tree_oid = repository.resolve_tree(oid)
    tree = GitTree(repository, tree_oid)
    version = read_version(tree)
    return Base(oid, tree_oid, repository.describe(oid), version), tree


def _drop_needless(plan: Plan, tried: Sequence[MadePatch]) -> tuple[Plan, tuple[MadePatch, ...]]:
    """Return plan and patches without the optional ones that the base has no need of."""
    kept = [
        (planned, made)
        for planned, made in zip(plan.patches, tried, strict=True)
        if not made.is_needless
    ]
    patches = tuple(planned for planned, _ in kept)
    return replace(plan, patches=patches), tuple(made for _, made in kept)


def _warn_unparsed(made: Sequence[MadePatch]) -> tuple[str, ...]:
    functions = dict.fromkeys(str(function) for patch in made for function in patch.unparsed)
    return tuple(f"spatch could not parse {each}; rules do not see it" for each in functions)
