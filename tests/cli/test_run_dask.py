# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen run` on a cluster: a scheduler and workers on loopback, which are killed or wrong."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

from patchgen.coccinelle import find_spatch
from tests.support.kernels import commit_all
from tests.support.prepared import Prepared

ROOT = Path(__file__).parents[2]
RULE = "@change@\n@@\n- old_call();\n+ new_call();\n"
CODE = "static void NAME(void)\n{\n\told_call();\n}\n\n"
START_S = 60
# Enough for a dozen batches.
FILES = 480


class Cluster:
    """A scheduler with workers, each with one thread, which wait before each spatch."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.log = folder / "spatch.log"
        self.spatch = folder / "spatch"
        self.spatch.write_text(
            "#!/bin/sh\n"
            f'case "$*" in *file-groups*) echo "$PPID" >> {self.log}; sleep 0.5;; esac\n'
            f'exec {find_spatch().path} "$@"\n'
        )
        self.spatch.chmod(0o755)
        self._running: list[subprocess.Popen[bytes]] = []
        args = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        output = self._start("scheduler", "scheduler", args, rb"Scheduler at:\s+(tcp://\S+)")
        self.address = output.decode()
        self.scheduler = self._running[-1]

    def start_worker(
        self, name: str, *more: str, code: Path = ROOT, spatch: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a worker process of its own, without a nanny that would start it again."""
        args = [self.address, "--nthreads", "1", *(more or ["--no-nanny"]), "--no-dashboard"]
        args += ["--host", "127.0.0.1", "--local-directory", str(self._folder / name)]
        self._start(name, "worker", args, rb"Registered to:", code, spatch)
        return self._running[-1]

    def _start(
        self,
        name: str,
        what: str,
        args: list[str],
        pattern: bytes,
        code: Path = ROOT,
        spatch: Path | None = None,
    ) -> bytes:
        log = self._folder / f"{name}.log"
        env = {**os.environ, "PYTHONPATH": str(code), "SPATCH": str(spatch or self.spatch)}
        with log.open("wb") as out:
            started = subprocess.Popen(
                [sys.executable, "-m", "dask", what, *args],
                cwd=code,
                stdout=out,
                stderr=out,
                env=env,
            )
        self._running.append(started)
        match = wait_for(lambda: re.search(pattern, log.read_bytes()), log)
        return match[1] if match.re.groups else match[0]

    def begun(self) -> int:
        """Return how often a worker has started spatch."""
        return len(self.log.read_text().split()) if self.log.exists() else 0

    def close(self) -> None:
        # A worker whose scheduler has gone waits for it to come back, whatever it is asked for.
        # A nanny ends its worker when it is asked to end, not when it is killed.
        for process in self._running:
            process.send_signal(signal.SIGCONT)
            process.terminate() if process.args[3] == "worker" else process.kill()
        for process in self._running:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
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


def make_tree(folder: Path) -> None:
    for number in range(FILES):
        names = [f"f{number}_{each}" for each in range(3)]
        text = "".join(CODE.replace("NAME", name) for name in names)
        (folder / f"f{number:03}.c").write_text(text)
    (folder / "odd.c").write_bytes(b"/* M\xfcller */\nvoid odd(void)\n{\n\told_call();\n}\n")
    commit_all(folder, "start")


@pytest.fixture
def tree(prepared: Prepared) -> Path:
    """Return a tree that makes a dozen batches, to be read only."""
    return prepared.make_once("many-files", make_tree)


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "call.cocci"
    path.write_text(RULE)
    return path


def args(rule: Path, tree: Path, *more: str) -> list[str]:
    run = [sys.executable, "-m", "patchgen", "run", rule, "--tree", tree, "--no-cache", *more]
    return list(map(str, run))


