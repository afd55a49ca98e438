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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
_FARTHEST = 7
Ways = Mapping[str, tuple[str, ...]]


def find_cited_calls(
    variant: Variant, backends: Sequence[str], tree: TreeReader, context: Mapping[str, Any]
) -> tuple[CitedCalls, ...]:
    """Return the calls in a tree that the manifests of a variant and its backends cite."""
    found = []
    graphs: dict[tuple[str, ...], _Graph] = {}
    for unit in select_units(variant, backends):
        if unit.backend is not None and unit.backend not in backends:
            continue
        for number, cite in enumerate(unit.manifest.cites):
            where = ("cites", number, "when")
            if holds(cite.when, context["has"], unit, f"cites {cite.name}: when", *where):
                graph = graphs.setdefault(cite.file, _Graph(tree, tree.find(cite.file)))
                calls = tuple(_cite(cite, graph, context))
                found.append(CitedCalls(cite.name, fill_in(cite.title, context), calls))
    return tuple(found)


def _cite(cite: CallQuery, graph: _Graph, context: Mapping[str, Any]) -> Iterator[Citation]:
    wanted = _tokens(cite.argument, context)
    callee = fill_in(cite.calls, context) if cite.calls else None
    ways: Ways = {callee: (callee,)} if callee else {}
    if cite.reaches is not None:
        all_ways = graph.find_ways(fill_in(cite.reaches, context))
        ways = {name: way for name, way in all_ways.items() if callee in (None, name)}
    for site, call in graph.calls_of(list(ways), also=wanted):
        if _contains(call.arguments, wanted):
            reason = _reason(cite, call, graph, context)
            yield Citation(site, call.function, ways[call.callee], reason)


def _reason(cite: CallQuery, call: TokenCall, graph: _Graph, context: Mapping[str, Any]) -> str:
    """Return the text of the first reason that fits the call, "" if none does."""
    for reason in cite.reasons:
        served = reason.served is None or call.function in graph.find_served(reason.served)
        if served and _contains(call.arguments, _tokens(reason.argument, context)):
            return fill_in(reason.say, context)
    return ""


def _tokens(text: str, context: Mapping[str, Any]) -> list[bytes]:
    return [token.text for token in tokenize(fill_in(text, context).encode())]


def _contains(tokens: Sequence[bytes], wanted: Sequence[bytes]) -> bool:
    length = len(wanted)
    starts = range(len(tokens) - length + 1)
    return any(list(tokens[start : start + length]) == list(wanted) for start in starts)


@dataclass(slots=True)
class _Graph:
    """The call graph of some files of a tree. A file is read when a search needs it."""

    tree: TreeReader
    files: Sequence[TreeFile]
    _sources: dict[TreeFile, bytes] = field(default_factory=dict)
    _parsed: dict[TreeFile, tuple[list[TokenCall], list[Assignment]]] = field(default_factory=dict)
    _ways: dict[str, Ways] = field(default_factory=dict)

    def calls_of(
        self, names: Sequence[str], *, also: Sequence[bytes] = ()
    ) -> Iterator[tuple[Site, TokenCall]]:
        """Yield the calls of any of these functions, in files that contain all of `also`."""
        for file, (calls, _) in self._read(names, also):
            for call in calls:
                if call.callee in names:
                    yield Site(file.path, call.line, call.function), call

    def find_ways(self, target: str) -> Ways:
        """Return the functions that lead to `target`, each with a shortest path to it."""
        if target not in self._ways:
            ways: dict[str, tuple[str, ...]] = {target: (target,)}
            edge = [target]
            for _ in range(_FARTHEST):
                found = {
                    caller: (caller, *ways[callee])
                    for caller, callee in self._edges_to(edge)
                    if caller not in ways
                }
                ways |= found
                edge = list(found)
            self._ways[target] = ways
        return self._ways[target]

    def find_served(self, member: str) -> set[str]:
        """Return the functions that are assigned to a member of that name."""
        return {
            assignment.value
            for _, (_, assignments) in self._read([member])
            for assignment in assignments
            if assignment.member == member
        }

    def _edges_to(self, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        known = set(names)
        for _, (calls, assignments) in self._read(names):
            yield from ((c.function, c.callee) for c in calls if c.callee in known)
            yield from ((a.member, a.value) for a in assignments if a.value in known)

    def _read(
        self, names: Sequence[str], also: Sequence[bytes] = ()
    ) -> Iterator[tuple[TreeFile, tuple[list[TokenCall], list[Assignment]]]]:
        """Yield the parsed files that use any of the names and contain all of `also`."""
        wanted = [(name.encode(), _compile_use(name.encode())) for name in names]
        for file in self.files:
            if file not in self._parsed:
                source = self._sources.get(file) or self.tree.read(file)
                self._sources[file] = source
                if not all(word in source for word in also) or not any(
                    name in source and use.search(source) for name, use in wanted
                ):
                    continue
                self._parsed[file] = find_calls(source)
            yield file, self._parsed[file]


@functools.cache
def _compile_use(name: bytes) -> re.Pattern[bytes]:
    """Return a pattern of what every call of a name, and every assignment with it, contains.

    A pattern that begins with literal text is found much faster.
    """
    word = re.escape(name)
    return re.compile(rb"%s(?<![\w$]%s)\s*[(=;,}/\\]" % (word, word))
