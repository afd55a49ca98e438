# SPDX-License-Identifier: GPL-2.0-or-later
"""Audit the tree of a kernel, from its files to the result, or take the cached result."""

from __future__ import annotations

import gc
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import cached_property
from typing import TypeVar

from patchgen.audit.changes import find_changes
from patchgen.audit.facts import FileFacts
from patchgen.audit.flow import Flow
from patchgen.audit.function_platforms import Reach
from patchgen.audit.hypercalls import SiteRoutes, find_hypercalls, find_op_calls
from patchgen.audit.kbuild import find_unbuilt, find_unlinked
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.paths import Edge, PointerCall, Routes
from patchgen.audit.platforms import PlatformTests
from patchgen.audit.read_facts import (
    OnProgress,
    digest_files,
    find_files,
    open_cache,
    read_facts,
)
from patchgen.audit.reasons import Reasons, build_reasons
from patchgen.audit.result import (
    Audit,
    Coverage,
    EdgeKind,
    Notify,
    Step,
    TreeLocation,
    UnresolvedPointer,
    Window,
)
from patchgen.audit.tables import Tables, load_tables
from patchgen.audit.window import FollowedWindow, follow_window
from patchgen.cachefile import Cache, make_key
from patchgen.errors import RefusedError
from patchgen.kernel import DotConfig, read_version
from patchgen.model.base import Oid, TreeFile
from patchgen.odb import Git, GitTree

# One of them is set in each .config of x86 (arch/x86/Kconfig).
_BITS = ("CONFIG_X86_64", "CONFIG_X86_32")
OnNote = Callable[[str], None]
_Result = TypeVar("_Result")


class TreeAudit:
    """The results of an audit of one tree, in a repository or a quarantine.

    Results are cached; the tree is read at most once. `config` is a .config, None to follow all
    branches; `tables` are patchgen's own by default. The results raise RefusedError for a tree
    without an x86 kernel, the constructor for a .config that is not a complete one of x86.
    """

    def __init__(
        self,
        git: Git,
        tree: Oid,
        *,
        config: DotConfig | None = None,
        tables: Tables | None = None,
        on_progress: OnProgress = lambda done, total: None,
        on_note: OnNote = lambda note: None,
    ):
        if config is not None:
            _check_config(config)
        self._git = git
        self._tree = tree
        self._config = config
        self._tables = tables or load_tables()
        self._on_progress = on_progress
        self._on_note = on_note
        self._window: FollowedWindow | None = None

    def find_audit(self) -> Audit:
        """Return the audit, without a revision."""

        def build(window: FollowedWindow) -> Audit:
            return build_audit(window, version=read_version(GitTree(self._git, self._tree)))

        return self._find(Audit, build)

    def find_reasons(self) -> Reasons:
        """Return why each function is early or not."""
        return self._find(Reasons, build_reasons)

    def _find(self, kind: type[_Result], build: Callable[[FollowedWindow], _Result]) -> _Result:
        """Return the cached result of a kind, or build and cache it."""
        key = _make_result_key(
            kind.__name__, self._tree, self._files, self._tables, self._config, self._unlinked
        )
        with open_cache() as cache:
            result = cache.find_one(kind, key)
            if result is None:
                with _pause_collection():
                    if self._window is None:
                        self._window = self._follow_window(cache)
                    result = build(self._window)
                    cache.store_one(key, result)
            if cache.note:
                self._on_note(cache.note)
        return result

    @cached_property
    def _files(self) -> Sequence[TreeFile]:
        return find_files(self._git, self._tree, self._tables)

    @cached_property
    def _unlinked(self) -> Set[str]:
        return find_unlinked(self._git, self._tree, self._files)

    def _follow_window(self, cache: Cache) -> FollowedWindow:
        unbuilt, options = self._unlinked, None
        if self._config is not None:
            unbuilt = unbuilt | find_unbuilt(self._git, self._tree, self._files, self._config)
            options = self._config.options
        facts = _read_built(self._git, self._files, unbuilt, cache, self._on_progress)
        return follow_window(LinkedCode(facts, options), self._tables)


