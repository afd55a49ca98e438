# SPDX-License-Identifier: GPL-2.0-or-later
"""Say why nothing can match, where that can be told from the words that the rules need."""

from __future__ import annotations

from contextlib import closing

from patchgen.coccinelle import ANY, Needs
from patchgen.model.base import TreeFile
from patchgen.odb import Repository, grep_files, list_entries, plan_search, read_contents
from patchgen.sweep.candidates import find_candidates, has_words
from patchgen.sweep.request import SweepRequest


def explain_no_match(repository: Repository, request: SweepRequest, needs: Needs) -> str:
    """Return why no file of a sweep can match; "" if some may, or if that is not known."""
    if not all(needs.file):
        return "nothing can match: spatch finds no rule that can apply"
    if not needs.file:
        return ""
    tree, paths = request.base.tree, request.run.paths
    search = plan_search(repository, tree, paths, request.suffixes)
    listed = list_entries(repository, tree, paths, request.suffixes)
    for clause in sorted(needs.file, key=sorted):
        with closing(grep_files(repository, search, clause)) as names:
            if not any(name in listed for name in names):
                return f"nothing can match: no file that was looked at has {_name(clause)}"
    for file in find_candidates(repository, search, listed, needs):
        if has_words(_read(repository, file), needs.file):
            return ""
    all_of = " and ".join(_name(clause) for clause in sorted(needs.file, key=sorted))
    return f"nothing can match: no file that was looked at has all of {all_of}"


def _read(repository: Repository, file: TreeFile) -> bytes:
    [text] = read_contents(repository, [file])
    return text


def _name(clause: frozenset[str]) -> str:
    """Return the words of a clause, of which a file must have one; `wait_...` for a pattern."""
    return " or ".join(word.replace(ANY, "...") for word in sorted(clause))
