# SPDX-License-Identifier: GPL-2.0-or-later
"""What all tests share: a sealed environment, the toy tree, and the program as users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.kernels import REQUIRED, KernelMissingError, commit_all, kernel_tree

TOY_TREE = Path(__file__).parent / "tree"
VARIANTS = Path(__file__).parent / "semantic-patches"


# A slow machine is not a failure. The rest stays as hypothesis has it; in CI its examples are the
# same in each run.
settings.register_profile("no-deadline", parent=settings.default, deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(autouse=True)
def sealed_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep the user's home, configuration and identity out of every test.

    $SPATCH stays: it chooses the spatch that is tested.
    """
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(("GIT_", "XDG_", "SOURCE_DATE", "COCCINELLE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_EDITOR", "false")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada Übergang")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.org")


@dataclass(frozen=True)
class Finished:
    """What a run of patchgen printed, and how it ended."""

    code: int
    out: str
    err: str


Patchgen = Callable[..., Finished]


@pytest.fixture
def patchgen() -> Patchgen:
    """Run patchgen in a process of its own, as its users do. A traceback always fails the test."""

    def run(*words: str | Path, cwd: Path | None = None) -> Finished:
        done = subprocess.run(
            [sys.executable, "-m", "patchgen", *map(str, words)],
            cwd=cwd,
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="surrogateescape",
            env={**os.environ, "PYTHONPATH": str(TOY_TREE.parent.parent)},
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """Return the toy tree as a repository of the test's own, on branch master."""
    tree = tmp_path / "toy"
    subprocess.run(["cp", "-r", TOY_TREE, tree], check=True)
    commit_all(tree, "toy")
    return tree


@pytest.fixture
def git() -> Callable[..., str]:
    """Run git in a folder and return what it prints."""

    def run(folder: Path, *words: str | Path, **options: str) -> str:
        done = subprocess.run(
            ["git", "-C", folder, *words], capture_output=True, check=False, text=True, **options
        )
        assert done.returncode == 0, f"git {words}: {done.stderr}"
        return done.stdout

    return run


def _kernel(version: str) -> Path:
    try:
        return kernel_tree(version)
    except KernelMissingError as err:
        if "kernel" in REQUIRED:
            pytest.fail(f"kernel tests are required, but {err}")
        pytest.skip(f"KERNEL TEST NOT RUN: {err}")


@pytest.fixture(scope="session")
def kernel_6_1() -> Iterator[Path]:
    """Debian's 6.1, to be read only."""
    yield _kernel("6.1")


@pytest.fixture(scope="session")
def kernel_6_12() -> Iterator[Path]:
    """Debian's 6.12, to be read only."""
    yield _kernel("6.12")
