# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the files of a kernel's tree, and follow its window.

An audit whose result is cached does not import this module, nor the parser.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence, Set

from patchgen.audit.facts import FileFacts
from patchgen.audit.kbuild import find_unbuilt, find_unlinked
from patchgen.audit.linked_code import LinkedCode
from patchgen.audit.read_facts import OnProgress, digest_files, find_files, read_facts
from patchgen.audit.tables import Tables
from patchgen.audit.window import FollowedWindow, follow_window
from patchgen.cachefile import Cache
from patchgen.kernel import DotConfig
from patchgen.model.base import Oid, TreeFile
from patchgen.odb import Git


class TreeWindow:
    """The files of a tree that an audit reads, and the window that starts in them.

    The constructor raises RefusedError for a tree without an x86 kernel.
    """

    def __init__(self, git: Git, tree: Oid, config: DotConfig | None, tables: Tables):
        self._git = git
        self._tree = tree
        self._config = config
        self._tables = tables
        self._files = find_files(git, tree, tables)
        self._unlinked = find_unlinked(git, tree, self._files)

    @property
    def inputs(self) -> list[object]:
        """The inputs of the window, in addition to the tables and the configuration."""
        # With a configuration, the window depends on the Makefiles of the tree, too.
        tree = str(self._tree) if self._config else ""
        return [digest_files(self._files), sorted(self._unlinked), tree]

    def follow(self, cache: Cache, on_progress: OnProgress) -> FollowedWindow:
        """Return the followed window, from the facts in the cache or in the files."""
        unbuilt, options = self._unlinked, None
        if self._config is not None:
            unbuilt = unbuilt | find_unbuilt(self._git, self._tree, self._files, self._config)
            options = self._config.options
        facts = _read_built(self._git, self._files, unbuilt, cache, on_progress)
        return follow_window(LinkedCode(facts, options), self._tables)


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