@contextmanager
def _pause_collection() -> Iterator[None]:
    """Pause the search for garbage: the millions of objects of an audit live to its end.

    Later searches skip them, too. They are in no cycles, so the last reference frees them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def _check_config(config: DotConfig) -> None:
    """Refuse a fragment: an option that it does not set would be treated as unset."""
    if not any(config.options.get(name) == "y" for name in _BITS):
        raise RefusedError(
            f"the .config sets neither {' nor '.join(_BITS)}: it is not a complete .config of x86",
            code="dot-config",
            hint="name the .config of a build folder; `make olddefconfig` completes a fragment",
            parameters=("config",),
        )


def _read_built(
    git: Git,
    files: Sequence[TreeFile],
    unbuilt: Set[str],
    cache: Cache,
    on_progress: OnProgress,
) -> Mapping[str, FileFacts]:
    """Return the facts of the files that are built, and of those that they include."""
    pending = [file for file in files if file.path.as_posix() not in unbuilt]
    unbuilt_files = {
        file.path.as_posix(): file for file in files if file.path.as_posix() in unbuilt
    }
    facts: dict[str, FileFacts] = {}
    while pending:
        new_facts = read_facts(git, pending, cache, on_progress)
        facts |= new_facts
        included = {
            posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
            for path, file_facts in new_facts.items()
            for name in (include.strip('<>"') for include in file_facts.includes)
        }
        pending = [unbuilt_files.pop(path) for path in sorted(included & unbuilt_files.keys())]
    return facts


def _make_result_key(
    kind: str,
    tree: Oid,
    files: Sequence[TreeFile],
    tables: Tables,
    config: DotConfig | None,
    unlinked: Set[str],
) -> bytes:
    # With a configuration, the result depends on the Makefiles of the tree, too.
    built = config and [tree, config.architecture, sorted(config.options.items())]
    return make_key(kind, tables.digest, digest_files(files), built, sorted(unlinked))


def build_audit(window: FollowedWindow, *, version: str = "") -> Audit:
    """Return the audit of a window, without the names of revision and configuration."""
    code, tables = window.code, window.tables
    flow, entries = window.flow, window.entries
    tests = PlatformTests(code, tables)
    reach = Reach(flow, entries, tests)
    unrouted = Routes(flow.edges, entries, lambda edge: not edge.op, tables.aside)
    running = Routes(flow.edges, entries, lambda edge: not _stops(edge, tables))
    site_routes = SiteRoutes(window.routes, unrouted, running)
    return Audit(
        revision="",
        commit="",
        version=version,
        config="",
        window=_build_window(window),
        notify=_build_notify(code, tables, flow),
        hypercalls=tuple(find_hypercalls(code, tables, flow, site_routes)),
        changes=tuple(find_changes(code, tables, flow, window.routes, reach, tests))
        if tables.with_changes
        else (),
        unresolved=tuple(_explain_unresolved(pointer) for pointer in flow.unresolved),
        coverage=_count_coverage(code, flow),
        site=tables.site,
        op=f"{tables.variable}.{tables.member}",
    )


def _stops(edge: Edge, tables: Tables) -> bool:
    return tables.stopping.fullmatch(edge.target.name) is not None


def _build_window(window: FollowedWindow) -> Window:
    boot_path = window.boot_path
    steps = []
    before: TreeLocation | None = None
    for number, node in enumerate(boot_path.nodes):
        kind = EdgeKind.CALL if number else EdgeKind.ENTRY
        steps.append(Step(node.name, TreeLocation(node.path, node.line), before, kind))
        before = (
            TreeLocation(node.path, boot_path.lines[number])
            if number < len(boot_path.lines)
            else None
        )
    functions: dict[str, set[str]] = {}
    for node in window.flow.edges:
        if node.kind != "macro":
            functions.setdefault(node.path, set()).add(node.name)
    return Window(
        tuple(dict.fromkeys(node.name for node in window.entries)),
        boot_path.nodes[-1].name,
        tuple(steps),
        {path: tuple(sorted(names)) for path, names in sorted(functions.items())},
    )


def _build_notify(code: LinkedCode, tables: Tables, flow: Flow) -> Notify | None:
    declared = code.find_field(tables.member)
    if declared is None:
        return None
    holders = flow.pointers.find_holders(tables.member)
    steps = tuple(
        Step(n.name, TreeLocation(n.path, n.line), None, EdgeKind.POINTER) for n in holders
    )
    calls = tuple(find_op_calls(code, tables, flow))
    return Notify(f"{tables.variable}.{tables.member}", declared, steps, calls)


def _explain_unresolved(call: PointerCall) -> UnresolvedPointer:
    if call.key is None:
        reason = "the value of the expression is unknown"
    elif call.key[0] == "?":
        reason = f"the struct of {call.key[1]} is unknown"
    elif call.key[0] == "=":
        reason = f"nothing in the window assigns {call.key[1]}"
    else:
        reason = f"nothing in the window assigns {call.key[0]}.{call.key[1]}"
    return UnresolvedPointer(
        call.node.name, TreeLocation(call.node.path, call.line), call.via, reason
    )


def _count_coverage(code: LinkedCode, flow: Flow) -> Coverage:
    lost = [
        f"{path}:{line} {name}"
        for path, facts in sorted(code.facts.items())
        for line, name in facts.lost
    ]
    functions = [node for node in code.nodes if node.kind != "macro"]
    return Coverage(
        len(code.facts),
        len(code.facts),
        len(functions),
        sum(len(node.calls) for node in functions),
        tuple(lost),
        flow.list_unread(),
    )
