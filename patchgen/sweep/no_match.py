# SPDX-License-Identifier: GPL-2.0-or-later
"""Explain why no file can match, by the words that the rules need."""

from __future__ import annotations

from contextlib import closing

from patchgen.coccinelle import ANY, Needs
from patchgen.odb import Repository, grep_files, list_entries, plan_search
from patchgen.sweep.candidates import find_candidates, has_words, read_in_groups
from patchgen.sweep.request import SweepRequest

_NO_MATCH = "no file can match"


def explain_no_match(repository: Repository, request: SweepRequest, needs: Needs) -> str:
    """Return why no file of a sweep can match; "" if one may, or if that is uncertain."""
    if not all(needs.file):
        return f"{_NO_MATCH}: spatch finds no rule that can apply"
    if not needs.file:
        return ""
    tree, paths = request.base.tree, request.run.paths
    search = plan_search(repository, tree, paths, request.suffixes)
    listed = list_entries(repository, tree, paths, request.suffixes)
    # A file with `a` has `a or b`, too.
    implied = {clause for clause in needs.file if any(other < clause for other in needs.file)}
    clauses = sorted(set(needs.file) - implied, key=sorted)
    # The words that a rule removes are counted in files of all kinds, so name the searched kinds.
    searched = f"no searched {' or '.join(request.suffixes)} file"
    for clause in clauses:
        with closing(grep_files(repository, search, clause)) as names:
            if not any(name in listed for name in names):
                return f"{_NO_MATCH}: {searched} has {_name(clause)}"
    candidates = find_candidates(repository, search, listed, needs)
    if any(has_words(text, needs.file) for _, text in read_in_groups(repository, candidates)):
        return ""
    all_of = " and ".join(map(_name, clauses))
    return f"{_NO_MATCH}: {searched} has all of {all_of}"


def _name(clause: frozenset[str]) -> str:
    """Return the words of a clause, of which a file must have one; `wait_...` for a pattern."""
    return " or ".join(word.replace(ANY, "...") for word in sorted(clause))
