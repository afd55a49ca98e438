# SPDX-License-Identifier: GPL-2.0-or-later
"""Scratch folders: gone with their run, however it ends, and nobody else's folders with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from patchgen import scratch
from patchgen.errors import ToolError
from patchgen.scratch import owned_folder, remove_abandoned, scratch_folder

ROOT = Path(__file__).parent.parent.parent
_RUN = """
import os, signal, sys
from patchgen.scratch import scratch_folder
with scratch_folder("quarantine") as folder:
    (folder / "deep/er").mkdir(parents=True)
    (folder / "deep/er/file").write_text("x")
    (folder.parent / "file").write_text("x")
    print(folder, flush=True)
    {then}
"""


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    """Have a TMPDIR of the test's own, in which nobody has looked yet."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(scratch, "_run", scratch._ScratchFolder())
    return folder


def start(then: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    args = [sys.executable, "-c", _RUN.format(then=then)]
    return subprocess.Popen(
        args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, encoding="utf-8"
    )


def test_nothing_is_left_at_the_end_of_a_block(place):
    with scratch_folder("one") as one, scratch_folder("two") as two:
        assert one.parent == two.parent and one.parent.parent == place
        assert one.parent.stat().st_mode & 0o777 == 0o700
        (one / "file").write_text("x")
    assert list(place.iterdir()) == []
    with scratch_folder("three"):
        assert len(list(place.iterdir())) == 1
    assert list(place.iterdir()) == []


def test_threads_share_one_folder_that_the_last_one_removes(place):
    def use(number: int) -> bool:
        with scratch_folder(f"n{number}") as folder:
            (folder / "file").write_text("x")
            return folder.is_dir()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(200)))
    assert list(place.iterdir()) == []


def test_a_run_removes_what_a_killed_one_left_and_nothing_of_a_live_one(place):
    killed = start("os.kill(os.getpid(), signal.SIGKILL)")
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    [left] = place.iterdir()
    live = start("sys.stdin.read()")
    assert live.stdout is not None
    used = Path(live.stdout.readline().strip())
    assert not left.exists()
    with scratch_folder("mine"):
        assert used.is_dir()
    assert list(place.iterdir()) == [used.parent]
    live.communicate("")
    assert live.returncode == 0
    assert list(place.iterdir()) == []


def test_a_program_that_outlives_a_killed_run_keeps_its_folder_only_with_the_lock(place):
    for keeps, then in (
        (
            True,
            "import subprocess; from patchgen.scratch import scratch_locks; locks=scratch_locks()",
        ),
        (False, "import subprocess; locks = ()"),
    ):
        child = """
    child = subprocess.Popen(["sleep", "60"], pass_fds=locks, stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)"""
        killed = start(then + child)
        out, _ = killed.communicate()
        folder, pid = out.split()
        try:
            remove_abandoned(place, "patchgen-run-")
            assert Path(folder).is_dir() == keeps
        finally:
            os.kill(int(pid), signal.SIGKILL)
        # The lock goes with the child, which init reaps.
        for _ in range(1000):
            remove_abandoned(place, "patchgen-run-")
            if not list(place.iterdir()):
                break
        assert list(place.iterdir()) == []


def test_names_that_others_put_there_are_left_alone(place, tmp_path):
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "file").write_text("x")
    (place / "patchgen-run-1-aaaaaaaa").symlink_to(treasure)
    (place / "patchgen-run-1-bbbbbbbb").write_text("a file")
    os.mkfifo(place / "patchgen-run-1-cccccccc")
    for name in ("patchgen-run-1-short", "patchgen-bug-1-aaaaaaaa", "patchgen-run-1-aaaaaaaa.log"):
        (place / name).mkdir()
    inside = place / "patchgen-run-1-dddddddd"
    inside.mkdir()
    (inside / "link").symlink_to(treasure)
    before = {path.name for path in place.iterdir()}
    with scratch_folder("mine"):
        pass
    # What a link in a killed run's folder leads to stays, too.
    assert {path.name for path in place.iterdir()} == before - {inside.name}
    assert (treasure / "file").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: only root can make another user's folder")
def test_another_user_s_folder_is_left_alone(place):
    other = place / "patchgen-run-1-aaaaaaaa"
    other.mkdir()
    os.chown(other, 65534, 65534)
    with scratch_folder("mine"):
        pass
    assert other.is_dir()


def test_a_second_ctrl_c_does_not_stop_the_removal(place, monkeypatch):
    import shutil

    real, calls = shutil.rmtree, []

    def interrupted(*args, **options):
        calls.append(args)
        if len(calls) == 1:
            raise KeyboardInterrupt
        real(*args, **options)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt), scratch_folder("one") as folder:
        (folder / "file").write_text("x")
    assert list(place.iterdir()) == []


def test_a_forked_process_leaves_its_parent_s_folder(place):
    with scratch_folder("parent") as folder:
        child = os.fork()
        if child == 0:
            with scratch_folder("child") as own:
                os._exit(0 if own.parent != folder.parent else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert folder.is_dir()


def test_a_folder_that_was_renamed_into_place_stays(place):
    with owned_folder(place, ".staged-") as staged:
        (staged.path / "mail").write_text("x")
        staged.path.rename(place / "outgoing")
    assert [path.name for path in place.iterdir()] == ["outgoing"]


def test_a_full_disk_ends_in_a_message_that_names_tmpdir(place):
    place.rmdir()
    tempfile.tempdir = str(place)
    with (
        pytest.raises(ToolError, match="temporary files cannot be written") as raised,
        scratch_folder("one"),
    ):
        pass
    assert "TMPDIR" in str(raised.value)
