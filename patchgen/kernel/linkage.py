"""Would the kernel link? A linker's question, answered for the objects at hand.

Objects alone link to nothing, and a whole kernel for each commit and configuration takes hours. So
only what an object newly refers to is looked for, in the files that seem to define it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from patchgen.git_environment import scratch_environment
from patchgen.kernel.kbuild import Builder, BuildError
from patchgen.process import run

_LEFT_OUT = ("drivers", "fs", "net", "sound")


def find_undefined(
    builder: Builder, objects: Sequence[str], known: set[str], log: Path
) -> tuple[str, ...]:
    """Return the symbols that objects need and nothing in this configuration defines, sorted.

    `known` are symbols that were needed before, and so are defined somewhere. A name that occurs
    nowhere in the source is pasted together by macros, and passed over.
    """
    needed = builder.find_symbols(objects, "--undefined-only")
    needed -= builder.find_symbols(objects, "--defined-only") | known
    return tuple(sorted(name for name in needed if not _is_defined(builder, name, objects, log)))


def _is_defined(builder: Builder, name: str, objects: Sequence[str], log: Path) -> bool:
    word = rf"\b{re.escape(name)}\b"
    mentions = _grep(builder, word, "*.c", "*.S", "*.h")
    if not mentions or any(path.name.endswith((".lds.S", ".lds.h")) for path in mentions):
        return True
    exported = rf"EXPORT_[A-Z_]*SYMBOL[A-Z_]*\({re.escape(name)}\b"
    if builder.find_objects(_grep(builder, exported, "*.c", "*.S")):
        return True
    # A definition starts in the first column, as do prototypes; or is an assembler's label.
    definition = rf"^[A-Za-z_].*{word}|^{re.escape(name)}:"
    candidates = builder.find_objects(_grep(builder, definition, "*.c", "*.S"))
    for candidate in candidates:
        if candidate in objects:
            continue
        try:
            builder.build([candidate], log)
        except BuildError:
            continue
        if name in builder.find_symbols([candidate], "--defined-only"):
            return True
    # What the checkout left out cannot be built: a definition there gets the benefit of the doubt.
    return bool(_grep(builder, definition, "*.c", "*.S", revision="HEAD", folders=_LEFT_OUT))


def _grep(
    builder: Builder, pattern: str, *globs: str, revision: str = "", folders: Sequence[str] = ()
) -> list[PurePosixPath]:
    pathspecs = [f":(glob){folder}/**/{glob}" for folder in folders for glob in globs] or globs
    words = ["git", "grep", "-lP", pattern, *filter(None, [revision]), "--", *pathspecs]
    done = run(words, cwd=builder.source, env=scratch_environment(), ok=(0, 1))
    said = done.stdout.decode("utf-8", "surrogateescape")
    return [PurePosixPath(path) for path in said.splitlines()]
