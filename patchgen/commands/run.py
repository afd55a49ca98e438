# SPDX-License-Identifier: GPL-2.0-or-later
"""`run` from end to end: choose the semantic patches and the files, then run the sweeps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from patchgen.coccinelle import find_spatch
from patchgen.commands.refuse_target import refuse_target
from patchgen.ctokens import find_sequence, tokenize
from patchgen.errors import (
    ErrorPlace,
    MissingObjectsError,
    PatchgenError,
    RefusedError,
    SpecError,
    UsageError,
)
from patchgen.kernel import read_version
from patchgen.model.base import Base, TreeFile
from patchgen.model.smpl import Mode
from patchgen.model.sweep import Sweep
from patchgen.odb import (
    GitTree,
    Repository,
    list_changed,
    list_files,
    require_objects,
    resolve_paths,
)
from patchgen.spec import find_recipe
from patchgen.sweep import (
    CocciFile,
    Includes,
    Lookup,
    RunRequest,
    SweepRequest,
    load_cocci,
    may_run_code,
    resolve,
    sweep,
)

if TYPE_CHECKING:
    from patchgen.sweep import Executor


_C_SUFFIXES = (".c", ".h")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A semantic patch of a folder that was not run, and why.

    `needs_trust` is set if it runs code that the user has not allowed.
    """

    name: str
    reason: str
    needs_trust: bool = False


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The semantic patches to run on one base, read and checked, and those that are skipped."""

    base: Base
    sweeps: tuple[SweepRequest, ...]
    skipped: tuple[Skipped, ...] = ()


def plan_run(repository: Repository, request: RunRequest, lookup: Lookup | None = None) -> RunPlan:
    """Find the semantic patches, and the files to run them over.

    With `lookup`, the target is one semantic patch, which it finds. Raises UsageError, SpecError or
    RefusedError if one cannot be found, read, or run as requested.
    """
    oid = repository.resolve_commit(request.base)
    base = Base(oid, repository.resolve_tree(oid), repository.describe(oid))
    tree = GitTree(repository, base.tree)
    _check_paths(repository, tree, base, request)
    only_paths = _choose_files(repository, request, base)
    if repository.is_partial:
        _require_files(repository, tree, request, only_paths)
    base = replace(base, version=read_version(tree))
    since = repository.resolve_commit(request.since) if request.since is not None else None
    recipe = find_recipe(request.target) if lookup is None else None
    if lookup is not None:
        names = [request.target]
    elif recipe is not None:
        names = [str(recipe.path)]
    elif _is_variant(request.target):
        return RunPlan(base, tuple(_plan_variant(repository, request, base, tree, only_paths)))
    else:
        names = list_semantic_patches(request.target, tree)
    may_run = partial(may_run_code, repository, request)
    sweeps: list[SweepRequest] = []
    skipped: list[Skipped] = []
    for name in names:
        try:
            cocci = load_cocci(name, lookup or make_lookup(tree), may_run, request.files, request)
            _check_version(cocci)
            if recipe is not None:
                cocci = replace(cocci, name=recipe.name)
            resolved = resolve(cocci, request, base, only_paths)
            sweeps.append(_note_unmet(replace(resolved, since=since), cocci, tree))
        except MissingObjectsError:
            raise
        except PatchgenError as err:
            if len(names) == 1:
                raise
            needs_trust = "trusted" in err.parameters
            skipped.append(Skipped(name, _describe_error(err), needs_trust))
    return RunPlan(base, tuple(sweeps), tuple(skipped))


def require_campaign(plan: RunPlan) -> None:
    """Check that the change of a run can become a campaign.

    Raises UsageError for several semantic patches, for a variant, and for a mode that does not
    change files; RefusedError if the base does not meet the needs of the semantic patch.
    """
    if len(plan.sweeps) + len(plan.skipped) != 1:
        raise UsageError(
            "a campaign is made from one semantic patch, not several",
            code="split-one-patch",
            hint="name a single .cocci file or a recipe",
        )
    [request] = plan.sweeps
    if request.header is None:
        raise UsageError(
            "a campaign is not made from a variant, which defines its own patches",
            code="split-one-patch",
            hint="`patchgen apply VARIANT` makes them",
        )
    if request.mode is not Mode.PATCH:
        raise UsageError(
            f"{request.name} runs in {request.mode} mode, which does not change files",
            code="mode-unknown",
        )
    if request.unmet:
        raise RefusedError(
            "; ".join(request.unmet),
            code="base-lacks-needs",
            hint="name a base that contains it",
            parameters=("base",),
        )


def run_sweeps(
    repository: Repository,
    plan: RunPlan,
    *,
    executor: Executor | None = None,
    on_progress: Callable[[str, int, int | None], None] = lambda name, done, total: None,
) -> Iterator[tuple[SweepRequest, Sweep | Skipped]]:
    """Run the semantic patches in turn, and yield the result of each.

    If there are several, one that spatch refuses is skipped. Raises SpecError if it is the only
    one, and ToolError.
    """
    for request in plan.sweeps:
        progress = partial(on_progress, request.name)
        try:
            yield request, sweep(repository, request, executor=executor, on_progress=progress)
        except MissingObjectsError:
            raise
        except PatchgenError as err:
            if len(plan.sweeps) + len(plan.skipped) == 1:
                raise
            yield request, Skipped(request.name, _describe_error(err))


def list_macros(repository: Repository, base: str) -> str:
    """Return the macros with which code of a commit is read, as definitions.

    Raises RefusedError if the commit does not exist, MissingObjectsError if headers are missing.
    """
    from patchgen.sweep.tree_macros import format_macros, read_tree_macros

    tree = repository.resolve_tree(repository.resolve_commit(base))
    return format_macros(read_tree_macros(repository, tree).uses)


def _describe_error(err: PatchgenError) -> str:
    """Return a one-line reason why a semantic patch was not run, with the line it names."""
    where = ""
    if err.place is not None and err.place.line is not None:
        excerpt = f": {err.place.excerpt.strip()}" if err.place.excerpt else ""
        where = f" (line {err.place.line}{excerpt})"
    return err.message + where


# --- semantic patches ------------------------------------------------------------------------


def _is_variant(target: str) -> bool:
    """Return whether a target is a variant: its folder, or a name that is not a file's."""
    path = Path(target)
    if path.is_dir():
        return (path / "manifest.toml").is_file()
    return "/" not in target and not target.endswith(".cocci") and not path.exists()


