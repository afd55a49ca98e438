# SPDX-License-Identifier: GPL-2.0-or-later
"""`make demo`, a first user's command, without the installation."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import TOP
from tests.support.programs import install_patchgen


@pytest.fixture
def demo(tmp_path):
    program = install_patchgen(tmp_path / "patchgen")

    def run(*args: str | Path) -> subprocess.CompletedProcess:
        folder = tmp_path / "patchgen-demo"
        argv = [TOP / "tools/demo", program, folder, *args]
        return subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=False)

    return run


def test_shows_the_series_of_the_toy_tree_and_can_be_run_again(demo):
    for _ in range(2):
        result = demo()
        assert result.returncode == 0, result.stderr
        assert result.stdout.count("files changed") + result.stdout.count("file changed") == 4
        assert "patchgen-demo/outgoing/v4-0004-" in result.stdout


def test_work_in_the_folder_survives_the_next_demo(demo, git, tmp_path):
    folder = tmp_path / "patchgen-demo"
    assert demo().returncode == 0
    git(folder / "tree", "branch", "mine")
    _advance(folder / "tree/.git/refs/heads/mine")
    result = demo()
    assert result.returncode == 0, result.stderr
    assert f"it is {folder}.1 now" in result.stdout
    git(tmp_path / "patchgen-demo.1/tree", "rev-parse", "--verify", "refs/heads/mine")
    demo()
    assert not (tmp_path / "patchgen-demo.2").exists()
    mine = folder / "outgoing/mine"
    mine.write_text("")
    _advance(mine)
    demo()
    assert (tmp_path / "patchgen-demo.2/outgoing/mine").exists()


def _advance(path: Path) -> None:
    """Let a file be a second newer: the clock for files advances in steps of milliseconds."""
    os.utime(path, (time.time() + 1, time.time() + 1))


def test_changes_no_file_of_the_users_tree(demo, toy, git, tmp_path):
    first = demo(toy)
    assert first.returncode == 0, first.stderr
    assert git(toy, "status", "--porcelain") == ""
    refs = git(toy, "for-each-ref")
    mails = sorted((tmp_path / "patchgen-demo").rglob("*"))
    second = demo(toy)
    assert second.returncode == 1
    assert "has a branch patchgen/demo already" in second.stderr
    assert git(toy, "for-each-ref") == refs
    assert sorted((tmp_path / "patchgen-demo").rglob("*")) == mails


def test_needs_no_identity(demo, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    result = demo()
    assert result.returncode == 0, result.stderr


def test_removes_only_its_own_folder(demo, tmp_path):
    other = tmp_path / "patchgen-demo-like" / "mine"
    other.mkdir(parents=True)
    argv = [TOP / "tools/demo", "true", other]
    result = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert other.is_dir()


def test_needs_no_recommended_packages(tmp_path):
    """Those of coccinelle are a compiler for OCaml, ten times its size."""
    log = tmp_path / "log"
    program = tmp_path / "absent-program"
    for name, text in (("id", "echo 0"), ("apt-get", f'echo "$@" >> {log}; touch {program}')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    argv = [TOP / "tools/need", f"{program}:some-package"]
    subprocess.run(argv, env=env, check=True, capture_output=True)
    assert log.read_text() == "install -qq -y --no-install-recommends some-package\n"
