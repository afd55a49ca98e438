# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the .c files of a tree that a .config builds, by kbuild's rules and without a work tree.

Documentation/kbuild/makefiles.rst and scripts/Makefile.lib: obj-y, obj-m and lib-y name objects
and folders; an object with FOO-y or FOO-objs is composed of those. The top Makefile (from 6.1 on
also Kbuild) and the architecture's name the first folders. Variables of other names hold the
objects of a boot image or a vDSO; this module knows those of x86.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

from patchgen.errors import RefusedError, UsageError
from patchgen.kernel.dotconfig import read_dotconfig
from patchgen.kernel.make import Make
from patchgen.model.base import TreeReader

# kconfig's first comment: "# Linux/x86 6.1.0 Kernel Configuration".
_ARCHITECTURE = re.compile(r"^# Linux/(?P<name>\w+) ", re.MULTILINE)
_OPTION = re.compile(r"^(?P<name>CONFIG_\w+)=(?P<value>.*)$", re.MULTILINE)
_MAKEFILES = ("**/Makefile*", "**/Kbuild*", "Makefile", "Kbuild")
_SOURCES = ("**/*.c", "*.c")
_BEGIN = ("core-y", "core-m", "drivers-y", "drivers-m", "libs-y", "libs-m", "net-y", "virt-y")
_PLAIN = ("lib-y", "lib-m", "extra-y", "always-y")
# Linked last, and not in any list (scripts/Makefile.vmlinux).
_LINKED = "init/version-timestamp.o"
_TOP_ONLY = ("ARCH_CORE", "ARCH_LIB", "ARCH_DRIVERS")
# Lists of programs that are linked or packed into the image: arch/x86/boot and below,
# arch/x86/entry/vdso, arch/x86/realmode/rm, arch/x86/purgatory.
_PACKED = re.compile(
    r"(setup-y|vmlinux-objs-y|vobjs(32)?-y|vobjs|realmode-y|purgatory-y|efi-obj-y)$"
)


def read_built(tree: TreeReader, config: Path) -> frozenset[PurePosixPath]:
    """Return the .c files of a tree that a .config builds.

    Raises UsageError if the .config cannot be read, RefusedError if the tree has no Makefile.
    """
    text = read_dotconfig(config)
    if not _OPTION.search(text):
        raise UsageError(f"{config}: the file has no CONFIG_ option")
    makefiles = {
        str(file.path): tree.read(file).decode("utf-8", "replace") for file in tree.find(_MAKEFILES)
    }
    return find_built(text, makefiles, [str(file.path) for file in tree.find(_SOURCES)])


def find_built(
    config: str, makefiles: Mapping[str, str], sources: Collection[str]
) -> frozenset[PurePosixPath]:
    """Return those of `sources`, .c files by path in the tree, that a .config builds.

    Raises RefusedError if the tree has no top Makefile.
    """
    walk = _Walk(config, makefiles, frozenset(sources))
    walk.run()
    return frozenset(map(PurePosixPath, walk.found))


