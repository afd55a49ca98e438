# SPDX-License-Identifier: GPL-2.0-or-later
"""The trees that many tests start with, made once per test run and copied: the toy tree and series.

The workers of pytest-xdist share one folder. The first worker that needs a tree makes it, and the
others wait.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.support import TOP
from tests.support.kernels import clone_bare, commit_all

TOY_TREE = TOP / "tests" / "tree"
_TAKE_OUT = TOP / "tests" / "semantic-patches" / "without-op"
# The branch of a kernel without the op.
WITHOUT_OP = "pre-pvops"


class Prepared:
    """Trees in a folder; `environment` is that of the programs that make them."""

    def __init__(self, folder: Path, environment: Mapping[str, str]):
        self._folder = folder
        self._environment = environment

    def make_once(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return a read-only folder, which the first caller in a test run makes."""
        folder = self._folder / name
        self._folder.mkdir(exist_ok=True)
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "made").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                (folder / "made").touch()
        return folder

    def copy_toy(self, target: Path) -> None:
        """Copy the toy tree, a repository with one commit on master."""
        _copy(self.make_once("toy", self._make_toy) / "toy", target)

    def copy_series(self, target: Path, args: tuple[str, ...]) -> dict[str, Any]:
        """Copy the toy tree with the series of `apply --variant pvops --json` and the arguments.

        Return the document that it printed, with the paths of a series made in `target`. "{mails}"
        in an argument is the folder `mails` next to `target`.
        """
        digest = hashlib.sha256("\0".join(args).encode()).hexdigest()[:12]
        source = self.make_once(f"series-{digest}", lambda folder: self._make_series(folder, args))
        _copy(source / "toy", target)
        if (source / "mails").exists():
            shutil.copytree(source / "mails", target.parent / "mails")
        text = (source / "document.json").read_text()
        return json.loads(
            text.replace(str(source / "toy"), str(target)).replace(str(source), str(target.parent))
        )

    def take_op_out(self, kernel: Path) -> Path:
        """Return a read-only bare clone of a kernel, with the op removed on WITHOUT_OP."""

        def make(folder: Path) -> None:
            args = ("--branch", WITHOUT_OP, "-o", folder / "mails")
            repository = clone_bare(kernel, folder / "linux.git")
            self._apply(folder, "--variant", _TAKE_OUT, "--tree", repository, *args)

        return self.make_once(f"{kernel.name}-without-op", make) / "linux.git"

    def _make_toy(self, folder: Path) -> None:
        subprocess.run(["cp", "-r", TOY_TREE, folder / "toy"], check=True)
        commit_all(folder / "toy", "toy")

    def _make_series(self, folder: Path, args: tuple[str, ...]) -> None:
        self.copy_toy(folder / "toy")
        full_args = [arg.replace("{mails}", str(folder / "mails")) for arg in args]
        tree = folder / "toy"
        document = self._apply(folder, "--variant", "pvops", "--json", "--tree", tree, *full_args)
        (folder / "document.json").write_text(document)

    def _apply(self, folder: Path, *args: str | Path) -> str:
        """Run `patchgen apply` with a home in the folder, and return its output."""
        (folder / "home").mkdir()
        result = subprocess.run(
            [sys.executable, "-m", "patchgen", "apply", *args],
            capture_output=True,
            check=False,
            text=True,
            env={**self._environment, "HOME": str(folder / "home"), "PYTHONPATH": str(TOP)},
        )
        assert result.returncode == 0, result.stderr
        return result.stdout


def _copy(source: Path, target: Path) -> None:
    """Copy a repository, and refresh its index, which has the times of the original files."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", source, target], check=True)
    subprocess.run(["git", "-C", target, "update-index", "-q", "--refresh"], check=True)
