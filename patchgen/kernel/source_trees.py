# SPDX-License-Identifier: GPL-2.0-or-later
"""Determine from MAINTAINERS which git trees may take a patch for a file: its T: lines.

Many sections of drivers name a tree that their author develops in, while patches are applied to the
tree of the subsystem. So a section's tree takes patches for a file

- if the section covers the file's folder, not only files of it: patches for drivers/net/usb go to
  the tree of drivers/net/, not to that of a section with `F: drivers/net/usb/pegasus.*`; and
- if no section of a folder above names another tree, or if the tree serves several sections there:
  those that name it, and those whose patterns are below its folder. So drivers/gpu/drm/amd/ has a
  tree of its own, and drivers/scsi/ibmvscsi/ has not, though its section is that of powerpc.

If no section covers the folder, that of the deepest pattern is used; else one that covers it but
excludes it by X:; else the tree that most sections with the same mailing list name.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import PurePosixPath

from patchgen.controls import escape_controls
from patchgen.kernel.maintainers_file import MaintainersSection
from patchgen.kernel.section_match import REST, SectionHit, SectionMatcher, open_matcher
from patchgen.model.base import TreeReader

# MAINTAINERS: "Type is one of: git, hg, quilt, stgit, topgit".
_TYPES = ("git", "hg", "quilt", "stgit", "topgit")
_SCHEME = re.compile(r"^[\w+.-]+://(?:[\w.-]+@)?")
# The tree for the next release and the one for fixes have the same maintainers.
_PURPOSE = re.compile(r"[-_/](?:next|fixes)$")
# Names of repositories and folders that do not identify a tree.
_GENERIC = re.compile(
    r"linux(?:-?\d+(?:\.\d+)*)?|kernel|pub|scm|git|fs|virt|p|users?|projects?|repos?|src|linux-next"
)
_GENERIC_PART = re.compile(r"^linux-(?=.)|-\d+\.\d+$")
# All patches go to this list, so it does not indicate a tree.
_GENERAL_LISTS = frozenset({"linux-kernel@vger.kernel.org"})
# A tree that serves this many sections takes patches from more people than one driver's authors.
_SEVERAL = 3

# A line of MAINTAINERS by which a path belongs to a section, and the section's tree.
_TreeHit = tuple[SectionHit, "SourceTree"]


@dataclass(frozen=True, slots=True)
class SourceTree:
    """A repository that takes patches. `key` identifies it, however a T: line spells it.

    `name` is short: "net-next". `location` is the address in the T: line, or a person.
    """

    key: str
    name: str
    location: str

    @property
    def label(self) -> str:
        """A word for a subject: the name without the part that names a release."""
        return _PURPOSE.sub("", self.name)


@dataclass(frozen=True, slots=True)
class TreeClaim:
    """A tree that a file's sections name, and whether it `takes` patches for the file.

    `people` are the addresses and names of its maintainers, in lower case.
    """

    tree: SourceTree
    people: frozenset[str]
    takes: bool


@dataclass(frozen=True, slots=True)
class FileTrees:
    """The sections of files, and the trees that these name.

    `owners` has the first section of each file, None for one that only THE REST covers. `claims`
    are the trees of a file's sections, the deepest first. `people` are those of all trees.
    """

    owners: Mapping[PurePosixPath, MaintainersSection | None]
    claims: Mapping[PurePosixPath, tuple[TreeClaim, ...]]
    people: Mapping[SourceTree, frozenset[str]]
    warnings: tuple[str, ...] = ()

    def find_tree(self, path: PurePosixPath) -> SourceTree | None:
        """Return the tree that takes patches for a file by MAINTAINERS, None if it has none."""
        return next((claim.tree for claim in self.claims[path] if claim.takes), None)


def find_file_trees(tree: TreeReader, paths: Sequence[PurePosixPath]) -> FileTrees | None:
    """Return the sections and trees of files, None if the tree has no MAINTAINERS.

    Raises ToolError if the process that matches regular expressions cannot be run.
    """
    matcher = open_matcher(tree)
    return None if matcher is None else match_trees(matcher, paths)


def match_trees(matcher: SectionMatcher, paths: Sequence[PurePosixPath]) -> FileTrees:
    """Return the sections and trees of files."""
    matches = matcher.find(map(str, paths))
    trees = _Trees(matcher.sections)
    owners, claims = {}, {}
    for path in paths:
        sections = [section for section in matches.by_path[str(path)] if section.name != REST]
        owners[path] = sections[0] if sections else None
        claims[path] = tuple(trees.list_claims(path, sections, matches.hits[str(path)]))
    return FileTrees(owners, claims, trees.people, matches.warnings)


def parse_tree(value: str) -> SourceTree | None:
    """Return the tree of a T: line, None for a line without a location."""
    parts = value.split()
    if parts and parts[0] in _TYPES:
        parts = parts[1:]
    if not parts:
        return None
    location = _SCHEME.sub("", parts[0]).rstrip("/").removesuffix(".git")
    key = _PURPOSE.sub("", location)
    return SourceTree(*map(escape_controls, (key, _shorten(location), parts[0])))


def _shorten(location: str) -> str:
    """Return a short name: "drm-misc" for gitlab.freedesktop.org/drm/misc/kernel."""
    parts = [part for part in location.split("/")[1:] if part] or [location]
    last = parts[-1]
    if not _GENERIC.fullmatch(_PURPOSE.sub("", last)):
        return _GENERIC_PART.sub("", last)
    above = [part for part in parts[:-1] if not _GENERIC.fullmatch(part)]
    return "-".join(above[-2:]).lstrip("~") or last


class _Trees:
    """The trees of all sections of MAINTAINERS, and the `people` of each tree."""

    def __init__(self, sections: Sequence[MaintainersSection]):
        self._by_section: dict[int, SourceTree] = {}
        # The sections with a pattern below a folder, and the sections that name a tree.
        self._below: defaultdict[str, set[int]] = defaultdict(set)
        self._naming: defaultdict[str, set[int]] = defaultdict(set)
        self._by_list: defaultdict[str, Counter[SourceTree]] = defaultdict(Counter)
        people: defaultdict[SourceTree, set[str]] = defaultdict(set)
        by_key: dict[str, SourceTree] = {}
        for section in sections:
            for field in section.select("F"):
                for folder in accumulate(_strip(field.value).split("/")[:-1], _descend):
                    self._below[folder].add(section.number)
            named = _choose_next(parse_tree(field.value) for field in section.select("T"))
            if named is None or section.name == REST:
                continue
            tree = by_key.setdefault(named.key, named)
            self._by_section[section.number] = tree
            self._naming[tree.key].add(section.number)
            people[tree] |= _list_people(section)
            for address in set(section.lists) - _GENERAL_LISTS:
                self._by_list[address][tree] += 1
        self.people = {tree: frozenset(names) for tree, names in people.items()}

    def list_claims(
        self,
        path: PurePosixPath,
        sections: Sequence[MaintainersSection],
        hits: Iterable[SectionHit],
    ) -> Iterator[TreeClaim]:
        """Yield the trees of a file's sections, the deepest first, each once."""
        tree_hits = [
            (hit, self._by_section[hit.section.number])
            for hit in hits
            if hit.section.number in self._by_section and hit.field.key in "FN"
        ]
        tree_hits.sort(key=lambda entry: (-entry[0].depth, entry[0].section.number))
        chosen = self._choose(path, sections, tree_hits)
        numbers = {section.number for section in sections}
        named = dict.fromkeys(tree for hit, tree in tree_hits if hit.section.number in numbers)
        if chosen is not None and chosen not in named:
            yield TreeClaim(chosen, self.people[chosen], takes=True)
        for tree in named:
            yield TreeClaim(tree, self.people[tree], takes=tree == chosen)

    def _choose(
        self,
        path: PurePosixPath,
        sections: Sequence[MaintainersSection],
        tree_hits: Sequence[_TreeHit],
    ) -> SourceTree | None:
        """Return the tree that takes patches for a file. The deepest hits come first.

        A section that excludes the file has hits, too, but is not one of its `sections`: the
        mails go to other people, and the patches still to its tree.
        """
        numbers = {section.number for section in sections}
        own = [entry for entry in tree_hits if entry[0].section.number in numbers]
        return (
            self._choose_for_folder(path, own)
            or next((tree for hit, tree in own if hit.field.key == "F"), None)
            or self._choose_for_folder(path, tree_hits)
            or self._find_by_list(sections)
            or next((tree for _, tree in own), None)
        )

    def _choose_for_folder(
        self, path: PurePosixPath, tree_hits: Sequence[_TreeHit]
    ) -> SourceTree | None:
        """Return the tree that takes patches for a file's folder."""
        covering = [entry for entry in tree_hits if _covers_folder(entry[0], path)]
        for number, (hit, tree) in enumerate(covering):
            above = next((other for other, taker in covering[number:] if taker != tree), None)
            if above is None or self._serves_several(hit, tree, above):
                return tree
        return None

    def _serves_several(self, hit: SectionHit, tree: SourceTree, above: SectionHit) -> bool:
        """Return whether a tree serves several sections in the folder of another tree."""
        naming = self._naming[tree.key] & self._below[_strip(above.field.value)]
        return len(naming | self._below[_strip(hit.field.value)]) >= _SEVERAL

    def _find_by_list(self, sections: Sequence[MaintainersSection]) -> SourceTree | None:
        """Return the tree that most sections with a list of these sections name, if one does."""
        for section in sections:
            for address in section.lists:
                counts = self._by_list.get(address, Counter())
                for tree, count in counts.most_common(1):
                    if 2 * count > counts.total():
                        return tree
        return None


def _strip(pattern: str) -> str:
    """Return the folder that a pattern of all its files names."""
    return pattern.rstrip("/*")


def _descend(folder: str, name: str) -> str:
    return f"{folder}/{name}"


def _choose_next(trees: Iterable[SourceTree | None]) -> SourceTree | None:
    """Return a section's tree: the one for the next release, else the first."""
    named = [tree for tree in trees if tree]
    return next((tree for tree in named if tree.name.endswith("next")), named[0] if named else None)


def _list_people(section: MaintainersSection) -> set[str]:
    """Return the names and addresses of a section's maintainers, in lower case."""
    people: set[str] = set()
    for person in section.maintainers:
        name, _, address = person.lower().rpartition("<")
        people |= {name.strip(' "'), address.strip(' ">')}
    return people - {""}


def _covers_folder(hit: SectionHit, path: PurePosixPath) -> bool:
    """Return whether a section covers all files of a file's folder."""
    pattern = hit.field.value
    if hit.field.key != "F":
        return False
    # A folder's name may be written without the slash.
    return pattern.endswith(("/", "/*")) or str(path).startswith(f"{pattern}/")
