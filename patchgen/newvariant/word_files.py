# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the files of a tree that a new variant will change, by the words that its matches need."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from patchgen.coccinelle import find_words_left
from patchgen.model.base import TreeFile
from patchgen.model.finding import list_first
from patchgen.model.leftover import Leftover, LeftReason
from patchgen.odb import GitTree, Repository, grep_files, plan_search
from patchgen.sweep.candidates import read_in_groups

# The words are located only in so many files: reading more takes too long. All files are searched
# if the work tree has none of them, as git lists those that differ.
_MAX_READ = 2000
# spatch matches in the body of a macro, and not in #if 0.
_IN_CODE = (LeftReason.UNCHANGED, LeftReason.MACRO)


def find_files_with(
    repository: Repository, tree: GitTree, on: Sequence[str], words: Collection[str]
) -> list[TreeFile]:
    """Return the files that match globs and have one of the words, in code if any has.

    Without words, and in a partial clone, where a search would skip missing files, it is all files
    that match.
    """
    files = tree.find(on)
    if not files or not words or repository.is_partial:
        return files
    suffixes = tuple({file.path.suffix for file in files})
    search = plan_search(repository, tree.oid, (), suffixes)
    names = set(grep_files(repository, search, frozenset(words)))
    found = [file for file in files if str(file.path) in names]
    if len(found) > _MAX_READ:
        return found
    places = find_word_places(repository, found, words)
    in_code = {place.path for place in places if place.reason in _IN_CODE}
    having = {place.path for place in places}
    return [file for file in found if file.path in (in_code or having)]


def find_word_places(
    repository: Repository, files: Sequence[TreeFile], words: Collection[str]
) -> list[Leftover]:
    """Return the places of words in files, with the reason why a rule cannot match, if any."""
    return [
        place
        for file, text in read_in_groups(repository, files)
        for place in find_words_left(file.path, text, words, ())
    ]


def explain_words(
    repository: Repository, files: Sequence[TreeFile], words: Collection[str]
) -> str | None:
    """Return where files have words though not in code that a rule matches; None if they do.

    It is "" if they do not have them at all.
    """
    if len(files) > _MAX_READ:
        return None
    places = find_word_places(repository, files, words)
    if any(place.reason in _IN_CODE for place in places):
        return None
    return list_first(list(map(str, places)))
