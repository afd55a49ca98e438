# SPDX-License-Identifier: GPL-2.0-or-later
"""What to run, and over which files: the user's request, and one semantic patch of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchgen.cachefile import make_key
from patchgen.coccinelle import Header, RunnableSmpl
from patchgen.model.base import Base, Oid
from patchgen.model.smpl import Mode
from patchgen.resources import digest_code
from patchgen.sweep.grouping import Grouping
from patchgen.sweep.includes import Includes
from patchgen.sweep.option_files import OptionFiles

# As in the kernel's .cocciconfig.
DEFAULT_TIMEOUT_S = 200
# spatch 1.1.1 takes 220 bytes of memory per byte of a file: 22 GB for 100 MB. The largest file of
# Linux 6.12, a header of register masks, has 23 MiB.
MAX_FILE_BYTES = 32 << 20
# The beginning of a note, which a reason follows.
WHOLE_FILES = "spatch gets whole files, which takes longer"

# The folders below which are the headers that any file may include.
MACRO_FOLDERS = (PurePosixPath("arch"), PurePosixPath("include"))


@dataclass(frozen=True, slots=True)
class RunRequest:
    """The parameters of `patchgen run`.

    `target` is a .cocci or a folder of them, on disk or in the tree, or the name of a recipe or
    variant.
    `paths` are relative to the top of the tree; none means the whole tree. `since` restricts the
    files to those changed since that revision, `only_built` to headers and the files that a .config
    builds. `trusted` lets all semantic patches run code, `trusted_folders` those in these folders.
    With `cache` off, cached results are ignored; with `slices` off, spatch gets whole files; with
    `style` off, changed lines stay as spatch prints them; with `with_headers` off, folders are read
    without their headers in patch mode. `jobs` is the number of parallel spatch processes, 0 for
    one per core. `files` are what options for spatch name on the command line. `macros` is the text
    of a file of macros to use instead of those of the base, "" for none.
    """

    target: str
    tree: Path = Path()
    base: str = "HEAD"
    paths: tuple[PurePosixPath, ...] = ()
    mode: Mode | None = None
    definitions: tuple[str, ...] = ()
    since: str | None = None
    only_built: Path | None = None
    trusted: bool = False
    trusted_folders: tuple[Path, ...] = ()
    cache: bool = True
    slices: bool = True
    style: bool = True
    with_headers: bool = True
    timeout_s: int = DEFAULT_TIMEOUT_S
    jobs: int = 0
    files: OptionFiles = field(default_factory=OptionFiles)
    macros: str | None = None


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """One semantic patch of a run: how it is run, and over which files of the base.

    `header` is that of the .cocci, None for a rule of a variant. `only_paths` restricts the files
    to these paths, unless it is None; `suffixes` are the files' suffixes. Headers are searched in
    the `folders`, too; with `changes_headers`, those that a file includes are changed by way of it.
    With `slices` off, spatch gets whole files. `unmet` are messages about needs that the base does
    not meet. `sources` are the texts of the files that it and its options name, by these names.
    `since` is the commit that the run's `since` names. Words that are left are counted in the files
    `on`, those of a variant's manifest; None is for all files.
    """

    run: RunRequest
    base: Base
    program: RunnableSmpl
    only_paths: Collection[PurePosixPath] | None = None
    header: Header | None = None
    mode: Mode = Mode.PATCH
    suffixes: tuple[str, ...] = (".c",)
    includes: Includes = Includes.NONE
    changes_headers: bool = False
    slices: bool = True
    grouping: Grouping = Grouping.ANY
    notes: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    since: Oid | None = None
    on: Collection[PurePosixPath] | None = None

    @property
    def name(self) -> str:
        """The name of the semantic patch, as the user gave it."""
        return self.program.patch.name

    @property
    def uses_macros(self) -> bool:
        """Whether files are run again with macros. With a finalize rule there is a single run."""
        is_rule = self.header is not None and self.grouping is not Grouping.TOGETHER
        return is_rule and self.run.macros != ""

    @property
    def is_cached(self) -> bool:
        """Whether results may be cached: those of a finalize rule belong to no single file."""
        return self.run.cache and self.grouping is not Grouping.TOGETHER


def name_run(request: SweepRequest, spatch_version: str) -> str:
    """Return the cache's namespace: all that a result depends on except file and headers."""
    program = request.program
    facts = make_key(
        digest_code(),
        spatch_version,
        program.patch.text,
        sorted(program.patch.definitions.items()),
        program.options,
        program.modes,
        program.restyles,
        request.changes_headers,
        sorted(program.companions.items()),
        program.isomorphisms,
        sorted(program.headers.items()),
        program.patch.macros,
        sorted(program.patch.texts.items()),
        request.includes,
        request.folders,
        # A slice's result is that of the whole file. A user who doubts that gets no cached one.
        request.slices,
        request.run.macros if request.uses_macros else "",
    )
    return f"run {facts.hex()}"
