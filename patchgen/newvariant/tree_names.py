# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare what the user named for a new variant, files and functions, with the tree at hand.

A variant may be for another tree, or add the function that it calls, so these are warnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from patchgen.errors import find_misspelt, find_similar
from patchgen.model.base import TreeFile
from patchgen.newvariant.word_files import explain_words, find_files_with
from patchgen.odb import GitTree, Repository, grep_files, open_tree, plan_search, read_contents

_GLOB = re.compile(r"[*?\[]")
_CALLED = re.compile(rb"\b([A-Za-z_]\w*)\(")
# Functions have their declarations in headers, and some are in assembly.
_SUFFIXES = (".c", ".h", ".S")
# The number of files whose functions are compared with an unknown name.
_MAX_COMPARED = 400


def find_unknown_files(repository: Repository, on: Sequence[str]) -> Iterator[str]:
    """Yield a sentence for each path or glob that matches no file at HEAD."""
    tree = open_tree(repository, "HEAD")
    for pattern in on:
        if not tree.find([pattern]):
            hint = _suggest_path(repository, tree, pattern)
            yield f"no file of the tree matches {pattern}" + (f" ({hint})" if hint else "")


def find_unknown_functions(
    repository: Repository, on: Sequence[str], rename: tuple[str, str]
) -> Iterator[str]:
    """Yield a sentence for each of two functions that HEAD lacks.

    The first one has to be in the files that match `on`, the other one in any. In a partial clone,
    a search would skip the missing files, so nothing is yielded.
    """
    if repository.is_partial:
        return
    tree = open_tree(repository, "HEAD")
    files = tree.find(on)
    old, new = rename
    if files:
        having = find_files_with(repository, tree, on, (old,))
        places = explain_words(repository, having, (old,))
        if places is not None:
            has = f"has {old} in code" if places else f"has {old}"
            hint = places or _suggest_function(repository, files, old)
            yield f"no file that matches {' or '.join(on)} {has}" + (f" ({hint})" if hint else "")
    if not _has_word(repository, tree, new):
        hint = _suggest_function(repository, files, new) or "unless another patch adds it"
        yield f"no file of the tree has {new}, so the result cannot be built ({hint})"


def _has_word(repository: Repository, tree: GitTree, word: str) -> bool:
    search = plan_search(repository, tree.oid, (), _SUFFIXES)
    found = grep_files(repository, search, frozenset({word}))
    try:
        return next(found, None) is not None
    finally:
        found.close()


def _suggest_path(repository: Repository, tree: GitTree, pattern: str) -> str | None:
    """Return a hint with the pattern, its first unknown part replaced by the most similar name."""
    parts = pattern.split("/")
    for index, part in enumerate(parts):
        before = parts[:index]
        entry = tree.get("/".join(before))
        [folder] = repository.objects.read_folders([entry[1]]) if entry else [None]
        if folder is None or _GLOB.search(part):
            return None
        if part not in folder:
            similar = find_similar(part, sorted(folder))
            corrected = "/".join([*before, similar or part, *parts[index + 1 :]])
            return f"did you mean {corrected!r}?" if similar else None
    return None


def _suggest_function(repository: Repository, files: Sequence[TreeFile], name: str) -> str | None:
    names: set[str] = set()
    for content in read_contents(repository, files[:_MAX_COMPARED]):
        names.update(found.decode() for found in _CALLED.findall(content))
    similar = find_misspelt(name, names)
    return f"did you mean {similar!r}?" if similar else None
