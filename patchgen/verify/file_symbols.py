# SPDX-License-Identifier: GPL-2.0-or-later
"""How the files that no configuration built can be built: their symbol and their architecture."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import PurePosixPath

from patchgen.kernel import (
    choose_cross_arch,
    find_needed_archs,
    find_object_symbol,
    read_arch_symbols,
)
from patchgen.model.base import Oid
from patchgen.odb import Git, open_tree, read_file


class FileSymbols:
    """The symbols that build files of a series. Those of architectures are read from its base."""

    def __init__(self, git: Git, base: Oid):
        self._git = git
        self._base = base

    @cached_property
    def _arch_symbols(self) -> dict[str, frozenset[str]]:
        return read_arch_symbols(open_tree(self._git, self._base))

    def find(self, commit: Oid, file: PurePosixPath) -> tuple[str, str | None]:
        """Return the symbol of a file with what it depends on, and the architecture to build it.

        "" is an unknown symbol. None means that the file needs no other architecture than x86, or
        one without a known compiler.
        """
        symbol = find_object_symbol(partial(read_file, self._git, commit), file)
        if symbol is None:
            return "", None
        needed = find_needed_archs(symbol, self._arch_symbols) if symbol.conditions else ()
        return str(symbol), choose_cross_arch(needed)
