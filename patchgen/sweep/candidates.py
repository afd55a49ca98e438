# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the files that a semantic patch can match in, and the parts that spatch has to see."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import islice
from pathlib import PurePosixPath

from patchgen.coccinelle import (
    ANY,
    OPERATORS,
    Formula,
    Needs,
    Source,
    has_word,
    holds,
    words_of,
)
from patchgen.errors import MissingObjectsError
from patchgen.model.base import Oid, TreeFile
from patchgen.odb import (
    Entry,
    PlannedSearch,
    Repository,
    grep_files,
    plan_search,
    read_contents,
    require_objects,
)
from patchgen.sweep.request import SweepRequest
from patchgen.sweep.slices import slice_source
from patchgen.sweep.words import WordIndex, meet

# Up to this many files are read one by one in less time than all are searched.
_FEW_FILES = 400
# Each read starts a process; waiting for more files delays the start.
_READ_FIRST = 4
_READ_AT_ONCE = 64


def plan_candidates(
    repository: Repository,
    request: SweepRequest,
    files: Mapping[str, Entry],
    whole: PlannedSearch | None = None,
) -> PlannedSearch | None:
    """Return how to search the files for words, None if they are few enough to read.

    `whole` is the plan of a search in files of all kinds.

    Raises MissingObjectsError for files whose content a partial clone lacks: `git grep` would skip
    them.
    """
    if repository.is_partial:
        require_objects(repository, [oid for _, oid in files.values()])
    if len(files) <= _FEW_FILES:
        return None
    tree, paths = request.base.tree, request.run.paths
    return plan_search(repository, tree, paths, request.suffixes, whole)


def find_candidates(
    repository: Repository, search: PlannedSearch | None, files: Mapping[str, Entry], needs: Needs
) -> Iterator[TreeFile]:
    """Yield the files that may have the words that the semantic patch needs, as they are found.

    They contain one word of the most selective clause. The other clauses are
    checked when the files are read, which costs less than a second search.
    """
    if not all(needs.file):
        # No file can satisfy a clause without words.
        return
    clause = choose_clause(needs.file)
    names: Iterable[str] = files
    if search is not None and clause is not None:
        names = grep_files(repository, search, clause)
    yield from find_entries(files, names)


def find_entries(files: Mapping[str, Entry], names: Iterable[str]) -> Iterator[TreeFile]:
    """Yield the files with these names; other names are skipped."""
    for name in names:
        if name in files:
            mode, oid = files[name]
            yield TreeFile(PurePosixPath(name), mode, oid)


def choose_clause(need: Sequence[frozenset[str]]) -> frozenset[str] | None:
    """Return the most selective clause, None for a search without clauses."""
    return min(need, key=_commonness, default=None)


def _commonness(clause: frozenset[str]) -> tuple[float, list[str]]:
    """Return a sort key that puts clauses first that few files satisfy: few and long words.

    Roughly, each additional letter halves the number of files; `memset` is in more files than any
    word of `dma_pool_alloc|pci_pool_alloc`. Operators are in most files.
    """
    return sum(1 if word in OPERATORS else 0.5 ** len(word) for word in clause), sorted(clause)


