# SPDX-License-Identifier: GPL-2.0-or-later
"""`new` from end to end: write the folder of a complete variant.

The files are written to a hidden folder, which gets the variant's name as the last step. Before
that, a variant from commits is made on their base and compared with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from patchgen.coccinelle import DEFAULT_TIMEOUT_S, Spatch, find_spatch
from patchgen.commands.subjects import complete_subject, find_subject_faults
from patchgen.commands.test import GoldenRequest, check_patches, update_results
from patchgen.controls import escape_controls
from patchgen.errors import PatchgenError, RefusedError, SpecError, UsageError
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.newvariant.case_search import CaseSource
from patchgen.newvariant.draft import (
    check_name,
    check_title,
    refuse_existing,
    staged_variant,
)
from patchgen.newvariant.folders import expand_folders
from patchgen.newvariant.from_cocci import read_cocci
from patchgen.newvariant.from_commits import (
    ChangeByHand,
    CommitVariant,
    StatedRule,
    make_from_commits,
)
from patchgen.newvariant.skeleton import (
    DEFAULT_FILES,
    SemanticPatchDraft,
    draft_rename,
    draft_variant,
)
from patchgen.newvariant.tree_names import find_unknown_files, find_unknown_functions
from patchgen.odb import Checkout, Repository, read_commit
from patchgen.odb.plumbing import Git
from patchgen.pipeline.generate import VariantRequest, plan_variant, run_plan
from patchgen.series import PLACEHOLDER
from patchgen.spec import list_names
from patchgen.sweep import CaseOutcome
from patchgen.verify import open_target


@dataclass(frozen=True, slots=True)
class NewRequest:
    """The parameters of `new`.

    `target` is the folder to write; its last part is the variant's name. The source of the variant
    is one of `rename` (two names of functions), `cocci` (a semantic patch) and `commits` (a commit,
    a range or mails). `on` are the files of its semantic patch as paths, folders and globs, () for
    the usual ones. `start` is the commit that mails apply to.
    """

    target: Path
    tree: Path
    rename: tuple[str, str] | None = None
    cocci: Path | None = None
    commits: str | None = None
    on: tuple[str, ...] = ()
    title: str | None = None
    start: str | None = None
    timeout_s: int = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class NewResult:
    """The folder of the new variant, and its files.

    `failures` are sentences on golden cases that do not pass, on semantic patches that became text,
    and on files and functions that the tree lacks. `in_tree` is set if the tree is a git repository
    with a commit. For a variant from commits, `base` is the commit on which it was compared with
    them; `rules`, `texts` and `by_hand` say how each change is made.
    """

    folder: Path
    files: tuple[str, ...]
    failures: tuple[str, ...] = ()
    in_tree: bool = True
    base: Oid | None = None
    rules: tuple[StatedRule, ...] = ()
    texts: tuple[tuple[str, PurePosixPath], ...] = ()
    by_hand: tuple[ChangeByHand, ...] = ()

    @property
    def unwritten(self) -> tuple[str, ...]:
        """The files of texts with a placeholder, which `send` refuses."""
        return tuple(
            file
            for file in self.files
            if file.endswith(".txt.j2") and PLACEHOLDER in (self.folder / file).read_text("utf-8")
        )


def write_variant(request: NewRequest) -> NewResult:
    """Write a new variant.

    Raises UsageError for an invalid name, RefusedError if the folder exists or if a variant cannot
    make any change of the commits, SpecError for a semantic patch that a variant cannot have. After
    an error, no file remains.
    """
    name = check_target(request.target)
    request = replace(request, on=expand_folders(request.tree, request.on))
    if request.title is not None:
        request = replace(request, title=check_title(request.title))
    if request.commits is not None:
        return _write_from_commits(request, name, request.commits)
    if request.cocci is not None:
        source = CaseSource(request.tree, request.on, request.timeout_s)
        patch = read_cocci(request.cocci, name, source, request.title)
        if request.title is None:
            title = complete_subject(patch.title, request.tree, patch.on, patch.containing)
            patch = replace(patch, title=title)
    else:
        assert request.rename is not None
        old, new = request.rename
        patch = draft_rename(name, old, new, request.title or title_rename(request))
        patch = replace(patch, on=request.on or patch.on)
    return _write(request, name, patch)


def check_target(target: Path) -> str:
    """Return the name of a new variant.

    Raises UsageError for an invalid name, RefusedError if the folder exists.
    """
    name = check_name(target.name)
    refuse_existing(target)
    if len(target.parts) == 1 and name in list_names():
        raise UsageError(
            f"a variant named {name} already exists",
            code="path-exists",
            hint="`patchgen variants` lists them",
        )
    return name


def title_rename(request: NewRequest) -> str:
    """Return the usual subject for the replacement of a function."""
    assert request.rename is not None
    old, new = request.rename
    on = expand_folders(request.tree, request.on) or DEFAULT_FILES
    return complete_subject(f"Replace {old}() by {new}()", request.tree, on, (old,))


def _write(request: NewRequest, name: str, patch: SemanticPatchDraft) -> NewResult:
    with staged_variant(request.target, draft_variant(name, patch)) as staged:
        failures = [f"{name}.cocci: {remark}" for remark in patch.remarks]
        failures += (
            _complete_cases(staged.folder)
            if patch.cases
            else [f"{name}.cocci has no golden cases: {patch.without_cases}"]
        )
        failures += _list_subject_faults(staged.folder)
        files = _list_files(staged.folder)
        staged.publish()
    # A tree may have no header; the user has not named any.
    unknown = _find_unknown_names(replace(request, on=request.on or tuple(patch.on[:1])))
    return NewResult(request.target, files, (*failures, *(unknown or ())), unknown is not None)


def _find_unknown_names(request: NewRequest) -> tuple[str, ...] | None:
    """Return sentences on files and functions that the tree lacks; None without a tree."""
    try:
        repository = Repository(request.tree)
    except RefusedError:
        return None
    with closing(repository):
        try:
            repository.resolve_commit("HEAD")
        except RefusedError:
            return None
        unknown = list(find_unknown_files(repository, request.on))
        if request.rename is not None:
            unknown += find_unknown_functions(repository, request.on, request.rename)
    return tuple(unknown)


def _list_subject_faults(folder: Path) -> list[str]:
    """Return sentences on subjects that `verify` would report."""
    faults = []
    for err in find_subject_faults(folder):
        assert err.place is not None
        name = Path(err.place.file).relative_to(folder)
        faults.append(f"{name}: {err.message}: {err.place.excerpt}")
    return faults


def _list_files(folder: Path) -> tuple[str, ...]:
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return tuple(sorted(str(path) for path in files))


def _may_write_result(outcome: CaseOutcome) -> bool:
    """Return whether a case has no result yet, or one with another layout.

    `run` adapts the layout of changed code to the style of the kernel, and a variant does not.
    """
    expected, actual = outcome.expected, outcome.actual
    return expected is None or b"".join(expected.split()) == b"".join(actual.split())


def _complete_cases(folder: Path) -> Iterator[str]:
    """Write the results of golden cases, and yield why a semantic patch does not pass them."""
    for path in sorted(folder.rglob("*.cocci")):
        try:
            [checked] = check_patches(GoldenRequest(str(path)))
            assert checked.run is not None
            writable = filter(_may_write_result, checked.run.outcomes)
            written = set(update_results(replace(checked.run, outcomes=tuple(writable))))
        except PatchgenError as err:
            yield f"{path.name}: {err.message.replace(f'{folder}/', '')}"
            continue
        outcomes = checked.run.outcomes
        for outcome in outcomes:
            if not outcome.passed and outcome.case.result not in written:
                yield f"{path.name}: its golden case {outcome.case.name} does not pass"
        for rule in checked.run.never_fired:
            yield (
                f"{path.name}: no golden case shows what the rule {rule} changes: add one, such as "
                f"{path.stem}-{rule.replace(' ', '-')}.c"
            )


def _write_from_commits(request: NewRequest, name: str, commits: str) -> NewResult:
    with closing(Repository(request.tree)) as repository, Checkout(repository) as checkout:
        base, series = _read_series(repository, checkout, commits, request.start)
        try:
            return _try_variant(request, repository, checkout, name, base, series, find_spatch())
        except (SpecError, RefusedError) as err:
            # A semantic patch that works alone may fail after others; text does not.
            result = _try_variant(request, repository, checkout, name, base, series, None)
            reason = err.message.partition("\n")[0]
            remark = f"the variant has no semantic patches, since they fail: {reason}"
            return replace(result, failures=(remark, *result.failures))


def _read_series(
    repository: Repository, checkout: Checkout, name: str, start: str | None
) -> tuple[Oid, Sequence[Commit]]:
    """Return the commits that a commit, a range BASE..TIP or mails name, and their base."""
    if (Path(name).exists() and not Path(name).is_symlink()) or ".." in name:
        target = open_target(repository, checkout, name, start)
        return target.start, target.commits
    commit = read_commit(repository, repository.resolve_commit(name))
    return repository.resolve_commit(f"{commit.oid}^"), [commit]


def _try_variant(
    request: NewRequest,
    repository: Repository,
    git: Git,
    name: str,
    base: Oid,
    commits: Sequence[Commit],
    spatch: Spatch | None,
) -> NewResult:
    variant = make_from_commits(git, name, base, commits, spatch, request.timeout_s)
    if not any(commit.files for commit in commits):
        raise RefusedError("the commits change no file", code="nothing-to-state")
    if not variant.results:
        reasons = "\n".join(
            f"  {escape_controls(str(each.path))} {each.reason}" for each in variant.by_hand
        )
        raise RefusedError(
            f"a variant cannot make any change of these commits:\n{reasons}",
            code="nothing-to-state",
        )
    with staged_variant(request.target, variant.draft) as staged:
        _compare(repository, staged.folder, base, variant, request.timeout_s)
        failures = (*_complete_cases(staged.folder), *_list_subject_faults(staged.folder))
        files = _list_files(staged.folder)
        staged.publish()
    texts = ((patch, path) for patch, paths in variant.texts.items() for path in paths)
    return NewResult(
        request.target, files, failures, True, base, variant.rules, tuple(texts), variant.by_hand
    )


def _compare(
    repository: Repository, folder: Path, base: Oid, variant: CommitVariant, timeout_s: int
) -> None:
    """Make the series of the variant on its base, and compare each file with the commit's.

    Raises SpecError for a file that differs, and the error of a patch that cannot be made.
    """
    request = VariantRequest(variant=str(folder), base=base, timeout_s=timeout_s)
    generated = run_plan(plan_variant(repository, request, 1), request)
    for patch in generated.patches:
        expected = variant.results[patch.name]
        actual = {edit.path: edit.after for edit in patch.edits}
        for path in sorted({*expected, *actual}):
            if actual.get(path) != expected.get(path):
                raise SpecError(
                    f"the patch {patch.name} makes {path} different from the commit",
                    code="result-differs",
                    hint="this is a defect of patchgen; please report the commit",
                )
