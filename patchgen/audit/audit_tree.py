# SPDX-License-Identifier: GPL-2.0-or-later
"""Audit the tree of a kernel, or take the cached result.

The code that reads and follows the kernel is imported only when the result is not cached.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from patchgen.audit.result import Audit
from patchgen.audit.tables import Tables, load_tables
from patchgen.cachefile import Cache, cache_file, make_key
from patchgen.errors import RefusedError
from patchgen.kernel import DotConfig, read_version
from patchgen.model.base import Oid
from patchgen.odb import Git, GitTree
from patchgen.resources import digest_code

if TYPE_CHECKING:
    from patchgen.audit.read_facts import OnProgress
    from patchgen.audit.reasons import Reasons
    from patchgen.audit.tree_window import TreeWindow
    from patchgen.audit.window import FollowedWindow

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
        self._tree_window: TreeWindow | None = None
        self._window: FollowedWindow | None = None

    def find_audit(self) -> Audit:
        """Return the audit, without a revision."""

        def build(window: FollowedWindow) -> Audit:
            from patchgen.audit.build_audit import build_audit

            return build_audit(window, version=read_version(GitTree(self._git, self._tree)))

        return self._find(Audit, build)

    def find_reasons(self) -> Reasons:
        """Return why each function is early or not."""
        from patchgen.audit.reasons import Reasons, build_reasons

        return self._find(Reasons, build_reasons)

    def _find(self, kind: type[_Result], build: Callable[[FollowedWindow], _Result]) -> _Result:
        """Return the cached result of a kind, or build and cache it.

        Its key depends on the files that an audit reads: trees with the same files share it. The
        key is cached by tree, so that the files need not be listed, which takes longest.
        """
        config = self._config
        built = config and [config.architecture, sorted(config.options.items())]
        question = [kind.__name__, self._tables.digest, built]
        tree_key = make_key("tree", str(self._tree), question)
        with _open_cache() as cache:
            key = cache.find([tree_key]).get(tree_key)
            result = cache.find_one(kind, key) if key else None
            if result is None:
                key = make_key(question, self._open_tree_window().inputs)
                result = cache.find_one(kind, key)
                if result is None:
                    result = self._build(build, cache)
                    cache.store_one(key, result)
                cache.store([(tree_key, key)])
            if cache.note:
                self._on_note(cache.note)
        return result

    def _open_tree_window(self) -> TreeWindow:
        from patchgen.audit.tree_window import TreeWindow

        if self._tree_window is None:
            self._tree_window = TreeWindow(self._git, self._tree, self._config, self._tables)
        return self._tree_window

    def _build(self, build: Callable[[FollowedWindow], _Result], cache: Cache) -> _Result:
        with _pause_collection():
            if self._window is None:
                self._window = self._open_tree_window().follow(cache, self._on_progress)
            return build(self._window)


def _open_cache() -> Cache:
    """Return the cache of files' facts and of audits, which depend on patchgen's code only."""
    return Cache(cache_file(), f"audit {digest_code()}")


@contextmanager
def _pause_collection() -> Iterator[None]:
    """Pause the search for garbage: the millions of objects of an audit live to its end.

    Later searches skip them, too. They do not form cycles, so the last reference frees them.
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
