# SPDX-License-Identifier: GPL-2.0-or-later
"""The subjects of a variant's patches: the prefix that `new` chooses, and their faults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from patchgen.campaign.prefixes import TREEWIDE, find_prefix
from patchgen.campaign.trees import open_history
from patchgen.errors import ErrorPlace, PatchgenError, RefusedError, SpecError
from patchgen.odb import Checkout, GitTree, Repository
from patchgen.pipeline.variant_places import find_recorded_variant
from patchgen.resources import shipped_folder
from patchgen.sourcefolder import SourceFolder
from patchgen.spec import Variant, find_variant, list_named, load_variant
from patchgen.spec.files import find_file
from patchgen.verify.lint import check_subject, has_prefix

_COMMENTS = re.compile(r"\s*(?:\{#.*?#\}\s*)*", re.DOTALL)
_EXPRESSION = re.compile(r"\{[{%#]")


def complete_subject(summary: str, tree: Path, on: Sequence[str]) -> str:
    """Return a subject with the prefix of the files that match globs in a tree, if it has none."""
    if has_prefix(summary):
        return summary
    word = summary.partition(" ")[0]
    capital = summary[:1].upper() if word.isalpha() and word.islower() else summary[:1]
    return f"{_choose_prefix(tree, on)}{capital}{summary[1:]}"


def _choose_prefix(tree: Path, on: Sequence[str]) -> str:
    """Return the prefix of files; `treewide: ` without a tree, and for files that share none."""
    try:
        repository = Repository(tree)
    except RefusedError:
        return TREEWIDE
    with closing(repository), Checkout(repository) as checkout:
        try:
            base = repository.resolve_commit("HEAD")
        except RefusedError:
            return TREEWIDE
        files = GitTree(repository, repository.resolve_tree(base)).find(on)
        paths = [file.path for file in files]
        return find_prefix(open_history(checkout, base), paths) if paths else TREEWIDE


def find_subject_faults(folder: Path) -> Iterator[SpecError]:
    """Yield the faults that `verify` will find in the subjects of a variant's patches.

    A subject with an expression of a template is not known without a base, nor is whether the log
    of the changed files has lower case after the prefix.
    """
    for _, path, content in _list_messages(load_variant(folder)):
        yield from _check_message(path, content.decode("utf-8", "replace"))


def find_message_template(tree: Path, change_id: str, variant: str, patch: str) -> Path | None:
    """Return the template of a message of a series; None if the series' variant is not found."""
    try:
        with closing(Repository(tree)) as repository:
            place = find_recorded_variant(repository, change_id, variant)
        messages = _list_messages(find_variant(place.name))
        return next((path for name, path, _ in messages if name == patch), None)
    except PatchgenError:
        return None


def is_shipped(variant: str) -> bool:
    """Return whether a variant of this name comes with patchgen."""
    folder = shipped_folder("semantic-patches")
    return any(each.name == variant and each.path.parent == folder for each in list_named())


def _list_messages(variant: Variant) -> Iterator[tuple[str, Path, bytes]]:
    """Yield each patch with the template of its message."""
    shared = SourceFolder(shipped_folder("templates"))
    for unit in variant.units:
        folders = tuple(dict.fromkeys((unit.source, variant.source, shared)))
        for index, patch in enumerate(unit.manifest.patch):
            yield patch.name, *find_file(unit, patch.message, folders, "patch", index, "message")


def _check_message(path: Path, text: str) -> Iterator[SpecError]:
    match = _COMMENTS.match(text)
    start = match.end() if match else 0
    subject = text[start:].partition("\n")[0].strip()
    if not subject or _EXPRESSION.search(subject):
        return
    place = ErrorPlace(str(path), text.count("\n", 0, start) + 1, excerpt=subject)
    for fault in check_subject(subject, may_be_lower=lambda: True):
        yield SpecError(fault, code="subject-form", place=place)
