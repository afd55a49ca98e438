# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel sources as git repositories, prepared once and then only read.

A tree lives in $PATCHGEN_TREES (default ~/.cache/patchgen/trees), outside of the project. The
environment is read when this module is imported, before a test seals it off.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
TREES = Path(os.environ.get("PATCHGEN_TREES") or _CACHE / "patchgen" / "trees")
REQUIRED = frozenset(filter(None, os.environ.get("PATCHGEN_REQUIRE", "").split(",")))
_FIXED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{role}_NAME": "A U Thor" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "author@example.org" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_DATE": "1600000000 +0000" for role in ("AUTHOR", "COMMITTER")},
}


class KernelMissingError(Exception):
    """The package is not installed; the message says how to get it."""


def kernel_tree(version: str) -> Path:
    """Return a repository with the source of linux-source-VERSION as its only commit."""
    name = f"linux-source-{version}"
    target = TREES / name
    TREES.mkdir(parents=True, exist_ok=True)
    # xdist's workers start together; the first one extracts, the others wait for it.
    with (TREES / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / ".git").is_dir():
            _extract(Path(f"/usr/src/{name}.tar.xz"), name, target)
    return target


def _extract(tarball: Path, name: str, target: Path) -> None:
    if not tarball.is_file():
        raise KernelMissingError(f"{tarball} is not there: apt-get install {name}")
    # Under the lock, what is there was left by a run that was killed.
    for leftover in TREES.glob(f".{name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=TREES))
    try:
        subprocess.run(["tar", "-xJf", tarball, "-C", scratch, "--strip-components=1"], check=True)
        commit_all(scratch, name)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def commit_all(folder: Path, message: str) -> None:
    """Make a repository of a folder, with everything in one commit on `master`.

    The commit's id depends on the contents only: no configuration, name or clock of the user's.
    """
    git = ["git", "-C", str(folder), "-c", "core.fsync=none", "-c", "gc.auto=0"]
    # Debian's .gitignore ignores everything.
    words = (["init", "-q", "-b", "master"], ["add", "-A", "-f"], ["commit", "-q", "-m", message])
    for each in words:
        subprocess.run([*git, *each], check=True, env={**os.environ, **_FIXED})


def clone_bare(source: Path, target: Path) -> Path:
    """Clone without copying objects; the clone is the test's own to write to."""
    subprocess.run(["git", "clone", "-q", "--shared", "--bare", source, target], check=True)
    return target