@pytest.fixture
def small_tree(tmp_path: Path) -> Path:
    """Return a tree that makes one batch."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "f.c").write_text(CODE.replace("NAME", "f"))
    commit_all(folder, "start")
    return folder


@pytest.fixture
def expected(prepared: Prepared, tree: Path, rule: Path) -> bytes:
    """Return what the run prints without a cluster."""

    def make(folder: Path) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        here = subprocess.run(args(rule, tree), env=env, capture_output=True, check=True)
        (folder / "output").write_bytes(here.stdout)

    output = (prepared.make_once("many-files-output", make) / "output").read_bytes()
    assert output.count(b"+\tnew_call();") == 3 * FILES + 1
    return output


def start_run(cluster: Cluster, *run: str, **more: str) -> subprocess.Popen[bytes]:
    """Start patchgen on the cluster, and wait until a worker has begun with a third batch."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    args = [*run, "--executor", "dask", "--scheduler", cluster.address]
    started = subprocess.Popen(args, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while cluster.begun() < 3 and started.poll() is None:
        time.sleep(0.02)
    assert started.poll() is None, started.communicate()
    return started


def test_a_killed_worker_changes_nothing(cluster, tree, rule, expected):
    workers = [cluster.start_worker(f"worker{number}") for number in range(2)]
    with start_run(cluster, *args(rule, tree)) as there:
        workers[0].send_signal(signal.SIGKILL)
        out, errors = there.communicate(timeout=300)
    assert there.returncode == 0, errors
    assert b"Traceback" not in errors
    assert out == expected
    # The other one went on, with what the first had in hand as well.
    pids = cluster.log.read_text().split()
    assert cluster.begun() > 8
    assert set(pids) == {str(worker.pid) for worker in workers}


def test_the_only_worker_killed_and_started_again_changes_nothing(cluster, tree, rule, expected):
    cluster.start_worker("worker", "--nanny")
    with start_run(cluster, *args(rule, tree)) as there:
        os.kill(int(cluster.log.read_text().split()[0]), signal.SIGKILL)
        out, errors = there.communicate(timeout=300)
    assert (there.returncode, out) == (0, expected), errors
    assert b"Traceback" not in errors and b"distributed" not in errors
    assert len(set(cluster.log.read_text().split())) == 2


def test_a_cluster_without_workers_is_refused(cluster, patchgen, small_tree, rule):
    run = ("run", rule, "--tree", small_tree, "--executor", "dask", "--scheduler")
    done = patchgen(*run, cluster.address)
    assert done.code == 1
    assert f"the dask scheduler at {cluster.address} has no workers" in done.err


@contextmanager
def listening(answer: bytes) -> Iterator[str]:
    """Listen on loopback, answer each connection with some bytes, and let it wait."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    held.append(server.accept()[0])
                    held[-1].sendall(answer)

        Thread(target=serve, daemon=True).start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        for each in held:
            each.close()


def test_what_is_not_a_scheduler_is_refused_within_a_bounded_time(small_tree, rule):
    with listening(b"") as silent, listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as other:
        addresses = [silent, other, "tcp://127.0.0.1:9", "ucx://x", "tcp://", "host", "", "a://b"]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        dask = ("--executor", "dask", "--scheduler")
        begun = [
            subprocess.Popen(
                args(rule, small_tree, *dask, address), env=env, stderr=subprocess.PIPE
            )
            for address in addresses
        ]
        for address, process in zip(addresses, begun, strict=True):
            _, errors = process.communicate(timeout=60)
            output = errors.decode().splitlines()
            assert process.returncode == 1 and len(output) == 2, (address, errors)
            assert output[0].startswith(f"patchgen: no dask scheduler answers at {address}: ")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_scheduler_that_is_gone_or_silent_is_named(cluster, tree, rule, how):
    cluster.start_worker("worker")
    with start_run(cluster, *args(rule, tree)) as there:
        cluster.scheduler.send_signal(how)
        _, errors = there.communicate(timeout=90)
    output = errors.decode().splitlines()
    assert there.returncode == 1 and len(output) == 2, errors
    named = f"patchgen: the dask scheduler at {cluster.address} has stopped answering"
    assert output[0].startswith(named)


def test_a_worker_with_another_spatch_is_refused(cluster, patchgen, small_tree, rule):
    cluster.start_worker("worker")
    cluster.spatch.write_text("#!/bin/sh\necho spatch version 1.1.9 compiled\n")
    run = ("run", rule, "--tree", small_tree, "--executor", "dask", "--scheduler", cluster.address)
    done = patchgen(*run, "--json")
    assert done.code == 1 and "has spatch 1.1.9, here it is" in done.err and "tcp://" in done.err
    assert done.out == ""


def other_patchgen(folder: Path) -> Path:
    """Return a folder with a patchgen that finds nothing in any file."""
    shutil.copytree(ROOT / "patchgen", folder / "patchgen")
    path = folder / "patchgen/coccinelle/bridge.py"
    text = path.read_text()
    wrong = text.replace("None if after == source.text else filled,", "None,")
    assert wrong != text
    path.write_text(wrong)
    return folder


def test_a_worker_with_another_patchgen_is_refused_and_nothing_of_it_cached(
    cluster, patchgen, small_tree, rule, tmp_path
):
    cluster.start_worker("worker", code=other_patchgen(tmp_path / "other"))
    run = ("run", rule, "--tree", small_tree)
    done = patchgen(*run, "--executor", "dask", "--scheduler", cluster.address)
    assert done.code == 1 and "has another patchgen" in done.err and "tcp://" in done.err
    assert "new_call" in patchgen(*run).out


def test_a_wrong_worker_that_joins_in_the_middle_is_refused_and_nothing_of_it_cached(
    cluster, tree, rule, expected, tmp_path
):
    cluster.start_worker("worker")
    run = [word for word in args(rule, tree) if word != "--no-cache"]
    with start_run(cluster, *run) as there:
        cluster.start_worker("late", code=other_patchgen(tmp_path / "other"))
        out, errors = there.communicate(timeout=90)
    assert there.returncode == 1 and b"has another patchgen" in errors, errors
    assert out == b""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    here = subprocess.run(run, env=env, capture_output=True, check=True)
    assert here.stdout == expected
