# SPDX-License-Identifier: GPL-2.0-or-later
"""Find stores of addresses of `__init` functions that outlive the function.

Only stores that are new compared with the parent are found: an added store, and an existing store
of a function that the commit marks `__init`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.kernel import AddressStore, CFile, read_c_file
from patchgen.kernel.x86 import DECLARING_FOLDERS
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.finding import Finding
from patchgen.odb import Checkout, read_file

SEARCHED = frozenset({".c", ".h"})
_CONSTANT = re.compile(r"[A-Z0-9_]+|true|false|NULL|current|this_cpu")

# A store without its line: file, function, place and value.
_Key = tuple[PurePosixPath, str, str, str]


@dataclass
class InitStores:
    """The search through the commits of a series. The files of a commit are read only once."""

    checkout: Checkout
    _files: dict[tuple[Oid, PurePosixPath], CFile] = field(default_factory=dict)
    _marked: dict[Oid, frozenset[str]] = field(default_factory=dict)

    def find(self, parent: Oid, commit: Commit) -> list[Finding]:
        """Return a finding for each store that the commit adds."""
        paths = [path for path in commit.files if path.suffix in SEARCHED]
        paths += self._find_users(commit.oid, self._find_newly_init(parent, commit.oid, paths))
        after = self._find_stores(commit.oid, paths)
        before = self._find_stores(parent, paths) if after else {}
        return [
            _describe(commit.oid, key[0], store)
            for key, store in after.items()
            if key not in before
        ]

    def _find_newly_init(
        self, parent: Oid, commit: Oid, paths: Iterable[PurePosixPath]
    ) -> list[str]:
        """Return the existing functions that the commit marks `__init`."""
        return [
            name
            for path in paths
            for name, is_init in self._read(commit, path).functions.items()
            if is_init and self._read(parent, path).functions.get(name) is False
        ]

    def _find_stores(self, commit: Oid, paths: Iterable[PurePosixPath]) -> dict[_Key, AddressStore]:
        stores: list[tuple[PurePosixPath, CFile, AddressStore]] = []
        for path in dict.fromkeys(paths):
            file = self._read(commit, path)
            stores += [
                (path, file, store)
                for store in file.stores
                if not _CONSTANT.fullmatch(store.value) and store.value not in file.variables
            ]
        folders = {str(path.parent) for path, _, _ in stores}
        are_declared = all(store.value in file.functions for _, file, store in stores)
        marked = frozenset() if are_declared else self._find_marked(commit, folders)
        stores = [
            (path, file, store)
            for path, file, store in stores
            if file.functions.get(store.value, store.value in marked)
        ]
        if any(store.root not in file.variables for _, file, store in stores):
            marked = self._find_marked(commit, folders)
        return {
            (path, store.function, store.place, store.value): store
            for path, file, store in stores
            if not file.variables.get(store.root, store.root in marked)
        }

    def _read(self, commit: Oid, path: PurePosixPath) -> CFile:
        key = (commit, path)
        if key not in self._files:
            self._files[key] = read_c_file(read_file(self.checkout, commit, path) or b"")
        return self._files[key]

    def _find_marked(self, commit: Oid, folders: Collection[str]) -> frozenset[str]:
        """Return the names that a declaration marks `__init`, `__initdata` or `__initconst`."""
        if commit not in self._marked:
            listing = self._grep(commit, r"^\w.*\b__init(data|const)?\b", folders, "-h")
            names: set[str] = set()
            for line in listing:
                # A line may be a whole declaration, or its start.
                declared = read_c_file(line.partition("=")[0].rstrip(" {\r").encode() + b";")
                marks: Mapping[str, bool] = declared.variables | declared.functions
                names.update(name for name, is_marked in marks.items() if is_marked)
            self._marked[commit] = frozenset(names)
        return self._marked[commit]

    def _find_users(self, commit: Oid, names: Collection[str]) -> list[PurePosixPath]:
        if not names:
            return []
        pattern = rf"\b({'|'.join(sorted(names))})\b"
        listing = self._grep(commit, pattern, (), "-l")
        prefix = f"{commit}:"
        return [PurePosixPath(line.removeprefix(prefix)) for line in listing]

    def _grep(self, commit: Oid, pattern: str, folders: Collection[str], option: str) -> list[str]:
        pathspecs = [
            f":(glob){folder}/**/*.{suffix}"
            for folder in dict.fromkeys((*DECLARING_FOLDERS, *sorted(folders)))
            for suffix in "ch"
        ]
        args = ("grep", option, "--perl-regexp", pattern, commit, "--", *pathspecs)
        return self.checkout.run(*args, ok=(0, 1)).lines


def _describe(commit: Oid, path: PurePosixPath, store: AddressStore) -> Finding:
    place = store.place if store.place.startswith(store.root) else f"{store.place} ({store.root})"
    subject = f"{store.function}() stores" if store.function else "the initial value stores"
    return Finding(
        "sections",
        f"{subject} the address of {store.value}() in {place}: the function is __init and is freed "
        f"after boot, but {store.root} is not __initdata",
        commit,
        f"{path}:{store.line}",
        hint=f"remove __init from {store.value}(), unless nothing calls it after boot",
    )
