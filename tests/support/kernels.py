# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernel sources as git repositories, prepared once and then only read.

A tree is in $PATCHGEN_TREES (default ~/.cache/patchgen/trees), outside of the project. All of its
files are in the object store; only the files that checkpatch needs are checked out. The environment
is read when this module is imported, before a test seals it.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
TREES = Path(os.environ.get("PATCHGEN_TREES") or _CACHE / "patchgen" / "trees")
# patchgen's cache for these trees, which later test runs use, too. The code of patchgen is part of
# each key, so a run never uses results of other code.
CACHE = TREES / "cache"
_CHECKED_OUT = ("/*", "!/*/", "/scripts/")
DATE = "1600000000 +0000"
_FIXED = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{role}_NAME": "A U Thor" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "author@example.org" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_DATE": DATE for role in ("AUTHOR", "COMMITTER")},
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
        raise KernelMissingError(f"{tarball} does not exist: apt-get install {name}")
    # This process has the lock, so such a folder is the leftover of a killed run.
    for leftover in TREES.glob(f".{name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=TREES))
    git = ["git", "-C", scratch]
    try:
        subprocess.run([*git, "init", "-q", "-b", "master"], check=True)
        settings = ["-c", "fastimport.unpackLimit=0", "-c", "core.compression=1"]
        argv = [*git, *settings, "fast-import", "--quiet", "--depth=0"]
        with subprocess.Popen(argv, stdin=subprocess.PIPE) as importer:
            assert importer.stdin is not None
            with subprocess.Popen(["xz", "-dc", tarball], stdout=subprocess.PIPE) as unpacked:
                assert unpacked.stdout is not None
                _write_commit(unpacked.stdout, name, importer.stdin)
        assert (importer.returncode, unpacked.returncode) == (0, 0)
        _choose_files(scratch, "master", _CHECKED_OUT)
        scratch.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_commit(tar: IO[bytes], message: str, stream: IO[bytes]) -> None:
    """Write the files of a tar as the commit that commit_all makes of them, for fast-import."""
    person = f"{_FIXED['GIT_AUTHOR_NAME']} <{_FIXED['GIT_AUTHOR_EMAIL']}>"
    people = "".join(f"{role} {person} {DATE}\n" for role in ("author", "committer"))
    stream.write(f"commit refs/heads/master\n{people}".encode())
    _write_data(io.BytesIO(f"{message}\n".encode()), len(message) + 1, stream)
    with tarfile.open(fileobj=tar, mode="r|") as files:
        for member in files:
            path = member.name.partition("/")[2]
            if member.isfile():
                file = files.extractfile(member)
                assert file is not None
                mode, content, size = 0o100644 | member.mode & 0o111, file, member.size
            elif member.issym():
                link = os.fsencode(member.linkname)
                mode, content, size = 0o120000, io.BytesIO(link), len(link)
            else:
                assert member.isdir(), f"{member.name} is neither a file nor a link"
                continue
            stream.write(f"M {mode:o} inline {path}\n".encode())
            _write_data(content, size, stream)


def _write_data(content: IO[bytes], size: int, stream: IO[bytes]) -> None:
    stream.write(b"data %d\n" % size)
    shutil.copyfileobj(content, stream)
    stream.write(b"\n")


def commit_all(folder: Path, message: str) -> None:
    """Make a repository of a folder, with everything in one commit on `master`.

    The commit's id depends on the contents only: no configuration, name or clock of the user's.
    """
    git = ["git", "-C", str(folder), "-c", "core.fsync=none", "-c", "gc.auto=0"]
    # Debian's .gitignore ignores everything.
    commands = (
        ["init", "-q", "-b", "master"], ["add", "-A", "-f"], ["commit", "-q", "-m", message]
    )  # fmt: skip
    for args in commands:
        subprocess.run([*git, *args], check=True, env={**os.environ, **_FIXED})


def check_out(repository: Path, branch: str, patterns: Sequence[str], target: Path) -> None:
    """Make a work tree with the files of some patterns (git help sparse-checkout).

    The branch "HEAD" is the commit that the repository has checked out.
    """
    name = [] if branch == "HEAD" else ["-b", branch]
    argv = ["git", "clone", "-q", "--shared", "--no-checkout", *name, repository, target]
    subprocess.run(argv, check=True)
    _choose_files(target, branch, patterns)


def _choose_files(tree: Path, branch: str, patterns: Sequence[str]) -> None:
    for args in (["sparse-checkout", "set", "--no-cone", *patterns], ["checkout", "-q", branch]):
        subprocess.run(["git", "-C", tree, *args], check=True)


def clone_bare(source: Path, target: Path) -> Path:
    """Clone without copying objects; the caller may write to the clone."""
    subprocess.run(["git", "clone", "-q", "--shared", "--bare", source, target], check=True)
    return target
