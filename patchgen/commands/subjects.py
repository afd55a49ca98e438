# SPDX-License-Identifier: GPL-2.0-or-later
"""The subjects of a variant's patches and cover: the prefix that `new` chooses, and faults."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from patchgen.campaign.prefixes import TREEWIDE, find_prefix
from patchgen.campaign.trees import open_history
from patchgen.commands.series_templates import COVER, list_templates
from patchgen.errors import ErrorPlace, RefusedError, SpecError
from patchgen.newvariant.word_files import find_files_with
from patchgen.odb import Checkout, GitTree, Repository
from patchgen.spec import load_variant
from patchgen.verify.lint import check_subject, has_prefix, share_area

_COMMENTS = re.compile(r"\s*(?:\{#.*?#\}\s*)*", re.DOTALL)
_EXPRESSION = re.compile(r"\{[{%#]")


def complete_subject(
    summary: str, tree: Path, on: Sequence[str], words: Collection[str] = ()
) -> str:
    """Return a subject with a prefix: if it has none, that of the files of a tree to change.

    They match the globs `on`, and have one of the words, if there are any.
    """
    if has_prefix(summary):
        return summary
    word = summary.partition(" ")[0]
    capital = summary[:1].upper() if word.isalpha() and word.islower() else summary[:1]
    return f"{_choose_prefix(tree, on, words)}{capital}{summary[1:]}"


def _choose_prefix(tree: Path, on: Sequence[str], words: Collection[str]) -> str:
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
        reader = GitTree(repository, repository.resolve_tree(base))
        files = find_files_with(repository, reader, on, words) or reader.find(on)
        paths = [file.path for file in files]
        return find_prefix(open_history(checkout, base), paths) if paths else TREEWIDE


def find_subject_faults(folder: Path) -> Iterator[SpecError]:
    """Yield the faults that `verify` will find in the subjects of a variant's patches and cover.

    A subject with an expression of a template is not known without a base, nor is whether the log
    of the changed files has lower case after the prefix.
    """
    subjects: list[str] = []
    for template in list_templates(load_variant(folder)):
        subject, line = _read_subject(template.content.decode("utf-8", "replace"))
        is_known = bool(subject) and not _EXPRESSION.search(subject)
        # The cover letter comes last.
        if is_known:
            needs_prefix = template.patch != COVER or share_area(subjects)
            place = ErrorPlace(str(template.path), line, excerpt=subject)
            for fault in check_subject(
                subject, may_be_lower=lambda: True, needs_prefix=needs_prefix
            ):
                yield SpecError(fault, code="subject-form", place=place)
        subjects.append(subject if is_known else "")


def _read_subject(text: str) -> tuple[str, int]:
    """Return the subject in a template, and its line."""
    match = _COMMENTS.match(text)
    start = match.end() if match else 0
    return text[start:].partition("\n")[0].strip(), text.count("\n", 0, start) + 1
