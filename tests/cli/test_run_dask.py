"""`patchgen run` on a cluster: a scheduler and two workers on loopback, one of which is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from patchgen.coccinelle import find_spatch
from tests.support.kernels import commit_all

ROOT = Path(__file__).parents[2]
RULE = "@change@\n@@\n- old_call();\n+ new_call();\n"
CODE = "static void NAME(void)\n{\n\told_call();\n}\n\n"
START_S = 60


class Cluster:
    """A scheduler with two workers, each with one thread, which wait before each spatch."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.log = folder / "spatch.log"
        self._spatch = folder / "spatch"
        self._spatch.write_text(
            "#!/bin/sh\n"
            f'case "$*" in *file-groups*) echo "$PPID" >> {self.log}; sleep 0.5;; esac\n'
            f'exec {find_spatch().path} "$@"\n'
        )
        self._spatch.chmod(0o755)
        self._running: list[subprocess.Popen[bytes]] = []
        words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        said = self._start("scheduler", "scheduler", words, rb"Scheduler at:\s+(tcp://\S+)")
        self.address = said.decode()
        self.workers = [self.start_worker(f"worker{number}") for number in range(2)]

    def start_worker(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker process of its own, without a nanny that would start it again."""
        words = [self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        words += ["--host", "127.0.0.1", "--local-directory", str(self._folder / name)]
        self._start(name, "worker", words, rb"Registered to:")
        return self._running[-1]

    def _start(self, name: str, what: str, words: list[str], sign: bytes) -> bytes:
        log = self._folder / f"{name}.log"
        env = {**os.environ, "PYTHONPATH": str(ROOT), "SPATCH": str(self._spatch)}
        with log.open("wb") as out:
            started = subprocess.Popen(
                [sys.executable, "-m", "dask", what, *words], stdout=out, stderr=out, env=env
            )
        self._running.append(started)
        match = wait_for(lambda: re.search(sign, log.read_bytes()), log)
        return match[1] if match.re.groups else match[0]

    def begun(self) -> int:
        """Return how often a worker has started spatch."""
        return len(self.log.read_text().split()) if self.log.exists() else 0

    def close(self) -> None:
        # A worker whose scheduler has gone waits for it to come back, whatever it is asked for.
        for process in self._running:
            process.kill()
        for process in self._running:
            process.wait(30)


def wait_for(find: Callable[[], re.Match[bytes] | None], log: Path) -> re.Match[bytes]:
    for _ in range(START_S * 20):
        if (found := find()) is not None:
            return found
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    started = Cluster(folder)
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree that makes a dozen batches."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for number in range(1500):
        names = [f"f{number}_{each}" for each in range(3)]
        text = "".join(CODE.replace("NAME", name) for name in names)
        (folder / f"f{number:03}.c").write_text(text)
    (folder / "odd.c").write_bytes(b"/* M\xfcller */\nvoid odd(void)\n{\n\told_call();\n}\n")
    commit_all(folder, "start")
    return folder


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "call.cocci"
    path.write_text(RULE)
    return path


def words(rule: Path, tree: Path, *more: str) -> list[str]:
    run = [sys.executable, "-m", "patchgen", "run", rule, "--tree", tree, "--no-kept", *more]
    return list(map(str, run))


def test_a_killed_worker_changes_nothing(cluster, tree, rule):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    here = subprocess.run(words(rule, tree), env=env, capture_output=True, check=True)
    assert here.stdout.count(b"+\tnew_call();") == 4501
    dask = ("--executor", "dask", "--scheduler", cluster.address)
    with subprocess.Popen(
        words(rule, tree, *dask), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as there:
        while cluster.begun() < 3 and there.poll() is None:
            time.sleep(0.02)
        assert there.poll() is None, "it was over before a worker could be killed"
        cluster.workers[0].send_signal(signal.SIGKILL)
        out, errors = there.communicate(timeout=300)
    assert there.returncode == 0, errors
    assert b"Traceback" not in errors
    assert out == here.stdout
    # The other one went on, with what the first had in hand as well.
    pids = cluster.log.read_text().split()
    assert cluster.begun() > 11
    assert set(pids) == {str(worker.pid) for worker in cluster.workers}


def test_a_cluster_without_workers_and_none_at_all_are_said(cluster, patchgen, tree, rule):
    for worker in cluster.workers:
        worker.kill()
        worker.wait(30)
    run = ("run", rule, "--tree", tree, "--executor", "dask", "--scheduler")
    done = patchgen(*run, cluster.address)
    assert done.code == 1 and "the dask scheduler has no workers" in done.err
    done = patchgen(*run, "tcp://127.0.0.1:9")
    assert done.code == 1 and "there is no dask scheduler at tcp://127.0.0.1:9" in done.err


def test_a_worker_with_another_spatch_is_refused(cluster, patchgen, tree, rule, tmp_path):
    cluster._spatch.write_text("#!/bin/sh\necho spatch version 1.0.8 compiled\n")
    run = ("run", rule, "--tree", tree, "--executor", "dask", "--scheduler", cluster.address)
    done = patchgen(*run, "--json")
    assert done.code == 1 and "1.0.8" in done.err and "here it is" in done.err
    assert done.out == "" or json.loads(done.out)