@dataclass(slots=True)
class Slicer:
    """Reads files, and cuts out of them what cannot match.

    `names` are the files that it has read. No rule can match in the files `without_words`, nor in
    the `unmatchable` ones, where no single item has all words. `changing` has whether a
    rule may match in a header, by the header's id.
    """

    repository: Repository
    needs: Needs
    slices: bool
    names: set[str] = field(default_factory=set)
    has_read_all: bool = False
    without_words: list[TreeFile] = field(default_factory=list)
    unmatchable: list[TreeFile] = field(default_factory=list)
    changing: dict[Oid, bool] = field(default_factory=dict)
    # The parts that were cut from each file: compressed as one text, and their lengths.
    _parts: dict[PurePosixPath, tuple[bytes, list[int]]] = field(default_factory=dict)

    def read(self, files: Iterator[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        """Yield files with their complete texts."""
        count = _READ_FIRST
        while group := list(islice(files, count)):
            self.names.update(str(file.path) for file in group)
            self.has_read_all = len(group) < count
            count = min(2 * count, _READ_AT_ONCE)
            yield from zip(group, read_contents(self.repository, group), strict=True)
        self.has_read_all = True

    def may_match(self, text: bytes) -> bool:
        """Return whether a file has the words that any match needs."""
        return has_words(text, self.needs.file)

    def may_change(self, oid: Oid, header: bytes) -> bool:
        """Return whether a rule may match in a header."""
        if oid not in self.changing:
            needs = self.needs.functions
            self.changing[oid] = needs is None or WordIndex(header, needs).any_item_may()
        return self.changing[oid]

    def cut(self, file: TreeFile, text: bytes, *, changes_headers: bool = False) -> Source | None:
        """Return the part of a file that spatch has to see, None if no rule can match.

        With `changes_headers` a rule may match in a header that the file includes.
        """
        if not self.may_match(text):
            self.without_words.append(file)
            return None
        functions = self.needs.functions
        if functions is None or not self.slices or file.path.suffix not in (".c", ".h"):
            return Source(file.path, text, changes_headers)
        cut = slice_source(text, functions, words_of(self.needs.file))
        if not cut.matters and changes_headers:
            return Source(file.path, text, changes_headers)
        if not cut.matters:
            self.unmatchable.append(file)
            return None
        # Many batches wait for spatch, and most of a file is cut.
        lengths = list(map(len, cut.parts))
        self._parts[file.path] = zlib.compress(b"".join(cut.parts), 1), lengths
        return Source(file.path, cut.text, changes_headers)

    def take_parts(self, path: PurePosixPath) -> tuple[bytes, ...]:
        """Return the parts that were cut from a file, and discard them."""
        if path not in self._parts:
            return ()
        packed, lengths = self._parts.pop(path)
        return tuple(map(BytesIO(zlib.decompress(packed)).read, lengths))


def read_in_groups(
    repository: Repository, files: Iterable[TreeFile]
) -> Iterator[tuple[TreeFile, bytes]]:
    """Yield files with their contents, of which only those of one group are in memory."""
    remaining = iter(files)
    while group := list(islice(remaining, _READ_AT_ONCE)):
        yield from zip(group, read_contents(repository, group), strict=True)


def has_words(text: bytes, formula: Formula) -> bool:
    """Return whether a text satisfies a formula. The search of the tree checks one clause only."""
    words = words_of(formula)
    return holds(formula, {word for word in words if _may_have(text, word)})


def _may_have(text: bytes, word: str) -> bool:
    if word in OPERATORS:
        return word.encode() in text
    if word.strip(ANY).isidentifier() or word.startswith('"'):
        return has_word(text, word.encode())
    # A name that is not a C identifier, as that of a header, may be spelled otherwise in a file.
    return True


def may_have_matched(needs: Needs, words: frozenset[str]) -> bool:
    """Return whether code with these tokens, which was not parsed, could have matched."""
    if needs.functions is not None:
        return any(meet(words, need) for need in needs.functions)
    needed = words_of(needs.file)
    return not needed or meet(words, (needed,))


def read_headers(
    repository: Repository, headers: Collection[tuple[str, Oid]], contents: dict[Oid, bytes]
) -> Mapping[PurePosixPath, bytes]:
    """Return headers' contents by their paths; `contents` has the headers read before.

    Raises MissingObjectsError for headers that the repository lacks.
    """
    missing = {oid: path for path, oid in headers if oid not in contents}
    files = [TreeFile(PurePosixPath(path), "100644", oid) for oid, path in missing.items()]
    contents.update(zip(missing, read_contents(repository, files), strict=True))
    return {PurePosixPath(path): contents[oid] for path, oid in headers}


def read_header(repository: Repository, path: str, oid: Oid) -> bytes:
    """Return the content of a header. Raises MissingObjectsError if the repository lacks it."""
    content = repository.read_blob(oid)
    if content is None:
        raise MissingObjectsError([oid], what=path)
    return content
