"""A search for words over the files of a tree: in git's objects, or in a work tree that has them.

Objects have to be inflated, which takes three times as long as to read files. So where HEAD is the
tree in question, the files of the work tree are searched, and those that differ are named besides:
more is found than there is, never less. That holds where git takes a file as it is. It does not
where a file may be missing or be another one without git's noticing (skip-worktree, which sparse
checkouts set, and assume-unchanged: git-update-index(1)), or where it has a filter or an encoding
(gitattributes(5)); objects are searched then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.odb.repository import Repository

# Of git's flags, "H" is a file that is in the work tree, and looked at (git-ls-files(1), -v).
_AS_IT_IS = "H"
_SIGN = "[0-9A-Za-z_]"
_ALTERED = ":(top,exclude,attr:!filter !working-tree-encoding)"


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """Where to search. `checkout` are git's options for the work tree, None to take the objects.

    `within` are the pathspecs of the files in question.
    """

    tree: Oid
    within: tuple[str, ...]
    checkout: tuple[str, ...] | None
    has_pcre: bool


def plan_search(
    repository: Repository, tree: Oid, paths: Sequence[PurePosixPath], suffixes: tuple[str, ...]
) -> PlannedSearch:
    """Find out how the files of a tree can be searched: before it is known for what."""
    within = tuple(
        spec for path in paths or (PurePosixPath("."),) for spec in _specs(path, suffixes)
    )
    checkout = _find_checkout(repository, tree, within)
    return PlannedSearch(tree, within, checkout, _has_pcre(repository, tree))


def grep_files(
    repository: Repository, search: PlannedSearch, words: frozenset[str]
) -> Iterator[str]:
    """Yield the paths of the files that have one of the words (git-grep(1)).

    They come as git finds them, so that work on them can begin. A file that differs from the tree
    in a work tree may be among them without having the words.
    """
    tree, within, checkout = search.tree, search.within, search.checkout
    pattern = "|".join(sorted(map(_escape, words)))
    # With more than one pattern, git would look at each line, not for the first hit in the file.
    grep = ["grep", "-l", "-z", "-a", "--full-name"]
    if search.has_pcre:
        # With -w, PCRE's first alternative would stand for all that begin with it.
        grep += ["-P", "-e", f"(?<!{_SIGN})(?:{pattern})(?!{_SIGN})"]
    else:
        grep += ["-E", "-w", "-e", pattern]
    if checkout is None:
        for name in _read_names(repository, *grep, tree, "--", *within):
            yield name.removeprefix(f"{tree}:")
        return
    found = set()
    for name in _read_names(repository, *checkout, *grep, "--", *within):
        found.add(name)
        yield name
    # Asked behind the search, so that what is changed meanwhile is among them.
    # git would run `git status` in a submodule, with that one's configuration.
    submodules = "--ignore-submodules=all"
    differ = ("diff-index", "--name-only", "-z", submodules, tree, "--", *within)
    for name in _read_names(repository, *checkout, *differ):
        if name not in found:
            yield name


def _find_checkout(
    repository: Repository, tree: Oid, within: Sequence[str]
) -> tuple[str, ...] | None:
    """Return git's options for the work tree, None where it cannot stand for the tree."""
    if repository.work_tree is None or repository.find_ref("HEAD^{tree}") != tree:
        return None
    # From its top, where attributes are read.
    top = str(repository.work_tree)
    checkout = ("-C", top, f"--work-tree={top}")
    if any(_read_names(repository, *checkout, "ls-files", "-z", "--", *within, _ALTERED)):
        return None
    flags = _read_names(repository, *checkout, "ls-files", "-v", "-z", "--", *within)
    return checkout if all(line.startswith(_AS_IT_IS) for line in flags) else None


def _read_names(repository: Repository, *words: str) -> Iterator[str]:
    """Yield what git prints with -z; git grep ends with 1 where it finds nothing."""
    rest = b""
    for piece in repository.stream(*words, ok=(0, 1)):
        *names, rest = (rest + piece).split(b"\0")
        for name in names:
            yield name.decode("utf-8", "surrogateescape")


def _has_pcre(repository: Repository, tree: Oid) -> bool:
    """Tell whether git was built with PCRE, which takes alternatives in half the time."""
    nowhere = ":(top,literal)there is no such file"
    words = ("grep", "-q", "-P", "-e", "word", tree, "--", nowhere)
    return repository.run(*words, ok=None).returncode in (0, 1)


def _specs(path: PurePosixPath, suffixes: tuple[str, ...]) -> Iterator[str]:
    """Yield what git takes for a file, or for the files with these suffixes in a folder."""
    name = "" if str(path) == "." else str(path)
    if name.endswith(suffixes):
        yield f":(top,literal){name}"
    folder = re.sub(r"([*?\[\\])", r"\\\1", name) + "/" if name else ""
    for suffix in suffixes:
        yield f":(top,glob){folder}**/*{suffix}"


def _escape(word: str) -> str:
    return "".join(sign if sign.isalnum() or sign == "_" else f"[{sign}]" for sign in word)
