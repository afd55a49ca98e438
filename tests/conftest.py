# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of all tests: a sealed environment, the toy tree, and the program as users run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from patchgen.spec import KEYS, variable_of
from tests.support import TOP
from tests.support.examples import load_profile
from tests.support.fork_server import ForkServer
from tests.support.kernels import KernelMissingError, clone_bare, kernel_tree
from tests.support.prepared import Prepared
from tests.support.required import skip

# Under nohup, or in the background of a shell, SIGINT is ignored, and all child processes inherit
# that: a test that interrupts one would wait forever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

load_profile()


def seal_environment() -> dict[str, str | None]:
    """Return the variables that keep the user's configuration and identity out; None: not set."""
    prefixes = ("GIT_", "XDG_", "SOURCE_DATE", "COCCINELLE")
    sealed: dict[str, str | None] = {name: None for name in os.environ if name.startswith(prefixes)}
    settings = ("NO_COLOR", "CLICOLOR_FORCE", "PAGER", "LESS", "LV", *map(variable_of, KEYS))
    sealed |= dict.fromkeys(settings)
    sealed |= {"LC_ALL": "C", "TZ": "UTC", "GIT_EDITOR": "false"}
    sealed |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        sealed[f"GIT_{role}_NAME"] = "Ada Übergang"
        sealed[f"GIT_{role}_EMAIL"] = "ada@example.org"
    return sealed


SEALED = seal_environment()


@pytest.fixture(autouse=True)
def sealed_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep the user's home, configuration and identity out of every test.

    $SPATCH stays: it chooses the spatch that is tested.
    """
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    for name, value in SEALED.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Return the environment of programs that several tests share."""
    inherited = {name: value for name, value in os.environ.items() if name not in SEALED}
    return inherited | {name: value for name, value in SEALED.items() if value is not None}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]) -> Prepared:
    """Return the trees that all tests of this run share, in all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    return Prepared(shared / "prepared", environment)


@dataclass(frozen=True)
class Finished:
    """The exit code and the output of a run of patchgen."""

    code: int
    out: str
    err: str


Patchgen = Callable[..., Finished]


@pytest.fixture(scope="session")
def fork_server(environment: Mapping[str, str]) -> Iterator[ForkServer]:
    """Return a server that starts patchgen without importing it again."""
    server = ForkServer(environment)
    yield server
    server.close()


@pytest.fixture
def patchgen(fork_server: ForkServer) -> Patchgen:
    """Run patchgen in a process of its own. A traceback always fails the test.

    tests/cli/test_commands.py, test_endings.py and test_wheel.py start the program as users do.
    """

    def run(*args: str | Path, cwd: Path | None = None) -> Finished:
        texts = list(map(str, args))
        environment = {**os.environ, "PYTHONPATH": str(TOP)}
        if fork_server.can_serve(environment):
            result = fork_server.run(texts, cwd, environment)
        else:
            argv = [sys.executable, "-m", "patchgen", *texts]
            result = subprocess.run(
                argv, cwd=cwd, capture_output=True, check=False, env=environment
            )
        out, err = (
            text.decode(errors="surrogateescape") for text in (result.stdout, result.stderr)
        )
        assert "Traceback" not in err, err
        return Finished(result.returncode, out, err)

    return run


@pytest.fixture
def toy(tmp_path: Path, prepared: Prepared) -> Path:
    """Return a copy of the toy tree for this test, a repository on branch master."""
    tree = tmp_path / "toy"
    prepared.copy_toy(tree)
    return tree


MakeSeries = Callable[..., dict[str, Any]]


@pytest.fixture
def pvops_on(toy: Path, prepared: Prepared) -> MakeSeries:
    """Put v4 of pvops onto the toy tree, and return the document of `apply ARGS --json`.

    The series is made once per test run, and copied.
    """
    return lambda *args: prepared.copy_series(toy, args)


@pytest.fixture
def pvops(toy: Path, pvops_on: MakeSeries) -> Path:
    """Return the toy tree with v4 of pvops, signed off."""
    pvops_on("--signoff")
    return toy


@pytest.fixture
def git() -> Callable[..., str]:
    """Run git in a folder and return its output."""

    def run(folder: Path, *args: str | Path, **options: str) -> str:
        result = subprocess.run(
            ["git", "-C", folder, *args], capture_output=True, check=False, text=True, **options
        )
        assert result.returncode == 0, f"git {args}: {result.stderr}"
        return result.stdout

    return run


def _kernel(version: str) -> Path:
    try:
        return kernel_tree(version)
    except KernelMissingError as err:
        skip("kernel", str(err))


@pytest.fixture(scope="session")
def kernel_6_1() -> Iterator[Path]:
    """Debian's 6.1, to be read only."""
    yield _kernel("6.1")


@pytest.fixture
def without_op(kernel_6_1: Path, prepared: Prepared, tmp_path: Path) -> Path:
    """Return a bare clone of 6.1 for this test, with the op removed on WITHOUT_OP."""
    return clone_bare(prepared.take_op_out(kernel_6_1), tmp_path / "linux.git")


@pytest.fixture(scope="session")
def kernel_6_12() -> Iterator[Path]:
    """Debian's 6.12, to be read only."""
    yield _kernel("6.12")