class _Walk:
    """The walk over the folders. `found` are the .c files so far."""

    def __init__(self, config: str, makefiles: Mapping[str, str], sources: frozenset[str]):
        self._options = _read_options(config)
        self._architecture = _find_architecture(config, self._options)
        self._makefiles = makefiles
        self._sources = sources
        self._base = Make(makefiles.get)
        self._entered: set[tuple[str, bool]] = set()
        self.found: set[str] = set()

    def run(self) -> None:
        top = self._evaluate_top()
        self._base = top.copy_exported((*_TOP_ONLY, "BITS", "UTS_MACHINE"))
        self._base.set(self._options)
        self._base.set(self._places())
        for name in _BEGIN:
            for word in top.words(name):
                if word.endswith("/"):
                    self._enter(word, is_builtin=name.endswith("-y"))
        if "Kbuild" in self._makefiles:
            self._enter("", is_builtin=True)
        self._take_source("", _LINKED)
        boot = f"arch/{self._architecture}/boot"
        for folder in (boot, f"{boot}/compressed"):
            self._enter(folder, is_builtin=True)

    def _evaluate_top(self) -> Make:
        top = Make(self._makefiles.get, sorted([*self._sources, *self._makefiles]))
        top.set(self._options)
        top.set(self._places())
        # The state of `make all` after the top Makefile has called itself.
        top.set(
            {"sub_make_done": "1", "MAKECMDGOALS": "all", "MAKEFLAGS": "rR --no-print-directory"}
        )
        if not top.include("Makefile"):
            raise RefusedError("the tree has no top Makefile: it is not a kernel")
        return top

    def _places(self) -> dict[str, str]:
        return {
            "srctree": ".",
            "objtree": ".",
            "abs_srctree": ".",
            "SRCARCH": self._architecture,
            "ARCH": self._architecture,
            "SUBARCH": self._architecture,
        }

    # --- folders ---

    def _enter(self, folder: str, *, is_builtin: bool) -> None:
        """Add the files that a folder's makefile names; obj-y only if the folder is built in."""
        folder = posixpath.normpath(folder) if folder else ""
        if (folder, is_builtin) in self._entered:
            return
        self._entered.add((folder, is_builtin))
        make = self._evaluate(folder)
        if make is None:
            return
        builtin = make.words("obj-y") if is_builtin else []
        modules = make.words("obj-m") if "CONFIG_MODULES" in self._options else []
        plain = [
            word for name in ("lib-y", "lib-m", "extra-y", "always-y") for word in make.words(name)
        ]
        plain += [w for name in make.names() if _PACKED.match(name) for w in make.words(name)]
        for word in (*builtin, *modules, *plain):
            self._take(folder, word, make, word in modules)
        for word in make.words("obj-y"):
            if word.endswith("/"):
                self._enter(f"{folder}/{word}".lstrip("/"), is_builtin=is_builtin)
        for word in (*modules, *make.words("subdir-y"), *make.words("subdir-m")):
            if word.endswith("/") or word not in modules:
                self._enter(f"{folder}/{word}".lstrip("/"), is_builtin=False)

    def _evaluate(self, folder: str) -> Make | None:
        for name in ("Kbuild", "Makefile"):
            path = posixpath.join(folder, name)
            if path in self._makefiles:
                make = self._base.copy()
                make.set({"src": folder or ".", "obj": folder or ".", "obj-y": "", "obj-m": ""})
                make.include(path)
                return make
        return None

    def _take(self, folder: str, word: str, make: Make, is_module: bool) -> None:
        """Add the .c file of an object, or those of its parts."""
        if not word.endswith(".o"):
            return
        stem = word.removesuffix(".o")
        suffixes = ("-objs", "-y", "-m") if is_module else ("-objs", "-y")
        parts = [part for suffix in suffixes for part in make.words(stem + suffix)]
        for part in parts or [word]:
            self._take_source(folder, part)

    def _take_source(self, folder: str, name: str) -> None:
        if name.endswith(".o"):
            inside = name.removeprefix(f"{folder}/") if folder else name
            path = posixpath.normpath(posixpath.join(folder, inside.removesuffix(".o") + ".c"))
            if path in self._sources:
                self.found.add(path)


def _read_options(config: str) -> dict[str, str]:
    return dict(_options(config))


def _options(config: str) -> Iterator[tuple[str, str]]:
    for found in _OPTION.finditer(config):
        value = found["value"].strip()
        if value != "n":
            yield found["name"], value.strip('"')


def _find_architecture(config: str, options: Mapping[str, str]) -> str:
    """Return the name of the folder below arch/."""
    found = _ARCHITECTURE.search(config)
    name = found["name"] if found else ""
    known = {"i386": "x86", "x86_64": "x86", "sparc32": "sparc", "sparc64": "sparc"}
    if name:
        return known.get(name, name)
    for candidate in ("x86", "arm64", "arm", "s390", "powerpc", "ppc", "riscv", "mips", "um"):
        if f"CONFIG_{candidate.upper()}" in options:
            return "powerpc" if candidate == "ppc" else candidate
    return "x86"
