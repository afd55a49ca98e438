# SPDX-License-Identifier: GPL-2.0-or-later
"""References to code and data that are freed after boot, as the tree's own modpost reports them.

A kernel's last link runs scripts/mod/modpost over vmlinux.o, which holds the rules: which sections
may refer to .init.text, .init.data and .exit.*, and which symbols are exempt by their names
(scripts/mod/modpost.c, `sectioncheck` and `secref_whitelist()`; both change between releases).
modpost treats a file of the name vmlinux.o as the kernel. Here it holds the objects at hand.
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
# .init.text)"; later "x+0x8". The offsets change with everything before them.
_REPORT = re.compile(
    r"^(?:WARNING|ERROR): modpost: vmlinux(?:\.o)?(?:\(\S+\))?: "
    r"(?P<text>[Ss]ection mismatch in reference.*|EXPORT_SYMBOL used for init/exit symbol.*)$"
)
_OFFSET = re.compile(r"\+0x[0-9a-f]+")


def find_mismatches(builder: Builder, objects: Sequence[str], log: Path) -> tuple[str, ...]:
    """Return modpost's reports for objects, linked with each other, without offsets, sorted.

    An address of an object that is not among them is not known to be in such a section. What does
    not link into the kernel, as code of 16 bits, is left out. The output goes into `log`.

    Raises ToolError where modpost cannot be run or stops before its end.
    """
    with scratch_folder("modpost") as folder:
        done = _link(builder, objects, folder)
        if done.returncode != 0:
            objects = [name for name in objects if _link(builder, [name], folder).returncode == 0]
            done = _link(builder, objects, folder)
        if done.returncode != 0 or not objects:
            log.write_bytes(done.stdout)
            return ()
        # What it writes besides reports goes into its working directory.
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
    """Return the reports in modpost's output that are about sections, without offsets, sorted."""
    found = [match["text"] for match in map(_REPORT.match, output.splitlines()) if match]
    return tuple(sorted(_OFFSET.sub("", text) for text in found))


def _link(builder: Builder, objects: Sequence[str], folder: Path) -> Completed:
    """Link objects into one, vmlinux.o. Two modules may each define what only one of them needs."""
    emulation = "elf_i386" if builder.config.arch == "i386" else "elf_x86_64"
    argv = ["ld", "-r", "-m", emulation, "-z", "muldefs", "-o", str(folder / "vmlinux.o")]
    return run([*argv, *objects], cwd=builder.output, ok=None, merge_stderr=True)
