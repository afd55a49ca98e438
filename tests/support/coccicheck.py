# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's coccicheck, one semantic patch at a time, as a reference for `patchgen run`.

`make coccicheck` needs a configured tree, runs all semantic patches of a mode, and stops at the
first failure. This module runs the command that scripts/coccicheck starts for each semantic patch,
with its options, in a checkout of some folders and of the headers.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from patchgen.coccinelle import find_spatch
from tests.support.kernels import commit_all

INCLUDES = ("arch/x86/include", "include", "arch/x86/include/uapi", "include/uapi")
SCRIPTS = "scripts/coccinelle"


@dataclass(frozen=True)
class Script:
    """A semantic patch of the kernel: its path in the tree, and the lines that coccicheck greps."""

    path: str
    modes: frozenset[str]
    options: tuple[str, ...]


def check_out(kernel: Path, folders: Sequence[str], target: Path) -> Path:
    """Make a repository of some folders of a kernel, with the headers and the semantic patches."""
    target.mkdir(parents=True)
    argv = ["git", "-C", kernel, "archive", "HEAD", *folders, *INCLUDES[:2], SCRIPTS]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "xf", "-", "-C", target], stdin=archive.stdout, check=True)
    commit_all(target, "linux")
    return target


def list_scripts(tree: Path) -> list[Script]:
    """Return all semantic patches of a tree."""
    scripts = []
    for path in sorted((tree / SCRIPTS).rglob("*.cocci")):
        text = path.read_text(encoding="utf-8")
        head = re.findall(r"^virtual\s+([^;@\n]*)", text, re.MULTILINE)
        modes = {word for names in head for word in re.findall(r"\w+", names)}
        options = [line.split(":")[1].split() for line in text.splitlines() if "Options:" in line]
        declared = frozenset(modes & {"patch", "report", "context", "org"})
        name = str(path.relative_to(tree))
        scripts.append(Script(name, declared, tuple(word for option in options for word in option)))
    return scripts


def coccicheck(tree: Path, script: Script, mode: str, folders: Sequence[str], jobs: int = 2) -> str:
    """Return the output of spatch when scripts/coccicheck starts it."""
    printed = ""
    for folder in folders:
        argv = [find_spatch().path, "-D", mode]
        argv += ["--no-show-diff"] if mode in ("report", "org") else []
        argv += ["--very-quiet", "--cocci-file", script.path, *script.options, "--dir", folder]
        argv += [word for include in INCLUDES for word in ("-I", include)]
        argv += ["--jobs", str(jobs), "--chunksize", "1", "--timeout", "200", "--use-gitgrep"]
        result = subprocess.run(argv, cwd=tree, capture_output=True, check=True)
        printed += result.stdout.decode("latin-1")
    return printed


def changed_lines(diff: str) -> list[str]:
    """Return the lines that a diff adds and removes, sorted, because their order varies."""
    code = [line for line in diff.split("\n") if not re.match(r"(---|\+\+\+) ", line)]
    return sorted(line for line in code if line[:1] in ("+", "-"))
