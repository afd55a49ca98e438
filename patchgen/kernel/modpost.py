# SPDX-License-Identifier: GPL-2.0-or-later
"""Find references to code and data that are freed after boot, with the tree's own modpost.

A kernel's last link runs scripts/mod/modpost on vmlinux.o. modpost defines which sections may refer
to .init.text, .init.data and .exit.*, and which symbols are exempt by their names
(scripts/mod/modpost.c, `sectioncheck` and `secref_whitelist()`; both change between releases). It
treats a file named vmlinux.o as the kernel; here, that file contains only the given objects.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from patchgen.git_environment import program_environment
from patchgen.kernel.kbuild import Builder
from patchgen.process import Completed, run
from patchgen.scratch import scratch_folder

_PROGRAM = "scripts/mod/modpost"
# v5.15: "vmlinux(.data+0x8): Section mismatch in reference from the variable x to the function
# .init.text:f()"; v6.1: "vmlinux: section mismatch in reference: x (section: .data) -> f (section:
# .init.text)"; later "x+0x8". Offsets change with any code before them.
_REPORT = re.compile(
    r"^(?:WARNING|ERROR): modpost: vmlinux(?:\.o)?(?:\(\S+\))?: "
    r"(?P<text>[Ss]ection mismatch in reference.*|EXPORT_SYMBOL used for init/exit symbol.*)$"
)
_OFFSET = re.compile(r"\+0x[0-9a-f]+")


def find_mismatches(builder: Builder, objects: Sequence[str], log: Path) -> tuple[str, ...]:
    """Return modpost's reports for objects, linked with each other, without offsets, sorted.

    References to other objects are not reported, as their sections are unknown. Objects that do not
    link into the kernel, such as 16-bit code, are left out. The output goes to `log`.

    Raises ToolError if modpost cannot be run, or exits with neither 0 nor 1.
    """
    with scratch_folder("modpost") as folder:
        done = _link(builder, objects, folder)
        if done.returncode != 0:
            objects = [name for name in objects if _link(builder, [name], folder).returncode == 0]
            done = _link(builder, objects, folder)
        if done.returncode != 0 or not objects:
            log.write_bytes(done.stdout)
            return ()
        # modpost also writes files to its working directory.
        done = run(
            [str(builder.output / _PROGRAM), "vmlinux.o"],
            cwd=folder,
            env=program_environment(),
            ok=(0, 1),
            merge_stderr=True,
        )
    log.write_bytes(done.stdout)
    return read_mismatches(done.stdout.decode("utf-8", "replace"))


def read_mismatches(output: str) -> tuple[str, ...]:
    """Return the reports on sections in modpost's output, without offsets, sorted."""
    found = [match["text"] for match in map(_REPORT.match, output.splitlines()) if match]
    return tuple(sorted(_OFFSET.sub("", text) for text in found))


def _link(builder: Builder, objects: Sequence[str], folder: Path) -> Completed:
    """Link objects into vmlinux.o. Several modules may define the same symbol, hence muldefs."""
    emulation = "elf_i386" if builder.config.arch == "i386" else "elf_x86_64"
    argv = ["ld", "-r", "-m", emulation, "-z", "muldefs", "-o", str(folder / "vmlinux.o")]
    return run([*argv, *objects], cwd=builder.output, ok=None, merge_stderr=True)
