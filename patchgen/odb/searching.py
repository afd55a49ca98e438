# SPDX-License-Identifier: GPL-2.0-or-later
"""Search the files of a tree for words: in git's objects, or in a work tree that has the files.

Objects have to be inflated, which takes three times as long as reading files. So if HEAD has the
tree in question, the files of the work tree are searched, and the files that differ from the tree
are listed as well: the result may list too many files, never too few. That holds if git checks
files out unchanged. Objects are searched if a file may be missing or differ without git noticing
(skip-worktree, which sparse checkouts set, and assume-unchanged: git-update-index(1)), or if it has
a filter or an encoding (gitattributes(5)).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.odb.repository import Repository

# git marks a file that is in the work tree and not exempted with "H" (git-ls-files(1), -v).
_PRESENT = "H"
_WORD_CHARACTER = "[0-9A-Za-z_]"
# Files with a filter or an encoding.
_CONVERTED = ":(top,exclude,attr:!filter !working-tree-encoding)"


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """How to search. `checkout` are git's options for the work tree, None to search the objects.

    `pathspecs` select the files to search.
    """

    tree: Oid
    pathspecs: tuple[str, ...]
    checkout: tuple[str, ...] | None
    has_pcre: bool


def plan_search(
    repository: Repository,
    tree: Oid,
    paths: Sequence[PurePosixPath],
    suffixes: tuple[str, ...],
    whole: PlannedSearch | None = None,
) -> PlannedSearch:
    """Determine how the files of a tree can be searched, before the words are known.

    `whole` is a plan for the files with any suffix at the same paths. Its answers are used again if
    they hold for the files with these suffixes, too.
    """
    pathspecs = tuple(
        spec for path in paths or (PurePosixPath("."),) for spec in _list_pathspecs(path, suffixes)
    )
    if whole is not None and whole.checkout is not None:
        return replace(whole, pathspecs=pathspecs)
    checkout = _find_checkout(repository, tree, pathspecs)
    has_pcre = whole.has_pcre if whole is not None else _has_pcre(repository, tree)
    return PlannedSearch(tree, pathspecs, checkout, has_pcre)


def grep_files(
    repository: Repository, search: PlannedSearch, words: frozenset[str]
) -> Generator[str, None, None]:
    """Yield the paths of the files that contain one of the words (git-grep(1)).

    `*` at the beginning or the end of a word stands for any more characters of it. A word may also
    be a string with its quotes, which may have a prefix, or an operator.

    They are yielded as git finds them, so that work on them can begin. If the work tree is
    searched, all files that differ from the tree are included.
    """
    tree, pathspecs, checkout = search.tree, search.pathspecs, search.checkout
    # With several patterns, git would look at each line instead of stopping at the first hit.
    grep = ["grep", "-l", "-z", "-a", "--full-name"]
    grep += _find_any(sorted(words), has_pcre=search.has_pcre)
    if checkout is None:
        for name in _read_names(repository, *grep, tree, "--", *pathspecs):
            yield name.removeprefix(f"{tree}:")
        return
    listed = set()
    for name in _read_names(repository, *checkout, *grep, "--", *pathspecs):
        listed.add(name)
        yield name
    # Listed after the search, so that files changed meanwhile are included.
    for name in _list_altered(repository, search):
        if name not in listed:
            yield name


def _list_altered(repository: Repository, search: PlannedSearch) -> Iterator[str]:
    """Yield the files of the work tree that differ from the tree."""
    # In a submodule, git would run `git status` with the submodule's configuration.
    submodules = "--ignore-submodules=all"
    differ = ("diff-index", "--name-only", "-z", submodules, search.tree, "--", *search.pathspecs)
    return _read_names(repository, *(search.checkout or ()), *differ)


def grep_words(
    repository: Repository, search: PlannedSearch, words: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Yield path and word of each occurrence of one of the words, in one search.

    At the end, the files of the work tree that differ from the tree are yielded with the word "".
    The tree may not have the words that were found in these files.
    """
    tree, checkout = search.tree, search.checkout
    grep = ["grep", "-o", "-z", "-a", "--full-name"]
    grep += _find_any(sorted(words), has_pcre=search.has_pcre)
    searched = (*([] if checkout else [tree]), "--", *search.pathspecs)
    path = None
    for part in _read_names(repository, *(checkout or ()), *grep, *searched):
        # `PATH NUL WORD LF PATH NUL ...`: a path may contain a line feed, a word cannot.
        word, _, following = part.partition("\n")
        if path is not None:
            yield path, word
        path = (part if path is None else following).removeprefix(f"{tree}:")
    if checkout is not None:
        # Listed after the search, so that files changed meanwhile are included.
        yield from ((name, "") for name in _list_altered(repository, search))


