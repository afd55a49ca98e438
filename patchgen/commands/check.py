# SPDX-License-Identifier: GPL-2.0-or-later
"""`check` from end to end: find all errors of a variant, and run its golden cases."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from patchgen.coccinelle import find_spatch
from patchgen.commands.case_faults import find_case_faults, find_rule_faults
from patchgen.commands.series_templates import find_placeholders
from patchgen.commands.subjects import find_subject_faults
from patchgen.commands.test import GoldenRequest, check_patches
from patchgen.errors import ErrorPlace, PatchgenError, SpecError, UsageError
from patchgen.odb import GitTree, Repository
from patchgen.resources import shipped_folder
from patchgen.spec import (
    MissingPath,
    bind_variables,
    find_missing_paths,
    find_variant_errors,
    find_variant_folder,
    list_sources,
    load_variant,
    select_units,
)
from patchgen.sweep import GoldenRun, find_unused_cases, has_cases, is_template


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The folder of the variant, and its errors by file and line; golden cases come last.

    `notes` are about paths that the tree does not have, but another base may, about subjects that
    `verify` will refuse, and about texts with a placeholder.
    """

    folder: Path
    errors: tuple[PatchgenError, ...]
    notes: tuple[PatchgenError, ...] = ()


def check_variant(name: str, tree: Path | None = None, base: str = "HEAD") -> CheckResult:
    """Return all errors of a variant, which is named by its name or its folder.

    With a tree, and unless an error prevents reading the manifests, also the paths that no file of
    the base has. Raises UsageError if the variant or the base does not exist, ToolError without
    spatch.
    """
    folder = find_variant_folder(name)
    errors = find_variant_errors(folder, shipped_folder("templates"), find_spatch())
    missing = _check_tree(folder, tree, base, errors) if tree is not None else []
    cases = [*_check_cases(folder, errors), *_check_unused(folder)]
    # A case that belongs to no semantic patch is reported once for each of its folder.
    cases = list({str(error): error for error in cases}.values())
    faults = [path.error for path in missing if path.is_fault]
    notes = [path.error for path in missing if not path.is_fault]
    # The messages of a variant with errors may not be known.
    notes += [] if errors else [*find_subject_faults(folder), *find_placeholders(folder)]
    return CheckResult(folder, (*errors, *faults, *cases), tuple(notes))


def _check_tree(
    folder: Path, tree: Path, base: str, errors: Sequence[PatchgenError]
) -> list[MissingPath]:
    """Return each path of the variant that no file of the base has; `errors` were found already."""
    with closing(Repository(tree)) as repository:
        reader = GitTree(repository, repository.resolve_tree(repository.resolve_commit(base)))
        try:
            variant = load_variant(folder)
            if repository.is_partial:
                reader.require(list_sources(select_units(variant, ())))
            return list(find_missing_paths(variant, reader, bind_variables(variant, ())))
        except (SpecError, UsageError):
            # The manifests cannot be read.
            if not errors:
                raise
            return []


def _check_unused(folder: Path) -> Iterator[PatchgenError]:
    for path in find_unused_cases(folder):
        yield SpecError(
            "no semantic patch runs this golden case: its folder has none",
            code="case-missing",
            place=ErrorPlace(str(path)),
        )


def _check_cases(folder: Path, errors: Sequence[PatchgenError]) -> Iterator[PatchgenError]:
    """Yield an error for each golden case that fails.

    `errors` are those of the variant. A variant with errors cannot render its templates, so their
    cases are not run, nor are those of a semantic patch that has an error: it would appear twice.
    """
    wrong = {error.place.file for error in errors if error.place}
    paths = [*folder.rglob("*.cocci"), *folder.rglob("*.cocci.j2")]
    for path in sorted(paths):
        if not has_cases(path) or str(path) in wrong or (is_template(path) and errors):
            continue
        try:
            results = list(check_patches(GoldenRequest(str(path))))
        except SpecError as err:
            yield err
            continue
        for checked in results:
            if checked.run is not None:
                yield from _check_run(path, checked.run)


def _check_run(path: Path, run: GoldenRun) -> Iterator[PatchgenError]:
    test = shlex.join(["patchgen", "test", str(path)])
    yield from find_rule_faults(test, path, run)
    yield from (error for _, error in find_case_faults(test, run))
