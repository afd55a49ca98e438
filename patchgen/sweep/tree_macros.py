# SPDX-License-Identifier: GPL-2.0-or-later
"""The macros of a tree that spatch cannot parse, by the headers that define them.

Any file may include the headers in `include` and `arch/*/include`; their macros are read once for
each tree, and cached by the headers' contents. The macros of other headers apply to the files next
to them that include them, and those of a file to itself.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from patchgen.cachefile import Cache, cache_file, make_key
from patchgen.model.base import Oid, TreeFile
from patchgen.odb import Entry, Repository, list_entries, read_contents
from patchgen.resources import digest_code
from patchgen.sweep.candidates import read_in_groups
from patchgen.sweep.macro_definitions import (
    MacroDefinition,
    join_definitions,
    read_definitions,
)
from patchgen.sweep.macro_kinds import MacroKind, MacroUse, find_uses
from patchgen.sweep.request import MACRO_FOLDERS, SweepRequest

_SHARED = re.compile(r"(?:include|arch/[^/]+/include)/")
# A call with a statement as an argument: `scoped_cond_guard(x, return -EINTR, y)`.
_STATEMENT_ARGUMENT = re.compile(
    rb"\b(\w+)[ \t]*\((?:[^(){};]*,)?\s*(?:return|goto|break|continue)\b"
)
_BEFORE_TYPES = frozenset({b"extern", b"static", b"__attribute__"})
_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"/\n]+\.h)"', re.MULTILINE)


@dataclass(frozen=True)
class TreeMacros:
    """The macros that any file of a tree may use. `key` identifies the texts that define them."""

    uses: Mapping[str, MacroUse]
    key: bytes

    @cached_property
    def hints(self) -> str:
        """The file of macros that makes spatch parse the uses of loops."""
        return make_hints(self.uses)

    @cached_property
    def by_word(self) -> dict[bytes, MacroUse]:
        """The macros by their names as in a source."""
        return {name.encode("latin-1"): use for name, use in self.uses.items()}


@dataclass(frozen=True, slots=True)
class FileMacros:
    """The macros that one file uses, and the files of macros that help spatch with loops.

    spatch uses `hints` in its first attempt to parse, `late_hints` only if that fails. Late hints
    are for loops with statements among their arguments: `scoped_cond_guard(x, return, y)`. spatch
    drops arguments that it cannot parse, but not those of a loop with a hint in its first attempt.
    """

    uses: Mapping[bytes, MacroUse]
    hints: str
    late_hints: str


def read_tree_macros(repository: Repository, tree: Oid, *, is_cached: bool = True) -> TreeMacros:
    """Return the macros of a tree.

    Raises MissingObjectsError if the repository lacks headers.
    """
    entries = list_entries(repository, tree, MACRO_FOLDERS, (".h",))
    shared = {name: entry for name, entry in entries.items() if _SHARED.match(name)}
    key = make_key("macros", sorted((name, oid) for name, (_, oid) in shared.items()))
    if key not in _READ:
        _READ.clear()
        _READ[key] = _read_shared(repository, shared, key, is_cached=is_cached)
    return _READ[key]


# The macros that were read last: a run of many semantic patches reads them once.
_READ: dict[bytes, TreeMacros] = {}


def _read_shared(
    repository: Repository, shared: Mapping[str, Entry], key: bytes, *, is_cached: bool
) -> TreeMacros:
    with Cache(cache_file() if is_cached else None, f"macros {digest_code()}") as cache:
        packed = cache.find([key]).get(key)
        if packed is not None:
            return TreeMacros(_load(packed), key)
        files = [TreeFile(PurePosixPath(name), *entry) for name, entry in shared.items()]
        definitions = join_definitions(
            definition
            for _, text in read_in_groups(repository, files)
            for definition in read_definitions(text)
        )
        uses = find_uses(definitions)
        cache.store([(key, _dump(uses))])
    return TreeMacros(uses, key)


def find_macros(repository: Repository, request: SweepRequest) -> TreeMacros:
    """Return the macros that a run uses: those of the base, or of a file that the user names."""
    if request.run.macros is not None:
        return read_macro_file(request.run.macros)
    return read_tree_macros(repository, request.base.tree, is_cached=request.run.cache)


def read_macro_file(text: str) -> TreeMacros:
    """Return the macros that a file defines, in the form of `run --show-macros`."""
    source = text.encode()
    uses = find_uses(join_definitions(read_definitions(source)))
    return TreeMacros(uses, make_key("file", text))


def format_macros(uses: Mapping[str, MacroUse]) -> str:
    """Return definitions of macros, each with the simplest body of its kind."""
    return "".join(
        f"#define {name}{_BODIES[use.kind].format(*_parameters(use))}\n"
        for name, use in sorted(uses.items(), key=lambda item: (item[1].kind, item[0]))
    )


def make_hints(uses: Mapping[str, MacroUse]) -> str:
    """Return the file of macros that makes spatch parse the uses of loops."""
    loops = sorted(name for name, use in uses.items() if use.kind is MacroKind.ITERATOR)
    return "".join(f"#define {name}(...) YACFE_ITERATOR\n" for name in loops)


def add_hints(builtin: str, found: FileMacros) -> tuple[str, str]:
    """Return the macros that replace the `builtin` ones of spatch, and the additional ones.

    By its builtin macros, 1.1.1 replaces `DEFINE_PER_CPU(type, name)` by a declaration that its
    grammar refuses after `static`. With a hint it reads the macro as a declaration, and the types
    in its arguments.
    """
    if not builtin:
        return "", found.hints + found.late_hints
    declarations = (
        f"\n#define {name}(...) YACFE_DECLARATOR"
        for name, definition in read_definitions(builtin.encode())
        if definition is not None and _declares_variable(definition)
    )
    return "".join([builtin, *declarations, "\n", found.hints]), found.late_hints


def _declares_variable(definition: MacroDefinition) -> bool:
    """Return whether a body declares a variable that a parameter names: `extern type x_##name`."""
    body = definition.body
    if not body or body[0] not in _BEFORE_TYPES:
        return False
    return not set(body[-1].split(b"##")).isdisjoint(definition.parameters or ())


_BODIES = {
    MacroKind.ITERATOR: "(...) for (;;)",
    MacroKind.ATTRIBUTE: "{2} __attribute__(())",
    MacroKind.FIELDS: "{2} .pg = 0,",
    MacroKind.TYPE: "(...) typeof(0)",
    MacroKind.FUNCTION: "({0}...) static int {1}(void)",
    MacroKind.DECLARATOR: "({0}...) *{1} __attribute__(()) = 0",
}


def _parameters(use: MacroUse) -> tuple[str, str, str]:
    before = "".join(f"pg{number}, " for number in range(use.named + 1))
    return before, f"pg{use.named}", "(...)" if use.has_parameters else ""


def _dump(uses: Mapping[str, MacroUse]) -> bytes:
    return json.dumps(
        {name: [use.kind, use.named, use.has_parameters] for name, use in uses.items()}
    ).encode()


def _load(packed: bytes) -> dict[str, MacroUse]:
    uses = json.loads(packed)
    return {name: MacroUse(MacroKind(kind), *rest) for name, (kind, *rest) in uses.items()}


@dataclass(slots=True)
class MacroFinder:
    """Finds the macros that a file uses: those of the tree, of headers next to it, and its own."""

    repository: Repository
    tree: Oid
    shared: TreeMacros
    folders: dict[str, Mapping[str, Entry]] = field(default_factory=dict)
    texts: dict[Oid, bytes] = field(default_factory=dict)

    def find_headers(self, path: PurePosixPath, text: bytes) -> dict[str, Oid]:
        """Return the headers next to a file that it includes, directly or not."""
        folder = str(path.parent)
        if folder not in self.folders:
            listed = list_entries(self.repository, self.tree, [path.parent], (".h",))
            self.folders[folder] = {
                posixpath.basename(name): entry
                for name, entry in listed.items()
                if posixpath.dirname(name) == ("" if folder == "." else folder)
            }
        near = self.folders[folder]
        found: dict[str, Oid] = {}
        waiting = [text]
        while waiting:
            for match in _INCLUDE.finditer(waiting.pop()):
                name = match[1].decode("latin-1")
                if name in near and name not in found:
                    found[name] = near[name][1]
                    waiting.append(self._read(path.parent / name, near[name]))
        return dict(sorted(found.items()))

    def find(self, text: bytes, headers: Mapping[str, Oid]) -> FileMacros:
        """Return the macros that a file uses, given the headers that `find_headers` returned."""
        near = [found for oid in headers.values() for found in read_definitions(self.texts[oid])]
        own = join_definitions([*near, *read_definitions(text)])
        with_statements = {m[1].decode("latin-1") for m in _STATEMENT_ARGUMENT.finditer(text)}
        uses = find_uses(own, self.shared.uses) if own else self.shared.uses
        late_uses = {name: uses[name] for name in with_statements & uses.keys()}
        # Macros that the file itself defines need no hint: spatch reads these definitions.
        differing = any(uses.get(name) != self.shared.uses.get(name) for name, _ in near)
        hints = self.shared.hints
        if differing or late_uses:
            hints = make_hints({name: use for name, use in uses.items() if name not in late_uses})
        by_word = self.shared.by_word
        if own:
            by_word = {name.encode("latin-1"): use for name, use in uses.items()}
        return FileMacros(by_word, hints, make_hints(late_uses))

    def _read(self, path: PurePosixPath, entry: Entry) -> bytes:
        mode, oid = entry
        if oid not in self.texts:
            [self.texts[oid]] = read_contents(self.repository, [TreeFile(path, mode, oid)])
        return self.texts[oid]
