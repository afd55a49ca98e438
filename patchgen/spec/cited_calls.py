# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the calls that a manifest cites: where they are, what they lead to, and the reason.

A commit message must not claim things that a base may not have. So a manifest names the calls to
look for, and its templates get those that were found. The tree is read as tokens: `g(` inside of
f() leads from f to g, and `x.op = f` leads from op to f, as a call of op may end there. Macros are
not expanded, and functions of the same name are treated as one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from patchgen.ctokens import Assignment, TokenCall, find_calls, tokenize
from patchgen.model.base import TreeFile, TreeReader
from patchgen.model.outcome import Citation, CitedCalls, Site
from patchgen.spec.backends import select_units
from patchgen.spec.manifest import CallQuery
from patchgen.spec.probe import fill_in, holds
from patchgen.spec.variant import Variant

# The longest path that matters has 6 steps (set_memory_decrypted() in v6.12). An eighth step would
# reach functions that all of arch/x86 calls: three times the files, and accidental paths.
_MAX_STEPS = 7
Paths = Mapping[str, tuple[str, ...]]


def find_cited_calls(
    variant: Variant, backends: Sequence[str], tree: TreeReader, context: Mapping[str, Any]
) -> tuple[CitedCalls, ...]:
    """Return the calls in a tree that the manifests of a variant and its backends cite."""
    cited = []
    graphs: dict[tuple[str, ...], _Graph] = {}
    sources: dict[PurePosixPath, _Source] = {}
    for unit in select_units(variant, backends):
        if unit.backend is not None and unit.backend not in backends:
            continue
        for number, cite in enumerate(unit.manifest.cites):
            keys = ("cites", number, "when")
            if holds(cite.when, context["has"], unit, f"cites {cite.name}: when", *keys):
                graph = graphs.setdefault(cite.file, _Graph(tree, tree.find(cite.file), sources))
                calls = tuple(_cite(cite, graph, context))
                cited.append(CitedCalls(cite.name, fill_in(cite.title, context), calls))
    return tuple(cited)


def _cite(cite: CallQuery, graph: _Graph, context: Mapping[str, Any]) -> Iterator[Citation]:
    argument = _tokens(cite.argument, context)
    callee = fill_in(cite.calls, context) if cite.calls else None
    paths: Paths = {callee: (callee,)} if callee else {}
    if cite.reaches is not None:
        all_paths = graph.find_paths(fill_in(cite.reaches, context))
        paths = {name: path for name, path in all_paths.items() if callee in (None, name)}
    for site, call in graph.find_calls_of(list(paths), containing=argument):
        if _contains(call.arguments, argument):
            reason = _find_reason(cite, call, graph, context)
            yield Citation(site, call.function, paths[call.callee], reason)


def _find_reason(
    cite: CallQuery, call: TokenCall, graph: _Graph, context: Mapping[str, Any]
) -> str:
    """Return the text of the first reason that fits the call, "" if none does."""
    for reason in cite.reasons:
        is_assigned = reason.served is None or call.function in graph.find_assigned(reason.served)
        if is_assigned and _contains(call.arguments, _tokens(reason.argument, context)):
            return fill_in(reason.say, context)
    return ""


def _tokens(text: str, context: Mapping[str, Any]) -> list[bytes]:
    return [token.text for token in tokenize(fill_in(text, context).encode())]


def _contains(tokens: Sequence[bytes], part: Sequence[bytes]) -> bool:
    length = len(part)
    starts = range(len(tokens) - length + 1)
    return any(list(tokens[start : start + length]) == list(part) for start in starts)


@dataclass(slots=True)
class _Graph:
    """The call graph of some files of a tree. A file is parsed when a search needs it.

    `sources` are the files that any graph has read.
    """

    tree: TreeReader
    files: Sequence[TreeFile]
    sources: dict[PurePosixPath, _Source]
    _paths: dict[str, Paths] = field(default_factory=dict)

    def find_calls_of(
        self, names: Sequence[str], *, containing: Sequence[bytes] = ()
    ) -> Iterator[tuple[Site, TokenCall]]:
        """Yield the calls of any of these functions, in files that contain all of `containing`."""
        targets = set(names)
        for file, (calls, _) in self._read(names, containing):
            for call in calls:
                if call.callee in targets:
                    yield Site(file.path, call.line, call.function), call

    def find_paths(self, target: str) -> Paths:
        """Return the functions that lead to `target`, each with a shortest path to it."""
        if target not in self._paths:
            paths: dict[str, tuple[str, ...]] = {target: (target,)}
            frontier = [target]
            for _ in range(_MAX_STEPS):
                callers = {
                    caller: (caller, *paths[callee])
                    for caller, callee in self._edges_to(frontier)
                    if caller not in paths
                }
                paths |= callers
                frontier = list(callers)
            self._paths[target] = paths
        return self._paths[target]

    def find_assigned(self, member: str) -> set[str]:
        """Return the functions that are assigned to a member of that name."""
        return {
            assignment.value
            for _, (_, assignments) in self._read([member])
            for assignment in assignments
            if assignment.member == member
        }

    def _edges_to(self, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        targets = set(names)
        for _, (calls, assignments) in self._read(names):
            for call in calls:
                if call.callee in targets:
                    yield call.function, call.callee
            for assignment in assignments:
                if assignment.value in targets:
                    yield assignment.member, assignment.value

    def _read(
        self, names: Sequence[str], containing: Sequence[bytes] = ()
    ) -> Iterator[tuple[TreeFile, tuple[list[TokenCall], list[Assignment]]]]:
        """Yield each file with its calls and assignments.

        They may be empty for a file without all of `containing`, or without any of the names.
        """
        unread = [file for file in self.files if file.path not in self.sources]
        for file, text in zip(unread, self.tree.read_all(unread), strict=True):
            self.sources[file.path] = _Source(text)
        encoded = [name.encode() for name in names]
        for file in self.files:
            yield file, self.sources[file.path].find_uses(encoded, containing)


class _Source:
    """The text of a file, which is parsed when a search needs it."""

    def __init__(self, text: bytes):
        self._text = text
        self._parsed: tuple[list[TokenCall], list[Assignment]] | None = None

    def find_uses(
        self, names: Collection[bytes], containing: Sequence[bytes]
    ) -> tuple[list[TokenCall], list[Assignment]]:
        """Return its calls and assignments, none if it does not use any of the names.

        A text that does not contain all of `containing` need not be parsed.
        """
        text = self._text
        if self._parsed is None:
            if not all(token in text for token in containing) or not any(
                name in text and _compile_use(name).search(text) for name in names
            ):
                return [], []
            self._parsed = find_calls(text)
        return self._parsed


@functools.cache
def _compile_use(name: bytes) -> re.Pattern[bytes]:
    """Return a pattern of what every call of a name, and every assignment with it, contains.

    A pattern that begins with literal text is found much faster.
    """
    escaped = re.escape(name)
    return re.compile(rb"%s(?<![\w$]%s)\s*[(=;,}/\\]" % (escaped, escaped))
