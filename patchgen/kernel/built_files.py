# SPDX-License-Identifier: GPL-2.0-or-later
"""Find what a .config builds, by kbuild's rules: without running make, and without a work tree.

Documentation/kbuild/makefiles.rst and scripts/Makefile.lib: obj-y, obj-m and lib-y name objects
and folders; an object with FOO-y or FOO-objs is composed of those. The top Makefile (from 6.1 on
also Kbuild) and the architecture's name the first folders. Variables of other names hold the
objects of a boot image or a vDSO; this module knows those of x86.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from patchgen.errors import RefusedError
from patchgen.kernel.dotconfig import DotConfig, load_dotconfig
from patchgen.kernel.make_language import Make, Read
from patchgen.kernel.make_syntax import join_lines, strip_comment
from patchgen.kernel.x86 import PACKED_LISTS
from patchgen.model.base import TreeReader

_MAKEFILES = ("**/Makefile*", "**/Kbuild*", "Makefile", "Kbuild")
# A folder's makefile is the first of these (scripts/Makefile.build).
MAKEFILE_NAMES = ("Kbuild", "Makefile")
_CLEANED = re.compile(r"\s*subdir-\s*[:+]?=")
_FOLDER = re.compile(r"(?<![^\s=])([\w./-]+)/(?=\s|$)")
_SOURCES = ("**/*.c", "*.c")
_TOP_LISTS = ("core-y", "core-m", "drivers-y", "drivers-m", "libs-y", "libs-m", "net-y", "virt-y")
_PLAIN = ("lib-y", "lib-m", "extra-y", "always-y")
# Linked last, by scripts/Makefile.vmlinux, and not in any list.
_VERSION_OBJECT = "init/version-timestamp.o"
_TOP_ONLY = ("ARCH_CORE", "ARCH_LIB", "ARCH_DRIVERS")

# objcopy copies map_kernel.o to map_kernel.pi.o (arch/x86/boot/startup/Makefile, v6.16) or .stub.o
# (drivers/firmware/efi/libstub/Makefile); only the copy is in a list.
_COPIED = re.compile(r"\.(?:pi|stub)\.o$")


@dataclass(frozen=True, slots=True)
class BuiltObjects:
    """The objects of the kernel and its modules, and those of the programs packed into the image.

    make builds each of `objects` if it is named as a target; for `packed`, its makefiles have
    rules only in their own folder. `folders` are those that were entered.
    """

    objects: frozenset[str]
    packed: frozenset[str]
    folders: frozenset[str]

    def includes(self, path: PurePosixPath) -> bool:
        """Return whether a .c or .S file is compiled."""
        name = str(path.with_suffix(".o"))
        return name in self.objects or name in self.packed


def read_built(tree: TreeReader, config: Path) -> frozenset[PurePosixPath]:
    """Return the .c files of a tree that a .config builds.

    Raises UsageError if the .config cannot be read, RefusedError if the tree has no Makefile.
    """
    options = load_dotconfig(config)
    makefiles = {
        str(file.path): tree.read(file).decode("utf-8", "replace") for file in tree.find(_MAKEFILES)
    }
    sources = [file.path for file in tree.find(_SOURCES)]
    built = find_built(options, makefiles.get, [*map(str, sources), *makefiles])
    return frozenset(filter(built.includes, sources))


def find_built(
    config: DotConfig,
    read: Read,
    paths: Iterable[str] = (),
    files: Iterable[PurePosixPath] | None = None,
) -> BuiltObjects:
    """Return the objects that a .config builds.

    `read` returns the content of a makefile; `$(wildcard ...)` searches `paths`. If `files` is
    given, only their folders are entered, and the folders above them, which takes a fraction of the
    time. Raises RefusedError if the tree has no top Makefile.
    """
    within = None
    if files is not None:
        within = {str(folder) for file in files for folder in list(file.parents)[:-1]}
    walk = _Walk(config, read, sorted(paths), within)
    walk.run()
    folders = frozenset(folder for folder, _ in walk.entered)
    return BuiltObjects(frozenset(walk.objects), frozenset(walk.packed), folders)


def list_named_folders(folder: str, makefile: str) -> Iterator[str]:
    """Yield the paths of the folders that a makefile names, in its folder or from the root.

    No variable is expanded. Folders that are named only for `make clean` (`subdir-`) are left out.
    """
    for line in join_lines(makefile):
        if not _CLEANED.match(line):
            for name in _FOLDER.findall(strip_comment(line)):
                yield posixpath.normpath(posixpath.join(folder, name))
                yield posixpath.normpath(name)


class _Walk:
    """The walk over the folders. It adds what it finds to `objects` and `packed`.

    `entered` are the folders that it has read, and whether each is built in.
    """

    def __init__(
        self, config: DotConfig, read: Read, paths: Sequence[str], within: Collection[str] | None
    ):
        self._config = config
        self._read = read
        self._paths = paths
        self._within = within
        self._base = Make(read)
        self.entered: set[tuple[str, bool]] = set()
        self.objects: set[str] = set()
        self.packed: set[str] = set()

    def run(self) -> None:
        top = self._evaluate_top()
        self._base = top.copy_exported((*_TOP_ONLY, "BITS", "UTS_MACHINE"))
        self._set_base(self._base)
        named_folders = [
            (word, name) for name in _TOP_LISTS for word in top.words(name) if word.endswith("/")
        ]
        for folder, name in named_folders:
            self._enter(folder, is_builtin=name.endswith("-y"))
        if self._read("Kbuild") is not None:
            self._enter("", is_builtin=True)
        elif not named_folders:
            # A kernel's top Makefile names folders; this one names none.
            for folder in self._list_unnamed():
                self._enter(folder, is_builtin=True)
        self.packed.add(_VERSION_OBJECT)
        boot = f"arch/{self._config.architecture}/boot"
        for folder in (boot, f"{boot}/compressed"):
            self._enter(folder, is_builtin=True)

    def _evaluate_top(self) -> Make:
        top = Make(self._read, self._paths)
        self._set_base(top)
        # The state of `make all` after the top Makefile has called itself.
        top.set(
            {"sub_make_done": "1", "MAKECMDGOALS": "all", "MAKEFLAGS": "rR --no-print-directory"}
        )
        if not top.include("Makefile"):
            raise RefusedError(
                "the tree has no top Makefile: it is not a kernel", code="not-a-kernel"
            )
        return top

    def _set_base(self, make: Make) -> None:
        """Set the options, as include/config/auto.conf does, the folders and the architecture."""
        options = {n: text.strip().strip('"') for n, text in self._config.options.items()}
        make.set({name: value for name, value in options.items() if value != "n"})
        make.set(dict.fromkeys(("srctree", "objtree", "abs_srctree"), "."))
        make.set(dict.fromkeys(("SRCARCH", "ARCH", "SUBARCH"), self._config.architecture))

    # --- folders ---

    def _enter(self, folder: str, *, is_builtin: bool) -> None:
        """Add the objects that a folder's makefile names; obj-y only if the folder is built in."""
        folder = posixpath.normpath(folder) if folder else ""
        if (folder, is_builtin) in self.entered or not self._may_enter(folder):
            return
        self.entered.add((folder, is_builtin))
        make = self._evaluate(folder)
        if make is None:
            return
        builtin = make.words("obj-y") if is_builtin else []
        modules = make.words("obj-m") if make.get("CONFIG_MODULES") else []
        plain = [word for name in _PLAIN for word in make.words(name)]
        packed = [w for name in make.names() if PACKED_LISTS.match(name) for w in make.words(name)]
        for word in (*builtin, *modules, *plain):
            self.objects.update(_compose(folder, word, make, is_module=word in modules))
        for word in packed:
            self.packed.update(_compose(folder, word, make, is_module=False))
        for word in make.words("obj-y"):
            if word.endswith("/"):
                self._enter(f"{folder}/{word}".lstrip("/"), is_builtin=is_builtin)
        for word in (*modules, *make.words("subdir-y"), *make.words("subdir-m")):
            if word.endswith("/") or word not in modules:
                self._enter(f"{folder}/{word}".lstrip("/"), is_builtin=False)

    def _may_enter(self, folder: str) -> bool:
        return self._within is None or not folder or folder in self._within

    def _list_unnamed(self) -> list[str]:
        """Return the folders with a makefile that no other makefile names."""
        texts = {folder: self._read_folder(folder) for folder in self._within or ()}
        named_folders = {
            name
            for folder, makefile in texts.items()
            for name in list_named_folders(folder, makefile[1] if makefile else "")
        }
        return sorted(
            folder for folder, makefile in texts.items() if makefile and folder not in named_folders
        )

    def _read_folder(self, folder: str) -> tuple[str, str] | None:
        """Return path and text of the makefile of a folder, None if it has none."""
        paths = (posixpath.join(folder, name) for name in MAKEFILE_NAMES)
        texts = ((path, self._read(path)) for path in paths)
        return next(((path, text) for path, text in texts if text is not None), None)

    def _evaluate(self, folder: str) -> Make | None:
        if (makefile := self._read_folder(folder)) is None:
            return None
        make = self._base.copy()
        make.set({"src": folder or ".", "obj": folder or ".", "obj-y": "", "obj-m": ""})
        make.include(makefile[0])
        return make


def _compose(folder: str, word: str, make: Make, *, is_module: bool) -> Iterator[str]:
    """Yield the objects that a word of a list stands for: itself, or its parts."""
    suffixes = ("-objs", "-y", "-m") if is_module else ("-objs", "-y")
    stem = word.removesuffix(".o")
    parts = [part for suffix in suffixes for part in make.words(stem + suffix)]
    for name in (parts or [word]) if word.endswith(".o") else ():
        if name.endswith(".o"):
            inside = name.removeprefix(f"{folder}/") if folder else name
            yield posixpath.normpath(posixpath.join(folder, _COPIED.sub(".o", inside)))
