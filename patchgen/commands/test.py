# SPDX-License-Identifier: GPL-2.0-or-later
"""`test` from end to end: find semantic patches, run each over its golden cases, update results."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from patchgen.errors import PatchgenError, UsageError
from patchgen.model.base import Base, Oid
from patchgen.model.smpl import Mode
from patchgen.process import iterate_parallel
from patchgen.spec import find_recipe, list_named, list_recipes
from patchgen.sweep import (
    DEFAULT_TIMEOUT_S,
    CocciFile,
    GoldenRun,
    Lookup,
    RunRequest,
    find_cases,
    load_cocci,
    resolve,
    run_cases,
)
from patchgen.truststore import are_trusted, read_trust

_NO_BASE = Base(Oid(""), Oid(""), "")


@dataclass(frozen=True, slots=True)
class GoldenRequest:
    """The parameters of `patchgen test`.

    `target` is a .cocci, a folder of them, or the name of a recipe or a variant. None is the
    current folder if it has a .cocci, else all recipes. `trusted` lets all semantic patches run
    code.
    """

    target: str | None = None
    mode: Mode | None = None
    definitions: tuple[str, ...] = ()
    trusted: bool = False
    timeout_s: int = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class CheckedPatch:
    """A semantic patch and the run over its cases, or why there was none."""

    name: str
    run: GoldenRun | None = None
    error: PatchgenError | None = None


def check_patches(request: GoldenRequest) -> Iterator[CheckedPatch]:
    """Run semantic patches over their golden cases, and yield the results in the order of names.

    Raises UsageError if the target names none, and the error of the only one that cannot be run.
    """
    patches = find_patches(request.target)
    run_request = RunRequest(
        str(request.target),
        mode=request.mode,
        definitions=request.definitions,
        trusted=request.trusted,
        timeout_s=request.timeout_s,
    )
    check = partial(_check_patch, run_request)
    results = iterate_parallel(check, patches.items(), workers=os.cpu_count() or 1)
    for checked in results:
        if checked.error is not None and len(patches) == 1:
            raise checked.error
        yield checked


def update_results(run: GoldenRun) -> Iterator[Path]:
    """Write the results of a run into the files that differ, and yield these.

    Raises UsageError if one cannot be written.
    """
    for outcome in run.outcomes:
        path = outcome.case.result
        if path is None or outcome.failure or outcome.passed:
            continue
        try:
            path.write_bytes(outcome.actual)
        except OSError as err:
            raise UsageError(
                f"{path} cannot be written: {err.strerror}", code="file-unwritable"
            ) from None
        yield path


def find_patches(target: str | None) -> dict[str, Path]:
    """Return the semantic patches that a target names, by their names for messages.

    Raises UsageError if it names none.
    """
    if target is None:
        files = {str(path): path for path in sorted(Path().glob("*.cocci"))}
        return files or {recipe.name: recipe.path for recipe in list_recipes()}
    path = Path(target)
    if path.is_dir():
        files = {str(file): file for file in sorted(path.rglob("*.cocci")) if file.is_file()}
        if not files:
            raise UsageError(f"{target} has no .cocci", code="semantic-patch-unknown")
        return files
    if path.exists():
        return {target: path}
    recipe = find_recipe(target)
    variant = next((each for each in list_named() if each.name == target), None)
    if recipe is None and variant is not None:
        return find_patches(str(variant.path))
    if recipe is None:
        names = [recipe.name for recipe in list_recipes()]
        similar = difflib.get_close_matches(target, names, n=1)
        raise UsageError(
            f"{target} is not a semantic patch",
            code="semantic-patch-unknown",
            hint=f"did you mean {similar[0]}?"
            if similar
            else "name a .cocci, a folder of them, or a recipe (`patchgen variants`)",
        )
    return {recipe.name: recipe.path}


def _check_patch(request: RunRequest, patch: tuple[str, Path]) -> CheckedPatch:
    name, path = patch

    def may_run(cocci: CocciFile) -> bool:
        return request.trusted or are_trusted(read_trust(), cocci.texts)

    # A golden case is not part of a tree, so all files that the semantic patch names are on disk.
    lookup = Lookup(_read, lambda name: None, lambda folder: True)
    try:
        cocci = load_cocci(str(path), lookup, may_run, request=request)
        resolved = resolve(cocci, request, _NO_BASE)
        return CheckedPatch(
            name, run_cases(resolved, find_cases(path, resolved.suffixes), path.parent)
        )
    except PatchgenError as err:
        return CheckedPatch(name, error=err)


def _read(path: str) -> bytes | None:
    with suppress(OSError):
        return Path(path).read_bytes()
    return None
