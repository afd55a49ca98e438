# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of a repository or a mail that several tests make."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path


def snapshot(repository: Path, *, without: str) -> str:
    """Return all refs but one branch, and the status where there is a work tree."""
    git = ["git", "-C", str(repository)]
    refs = subprocess.run([*git, "for-each-ref"], capture_output=True, text=True, check=True)
    others = [line for line in refs.stdout.splitlines() if not line.endswith(f"heads/{without}")]
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    status = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=all"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "\n".join([*others, head.stdout, status.stdout])


def apply_mails(clone: Path, base: str, mails: Sequence[Path]) -> str:
    """`git am` the mails on a base in a work tree; return the id of the resulting tree."""
    git = ["git", "-C", str(clone)]
    subprocess.run([*git, "checkout", "-q", "-f", "-B", "am", base], check=True)
    subprocess.run([*git, "am", "-q", *map(str, mails)], check=True, capture_output=True)
    argv = [*git, "rev-parse", "HEAD^{tree}"]
    tree = subprocess.run(argv, capture_output=True, text=True, check=True)
    return tree.stdout.strip()


def checkpatch(kernel: Path, mail: Path, scratch: Path) -> tuple[int, int, int]:
    """Return the numbers of errors, warnings and checks of checkpatch.pl --strict for a mail."""
    script = kernel / "scripts/checkpatch.pl"
    result = subprocess.run(
        ["perl", script, "--strict", "--no-tree", f"--root={kernel}", mail],
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
    )
    match = re.search(r"total: (\d+) errors, (\d+) warnings, (\d+) checks", result.stdout)
    assert match, result.stdout + result.stderr
    if match.groups() != ("0", "0", "0"):
        print(result.stdout)
    return int(match[1]), int(match[2]), int(match[3])