def list_semantic_patches(target: str, tree: GitTree | None) -> list[str]:
    """Return the .cocci files that a target names, on disk or else in the tree, if there is one.

    Raises UsageError if it names none.
    """
    path = Path(target)
    if path.is_file():
        return [target]
    if path.is_dir():
        names = [str(file) for file in sorted(path.rglob("*.cocci")) if not file.is_dir()]
    else:
        pattern = target.rstrip("/")
        files = _find_in_tree(tree, pattern) or _find_in_tree(tree, f"{pattern}/**/*.cocci")
        names = [str(file.path) for file in files]
    if not names:
        raise refuse_target(target, ["a recipe", "a variant"])
    return names


def read_semantic_patch(tree: GitTree | None, path: str) -> bytes | None:
    """Return the content of a semantic patch, or of a file that one names; None if it is missing.

    Raises SpecError if it is not a regular file.
    """
    if Path(path).is_file():
        return Path(path).read_bytes()
    if os.path.lexists(path) and not Path(path).is_dir():
        raise SpecError("is not a regular file", code="file-kind", place=ErrorPlace(path))
    return _read_from_tree(tree, path)


def _read_from_tree(tree: GitTree | None, path: str) -> bytes | None:
    files = _find_in_tree(tree, path)
    return tree.read(files[0]) if tree is not None and files else None


def make_lookup(tree: GitTree | None) -> Lookup:
    """Return functions that find the files that a semantic patch names, on disk and in a tree.

    Without a tree, any folder is taken to exist.
    """
    return Lookup(
        partial(read_semantic_patch, tree),
        partial(_read_from_tree, tree),
        lambda folder: tree is None or bool(_find_in_tree(tree, f"{folder}/**")),
    )


def _check_version(cocci: CocciFile) -> None:
    spatch = find_spatch()
    if not cocci.header.is_met_by(spatch.version):
        raise RefusedError(
            f"{cocci.name} needs spatch {cocci.header.requires}, here it is {spatch.version}",
            code="program-version",
            hint="set SPATCH to a newer one",
        )


def _note_unmet(request: SweepRequest, cocci: CocciFile, tree: GitTree) -> SweepRequest:
    unmet = tuple(_find_unmet(cocci, tree))
    return replace(request, unmet=unmet, notes=(*request.notes, *unmet))


