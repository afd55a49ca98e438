# SPDX-License-Identifier: GPL-2.0-or-later
"""`test` from end to end: find semantic patches, run each over its golden cases, update results."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from patchgen.coccinelle import check_markers, read_header, refuse_code
from patchgen.commands.refuse_target import refuse_target
from patchgen.errors import PatchgenError, UsageError
from patchgen.model.base import Base, Oid
from patchgen.model.smpl import Mode, SemanticPatch
from patchgen.paths import absolute_path
from patchgen.process import iterate_parallel
from patchgen.resources import shipped_folder
from patchgen.spec import (
    Recipe,
    describe_variables,
    find_recipe,
    find_variant_above,
    list_named,
    list_names,
    list_recipes,
    load_variant,
    render_case_rules,
)
from patchgen.sweep import (
    DEFAULT_TIMEOUT_S,
    CocciFile,
    GoldenRun,
    Lookup,
    RunRequest,
    find_cases,
    has_cases,
    is_template,
    list_semantic_patches,
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
    current folder if it has a .cocci, golden cases or a manifest, else all recipes. `definitions`
    also set the variables of templates. `trusted` lets all semantic patches run code.
    """

    target: str | None = None
    mode: Mode | None = None
    definitions: tuple[str, ...] = ()
    trusted: bool = False
    timeout_s: int = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class CheckedPatch:
    """A semantic patch, and the run over its cases or the error that prevented it."""

    name: str
    path: Path
    run: GoldenRun | None = None
    error: PatchgenError | None = None


def check_patches(request: GoldenRequest) -> Iterator[CheckedPatch]:
    """Run semantic patches over their golden cases, and yield the results in the order of names.

    Raises UsageError if the target does not name a semantic patch, and the error of a semantic
    patch that is the only one.
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

    A case whose run failed has no result.

    Raises UsageError if one cannot be written.
    """
    for outcome in run.outcomes:
        path = outcome.case.result
        if path is None or outcome.passed or not run.is_result(outcome):
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

    Of a folder's templates, those with golden cases are returned. Raises UsageError if the target
    does not name a semantic patch.
    """
    if target is None:
        files = list_semantic_patches(Path())
        has_manifest = Path("manifest.toml").is_file()
        if has_manifest or any(map(is_template, files)) or any(Path().glob("*.res")):
            return _list_patches(Path())
        return {str(file): file for file in files} or _name_recipes(list_recipes())
    path = Path(target)
    if path.is_dir():
        return _list_patches(path)
    if path.exists():
        return {target: path}
    recipe = find_recipe(target)
    variant = _find_named(target)
    if recipe is None and variant is not None:
        return _list_patches(variant)
    if recipe is None:
        names = [*(recipe.name for recipe in list_recipes()), *list_names()]
        raise refuse_target(target, ["a recipe", "a variant"], names)
    return _name_recipes([recipe])


def find_tested_variant(target: str | None) -> str | None:
    """Return the name or the path of the variant that a target of `test` belongs to, or None."""
    path = Path(target or "")
    if target is not None and not path.exists():
        return target if find_recipe(target) is None and _find_named(target) else None
    if path.is_dir():
        return str(absolute_path(path)) if _is_variant(path) else None
    folder = find_variant_above(path) if is_template(path) else None
    return str(absolute_path(folder)) if folder else None


def _is_variant(folder: Path) -> bool:
    above = find_variant_above(folder / "manifest.toml")
    return above is not None and above.absolute() == folder.absolute()


def _find_named(name: str) -> Path | None:
    return next((variant.path for variant in list_named() if variant.name == name), None)


def _name_recipes(recipes: Sequence[Recipe]) -> dict[str, Path]:
    return {recipe.name: recipe.path for recipe in recipes}


def _list_patches(folder: Path) -> dict[str, Path]:
    """Return the semantic patches below a folder. Raises UsageError if it has none with cases."""
    files = [file for file in sorted(folder.rglob("*.cocci")) if file.is_file()]
    templates = [file for file in sorted(folder.rglob("*.cocci.j2")) if file.is_file()]
    if not files and not templates:
        raise UsageError(f"{folder} has no .cocci", code="semantic-patch-unknown")
    files += filter(has_cases, templates)
    if not files:
        case = templates[0].with_name(templates[0].name.removesuffix(".cocci.j2") + ".c")
        raise UsageError(
            f"the semantic patches in {folder} have no golden cases",
            code="case-missing",
            hint=f"for example, {case} would be a case of {templates[0].name}",
        )
    return {str(file): file for file in files}


def _check_patch(request: RunRequest, patch: tuple[str, Path]) -> CheckedPatch:
    name, path = patch

    def may_run(cocci: CocciFile) -> bool:
        return request.trusted or are_trusted(read_trust(), cocci.texts)

    try:
        rendered = _render(path, request) if _uses_variables(path) else None

        def read(file: str) -> bytes | None:
            return rendered.text.encode() if rendered and file == str(path) else _read(file)

        # Golden cases do not belong to a tree: all files that the semantic patch names are on disk.
        lookup = Lookup(read, lambda name: None, lambda folder: True)
        request = replace(
            request,
            definitions=_define(path, request.definitions, rendered),
            # As in `apply`: spatch and the templates decide how the code of a variant looks.
            style=find_variant_above(path) is None,
        )
        cocci = load_cocci(str(path), lookup, may_run, request=request)
        resolved = resolve(cocci, request, _NO_BASE)
        if rendered is not None:
            resolved = replace(resolved, program=replace(resolved.program, patch=rendered))
        cases = find_cases(path, resolved.suffixes)
        return CheckedPatch(name, path, run_cases(resolved, cases, path.parent))
    except PatchgenError as err:
        return CheckedPatch(name, path, error=err)


def _uses_variables(path: Path) -> bool:
    """Return whether a semantic patch is to be rendered: `<%` occurs neither in C nor in SmPL."""
    has_expressions = b"<%" in (_read(str(path)) or b"")
    return is_template(path) or (has_expressions and find_variant_above(path) is not None)


def _render(path: Path, request: RunRequest) -> SemanticPatch:
    patch = render_case_rules(path, shipped_folder("templates"), request.definitions)
    refuse_code(patch)
    check_markers(patch)
    return patch


def _define(
    path: Path, definitions: Sequence[str], rendered: SemanticPatch | None
) -> tuple[str, ...]:
    """Return the definitions for spatch: those of the manifest for a rendered semantic patch, else
    those of the user, without the variables of the variant.
    """
    if rendered is not None:
        return tuple(f"{name}={value}" for name, value in rendered.definitions.items())
    folder = find_variant_above(path) if definitions else None
    if folder is None:
        return tuple(definitions)
    header = read_header((_read(str(path)) or b"").decode("utf-8", "replace"))
    variables = describe_variables(load_variant(folder)).keys() - set(header.identifiers)
    return tuple(text for text in definitions if text.partition("=")[0] not in variables)


def _read(path: str) -> bytes | None:
    with suppress(OSError):
        return Path(path).read_bytes()
    return None
