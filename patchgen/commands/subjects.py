# SPDX-License-Identifier: GPL-2.0-or-later
"""The subjects of a variant's patches: the prefix that `new` chooses, and their faults."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from patchgen.campaign.prefixes import TREEWIDE, find_prefix
from patchgen.campaign.trees import open_history
from patchgen.errors import ErrorPlace, RefusedError, SpecError
from patchgen.odb import Checkout, GitTree, Repository
from patchgen.resources import shipped_folder
from patchgen.sourcefolder import SourceFolder
from patchgen.spec import load_variant
from patchgen.spec.files import find_file
from patchgen.spec.variant import ManifestFile
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

    A subject with an expression of a template is not known without a base.
    """
    variant = load_variant(folder)
    shared = SourceFolder(shipped_folder("templates"))
    for unit in variant.units:
        folders = tuple(dict.fromkeys((unit.source, variant.source, shared)))
        for index, patch in enumerate(unit.manifest.patch):
            yield from _check_message(unit, index, patch.message, folders)


def _check_message(
    unit: ManifestFile, index: int, name: str, folders: Sequence[SourceFolder]
) -> Iterator[SpecError]:
    path, content = find_file(unit, name, folders, "patch", index, "message")
    text = content.decode("utf-8", "replace")
    match = _COMMENTS.match(text)
    start = match.end() if match else 0
    subject = text[start:].partition("\n")[0].strip()
    if not subject or _EXPRESSION.search(subject):
        return
    place = ErrorPlace(str(path), text.count("\n", 0, start) + 1, excerpt=subject)
    for fault in check_subject(subject, may_be_lower=lambda: False):
        yield SpecError(fault, code="subject-form", place=place)