def _find_unmet(cocci: CocciFile, tree: GitTree) -> Iterator[str]:
    """Yield each need of a semantic patch (a `// Needs:` line) that a tree does not meet."""
    for path, needed in cocci.header.needs:
        tokens = [token.text for token in tokenize(needed.encode())]
        files = _find_in_tree(tree, path)
        if not any(find_sequence(tree.read(file), tokens) is not None for file in files):
            yield f"{path} does not contain `{needed}`, which {cocci.name} needs"


def _find_in_tree(tree: GitTree | None, pattern: str) -> list[TreeFile]:
    """Return the files of the tree that a path or glob matches; none if it leads outside."""
    normal = os.path.normpath(pattern)
    return [] if tree is None or normal.startswith(("/", "..")) else tree.find([normal])


def _plan_variant(
    repository: Repository,
    request: RunRequest,
    base: Base,
    tree: GitTree,
    only_paths: frozenset[PurePosixPath] | None,
) -> Iterator[SweepRequest]:
    """Yield the semantic patches of a variant, over the files that its manifest names for them."""
    # Importing manifests and templates takes longer than a run whose results are all cached.
    from patchgen.coccinelle import RunnableSmpl, refuse_code
    from patchgen.model.plan import RunRules
    from patchgen.pipeline.generate import VariantRequest, plan_variant
    from patchgen.spec import find_variant_folder

    # For an unknown name, the error suggests recipes, too.
    find_variant_folder(request.target, suggests_recipes=True)
    if request.mode not in (None, Mode.PATCH):
        raise UsageError("a variant can only be run in patch mode", code="mode-unknown")
    variables = tuple(request.definitions)
    variant = VariantRequest(request.target, request.base, definitions=variables)
    for patch in plan_variant(repository, variant, 1).patches:
        for edit in patch.edits:
            if isinstance(edit, RunRules):
                refuse_code(edit.patch)
                files = _select_below(edit.files, request.paths)
                yield SweepRequest(
                    request,
                    base,
                    RunnableSmpl(edit.patch, options=(Includes.NONE,)),
                    files if only_paths is None else files & only_paths,
                    suffixes=tuple(sorted({file.path.suffix for file in edit.files})),
                    # A function may get any token from the macro files.
                    slices=request.slices and not edit.patch.macros,
                    on=_select_below(tree.find(edit.on), request.paths),
                )


def _select_below(
    files: Sequence[TreeFile], paths: tuple[PurePosixPath, ...]
) -> frozenset[PurePosixPath]:
    return frozenset(
        file.path
        for file in files
        if not paths or any(file.path.is_relative_to(path) for path in paths)
    )


# --- files -----------------------------------------------------------------------------------


def _check_paths(repository: Repository, tree: GitTree, base: Base, request: RunRequest) -> None:
    """Refuse paths without C files, and folders of headers that do not exist."""
    resolve_paths(repository, base.tree, [PurePosixPath(name) for name in request.files.folders])
    for path, _, is_folder in resolve_paths(repository, base.tree, request.paths):
        if not is_folder and not (tree.find([str(path)]) and path.suffix in _C_SUFFIXES):
            raise UsageError(
                f"{path} is neither a C file nor a folder",
                code="path-unknown",
                hint="name .c or .h files, or folders",
            )


def _require_files(
    repository: Repository,
    tree: GitTree,
    request: RunRequest,
    only_paths: frozenset[PurePosixPath] | None,
) -> None:
    """Raise MissingObjectsError if a partial clone lacks files that the run reads."""
    files = tree.find(["Makefile"])
    files += [
        file
        for file in list_files(repository, tree.oid, request.paths, _C_SUFFIXES)
        if only_paths is None or file.path in only_paths
    ]
    require_objects(repository, [file.oid for file in files])


def _choose_files(
    repository: Repository, request: RunRequest, base: Base
) -> frozenset[PurePosixPath] | None:
    """Return the files that the run is restricted to, None if it is not restricted."""
    only_paths: frozenset[PurePosixPath] | None = None
    if request.since is not None:
        since = repository.resolve_commit(request.since)
        only_paths = list_changed(repository, since, base.oid)
    if request.only_built is not None:
        from patchgen.kernel import read_built

        tree = GitTree(repository, base.tree)
        built = read_built(tree, request.only_built)
        headers = (file.path for file in tree.find(["**/*.h"]))
        readable = frozenset((*built, *headers))
        only_paths = readable if only_paths is None else only_paths & readable
    return only_paths
