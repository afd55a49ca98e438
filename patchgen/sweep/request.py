# SPDX-License-Identifier: GPL-2.0-or-later
"""The parameters of a sweep, and its progress."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.cachefile import make_key
from patchgen.coccinelle import RunnableSmpl
from patchgen.model.base import Base
from patchgen.model.sweep import Mode
from patchgen.resources import digest_code
from patchgen.sweep.grouping import Grouping
from patchgen.sweep.includes import Includes

# As in the kernel's .cocciconfig.
DEFAULT_TIMEOUT_S = 200
# spatch 1.1.1 takes 220 bytes of memory per byte of a file: 22 GB for 100 MB. The largest file of
# Linux 6.12, a header of register masks, has 23 MiB.
MOST_FILE_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a sweep: the number of files that are done, and of all candidates.

    `total` is None while candidates are still being searched for.
    """

    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What to run, and over which files.

    `suffixes` are those of the files to run. `only` restricts the files to these paths, unless it
    is None. With `cache` off, cached results are ignored; with `slices` off, spatch gets whole
    files.
    """

    program: RunnableSmpl
    mode: Mode
    base: Base
    paths: tuple[PurePosixPath, ...] = ()
    suffixes: tuple[str, ...] = (".c",)
    includes: Includes = Includes.NONE
    include_folders: tuple[str, ...] = ()
    only: Collection[PurePosixPath] | None = None
    cache: bool = True
    slices: bool = True
    grouping: Grouping = Grouping.ANY
    timeout_s: int = DEFAULT_TIMEOUT_S
    jobs: int = 1
    notes: tuple[str, ...] = ()


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
        sorted(program.companions.items()),
        program.patch.macros,
        sorted(program.patch.texts.items()),
        request.includes,
        request.include_folders,
        # A slice's result is that of the whole file. A user who doubts that gets no cached one.
        request.slices,
    )
    return f"run {facts.hex()}"