def _find_checkout(
    repository: Repository, tree: Oid, pathspecs: Sequence[str]
) -> tuple[str, ...] | None:
    """Return git's options for the work tree, None if it cannot stand in for the tree."""
    if repository.work_tree is None or repository.find_ref("HEAD^{tree}") != tree:
        return None
    # Attributes are read from the current folder's tree, so git runs at the top.
    top = str(repository.work_tree)
    checkout = ("-C", top, f"--work-tree={top}")
    if any(_read_names(repository, *checkout, "ls-files", "-z", "--", *pathspecs, _CONVERTED)):
        return None
    flags = _read_names(repository, *checkout, "ls-files", "-v", "-z", "--", *pathspecs)
    return checkout if all(line.startswith(_PRESENT) for line in flags) else None


def _read_names(repository: Repository, *args: str) -> Iterator[str]:
    """Yield the names in git's output with -z. git grep exits with 1 if no file matches."""
    incomplete = b""
    for piece in repository.stream(*args, ok=(0, 1)):
        *names, incomplete = (incomplete + piece).split(b"\0")
        for name in names:
            yield name.decode("utf-8", "surrogateescape")
    if incomplete:
        yield incomplete.decode("utf-8", "surrogateescape")


def _has_pcre(repository: Repository, tree: Oid) -> bool:
    """Return whether git was built with PCRE, which matches alternatives in half the time."""
    no_file = ":(top,literal)no/such/file"
    args = ("grep", "-q", "-P", "-e", "word", tree, "--", no_file)
    return repository.run(*args, ok=None).returncode in (0, 1)


def _list_pathspecs(path: PurePosixPath, suffixes: tuple[str, ...]) -> Iterator[str]:
    """Yield the pathspecs for a file, or for the files with these suffixes in a folder."""
    name = "" if str(path) == "." else str(path)
    if name.endswith((*suffixes, ".h")):
        yield f":(top,literal){name}"
    folder = re.sub(r"([*?\[\\])", r"\\\1", name) + "/" if name else ""
    for suffix in suffixes:
        yield f":(top,glob){folder}**/*{suffix}"


def _find_any(words: Sequence[str], *, has_pcre: bool) -> list[str]:
    """Return git's options to search for words."""
    # Of two words that begin at the same place, the longer one: PCRE takes the first that matches.
    words = sorted(words, key=lambda word: (-len(word), word))
    whole = [word for word in words if not _begins_within(word) and not _ends_within(word)]
    parts = [word for word in words if word not in set(whole)]
    if has_pcre:
        # With -w, PCRE would settle for the first alternative that is a prefix of the word.
        before, after = f"(?<!{_WORD_CHARACTER})", f"(?!{_WORD_CHARACTER})"
        patterns = [f"{before}(?:{'|'.join(map(_escape, whole))}){after}"] if whole else []
        patterns += [
            ("" if _begins_within(word) else before)
            + _escape(word.strip("*"))
            + ("" if _ends_within(word) else after)
            for word in parts
        ]
        return ["-P", "-e", "|".join(patterns)]
    more = f"{_WORD_CHARACTER}*"
    patterns = [
        (more if _begins_within(word) else "")
        + _escape(word.strip("*"))
        + (more if _ends_within(word) else "")
        for word in words
    ]
    return ["-E", "-w", "-e", "|".join(patterns)]


def _begins_within(word: str) -> bool:
    """Return whether a letter may precede a part of a word, a string or an operator."""
    return not (word[0].isalnum() or word[0] == "_")


def _ends_within(word: str) -> bool:
    return not (word[-1].isalnum() or word[-1] == "_")


def _escape(word: str) -> str:
    return "".join(c if c.isalnum() or c == "_" else f"[{c}]" for c in word)
