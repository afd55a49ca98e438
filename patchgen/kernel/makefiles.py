# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the object that a configuration builds from a file, by evaluating kbuild's makefiles.

Documentation/kbuild/makefiles.rst: obj-y, obj-m and lib-y name objects and folders; an object with
FOO-y or FOO-objs is composed of those. make itself evaluates the makefiles, with their conditionals
and variables.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from patchgen.process import run

# Prints all objects that the makefile builds, and the parts of composite objects.
_PROBE = """\
srctree := {source}
src := {folder}
obj := {folder}
objtree := {output}
SRCARCH := x86
include {output}/include/config/auto.conf
BITS := $(if $(CONFIG_64BIT),64,32)
-include {source}/scripts/Kbuild.include
obj-y :=
obj-m :=
include {makefile}
all-objects := $(obj-y) $(obj-m) $(lib-y) $(lib-m) $(extra-y) $(always-y) $(core-y)
parts = $(foreach s,y m objs,$($(basename $(1))-$(s)))
.PHONY: patchgen-print
patchgen-print: ; @:$(info $(all-objects) $(foreach o,$(all-objects),$(call parts,$(o))))
.DEFAULT_GOAL := patchgen-print
"""


class Makefiles:
    """The makefiles of a source tree with the .config in `output`."""

    def __init__(self, source: Path, output: Path):
        self._source = source
        self._output = output
        self._wanted: dict[PurePosixPath, frozenset[str] | None] = {}

    def find_object(self, file: PurePosixPath) -> PurePosixPath | None:
        """Return the object that is built from a .c or .S file, None if there is none."""
        if file.suffix not in (".c", ".S"):
            return None
        wanted = self._read(file.parent)
        if wanted is None or f"{file.stem}.o" not in wanted:
            return None
        return file.with_suffix(".o") if self._is_entered(file.parent) else None

    def _is_entered(self, folder: PurePosixPath) -> bool:
        """Return whether no parent folder names this folder without building it."""
        while len(folder.parts) > 1:
            parent = folder.parent
            wanted = self._read(parent)
            name = f"{folder.name}/"
            makefile = self._makefile(parent)
            if (
                wanted is not None
                and name not in wanted
                and makefile is not None
                and name in makefile.read_text(errors="replace")
            ):
                return False
            folder = parent
        return True

    def _makefile(self, folder: PurePosixPath) -> Path | None:
        for name in ("Kbuild", "Makefile"):
            path = self._source / folder / name
            if path.is_file():
                return path
        return None

    def _read(self, folder: PurePosixPath) -> frozenset[str] | None:
        if folder not in self._wanted:
            self._wanted[folder] = self._evaluate(folder)
        return self._wanted[folder]

    def _evaluate(self, folder: PurePosixPath) -> frozenset[str] | None:
        makefile = self._makefile(folder)
        if makefile is None:
            return None
        text = _PROBE.format(
            source=self._source, folder=folder, output=self._output, makefile=makefile
        )
        done = run(
            ["make", "-s", "-r", "-R", "--no-print-directory", "-f", "-", "patchgen-print"],
            stdin=text.encode(),
            cwd=self._output,
            ok=None,
        )
        if done.returncode != 0:
            return None
        return frozenset(done.stdout.decode("utf-8", "replace").split())
