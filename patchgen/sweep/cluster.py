# SPDX-License-Identifier: GPL-2.0-or-later
"""Batches worked on by a dask.distributed cluster.

A batch carries its files' contents, so that workers need the same patchgen and a spatch of the same
version, and nothing of the repository. A dead worker's batches are given to another one by the
scheduler; a result is the same wherever it was made. Therefore each result names what made it
(patchgen.sweep.reply), and is checked before anything uses it: a worker may join at any time.

distributed sends Python's pickles both ways. Whoever can talk to the scheduler, a worker or this
client can run any code as its user; only TLS with certificates of one's own (`tls://`) or a trusted
network keeps others out (https://distributed.dask.org/en/stable/tls.html).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from patchgen.coccinelle import Program, Ran, Spatch
from patchgen.errors import ToolError
from patchgen.sweep.reply import Job, check_reply, make_job, work_there
from patchgen.sweep.work import Batch

_CONNECT_S = 10
# How long all workers together may take to say what they are.
_INTRODUCE_S = 20
# How often the scheduler is asked whether it is there while no result comes, and for how long.
_ASK_S = 5
_ANSWER_S = 10
# A nanny starts a worker again in a few seconds.
_NO_WORKER_S = 30
# How many batches a core may have in hand: one at work, others on their way.
_AHEAD = 4
# How many workers may die over one batch before it is given up.
_RETRIES = 5


class DaskExecutor:
    """Works on the cluster of a scheduler, named by its address (`tcp://HOST:PORT`)."""

    def __init__(self, scheduler: str):
        self._scheduler = scheduler

    def run(
        self, spatch: Spatch, program: Program, batches: Iterator[Batch], timeout_s: int
    ) -> Iterator[tuple[Batch, list[Ran]]]:
        """Yield each batch with its results, in the order in which they are done.

        Raises ToolError where there is no scheduler or worker, where a worker has another patchgen
        or spatch, or where the cluster is lost.
        """
        job = make_job(program, timeout_s, spatch)
        cluster = _Cluster(self._scheduler)
        try:
            cores = cluster.check_workers(job)
            yield from _run(cluster, cores, job, batches)
        finally:
            cluster.close()


def _run(
    cluster: _Cluster, cores: int, job: Job, batches: Iterator[Batch]
) -> Iterator[tuple[Batch, list[Ran]]]:
    held: dict[str, Batch] = {}
    while True:
        while len(held) < _AHEAD * cores and (batch := next(batches, None)) is not None:
            held[cluster.submit(job, batch)] = batch
        if not held:
            return
        key, reply = cluster.next_reply()
        batch = held.pop(key)
        yield batch, check_reply(reply, job, batch)


class _Cluster:
    """A connection to a scheduler. All waiting is bounded, and all errors are ToolErrors."""

    def __init__(self, scheduler: str):
        self._scheduler = scheduler
        self._client = _connect(scheduler)
        self._futures: dict[str, Any] = {}
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._without_workers: float | None = None

    def close(self) -> None:
        self._futures.clear()
        # Where the scheduler has gone there is nobody to say goodbye to.
        with suppress(Exception):
            self._client.close(timeout=2)
        # Else it tries again, for half a minute, when it is collected as garbage.
        self._client.status = "closed"

    def check_workers(self, job: Job) -> int:
        """Return how many cores the workers have together.

        Raises ToolError where there are none, where one has another patchgen or spatch, or where
        none of them answers. One that does not answer is the scheduler's to deal with.
        """
        workers = self._ask_workers()
        if not workers:
            raise ToolError(
                f"the dask scheduler at {self._scheduler} has no workers",
                hint=f"start some: `dask worker {self._scheduler}`",
            )
        asked = {self.submit(job, Batch(()), workers=[name]): name for name in workers}
        answered = 0
        deadline = time.monotonic() + _INTRODUCE_S
        while answered < len(asked) and (left := deadline - time.monotonic()) > 0:
            try:
                future = self._done.get(timeout=left)
            except Empty:
                break
            check_reply(self._result(future, asked[future.key]), job, Batch(()))
            answered += 1
        for key in asked:
            self._futures.pop(key, None)
        if not answered:
            raise ToolError(
                f"no worker of the dask scheduler at {self._scheduler} answered in "
                f"{_INTRODUCE_S} s: {', '.join(sorted(workers))}"
            )
        return sum(workers.values())

    def submit(self, job: Job, batch: Batch, workers: list[str] | None = None) -> str:
        """Give a batch to the cluster; return the key under which its reply comes.

        The job goes with each batch: what is scattered is lost with the only worker that has it.
        """
        try:
            future = self._client.submit(
                work_there, job, batch, workers=workers, pure=False, retries=_RETRIES
            )
        except Exception as err:
            raise self._lost(err) from None
        self._futures[future.key] = future
        future.add_done_callback(self._done.put)
        return str(future.key)

    def next_reply(self) -> tuple[str, object]:
        """Wait for a batch to be done. Raises ToolError where the cluster is lost meanwhile."""
        while True:
            try:
                future = self._done.get(timeout=_ASK_S)
            except Empty:
                self._check_alive()
                continue
            if self._futures.pop(future.key, None) is not None:
                return str(future.key), self._result(future, "a worker")

    def _result(self, future: Any, who: str) -> object:
        from distributed.scheduler import KilledWorker

        if future.status in ("cancelled", "lost"):
            raise self._lost()
        try:
            return self._fetch(future)
        except KilledWorker as err:
            raise ToolError(
                f"workers died over the same files again and again, the last one was "
                f"{err.last_worker.address}"
            ) from None
        except ToolError:
            raise
        except ImportError as err:
            raise ToolError(
                f"{who} lacks patchgen: {err}", hint="install the same version there"
            ) from None
        except Exception as err:
            raise ToolError(
                f"{who} failed: {_say(err)}",
                hint="the same version of patchgen has to be installed on all workers",
            ) from None

    def _fetch(self, future: Any) -> object:
        """Get a result from the worker that has it.

        Where that does not answer, the scheduler has the work done again by another one
        (`distributed.scheduler.worker-ttl`, 5 minutes).
        """
        while True:
            try:
                return future.result(timeout=_ANSWER_S)
            except TimeoutError:
                self._check_alive()

    def _check_alive(self) -> None:
        """Raise ToolError where the scheduler is gone, or has had no workers for a while."""
        if self._ask_workers():
            self._without_workers = None
            return
        now = time.monotonic()
        since = self._without_workers = self._without_workers or now
        if now - since > _NO_WORKER_S:
            raise ToolError(f"the dask scheduler at {self._scheduler} has lost all its workers")

    def _ask_workers(self) -> dict[str, int]:
        """Return the workers' addresses, each with its number of threads."""
        try:
            said = self._client.sync(self._client.scheduler.identity, callback_timeout=_ANSWER_S)
            return {name: int(each["nthreads"]) for name, each in said["workers"].items()}
        except Exception as err:
            raise self._lost(err) from None

    def _lost(self, err: Exception | None = None) -> ToolError:
        why = f": {_say(err)}" if err is not None and str(err) else ""
        return ToolError(
            f"the dask scheduler at {self._scheduler} does not answer any more{why}",
            hint="results that arrived are cached; run the same command again",
        )


def _say(err: Exception) -> str:
    """Return an error of another program's library on one line."""
    if isinstance(err, TimeoutError):
        return "it does not answer"
    return " ".join(f"{type(err).__name__}: {err}".split())[:300]


def _connect(scheduler: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise ToolError(
            "dask.distributed is not installed", hint="pip install 'patchgen[dask]'"
        ) from None
    _silence()
    try:
        # A Client that cannot connect waits for longer than it is told to, and again at its end.
        asyncio.run(asyncio.wait_for(_greet(scheduler), _CONNECT_S))
        return Client(  # type: ignore[no-untyped-call]
            scheduler, timeout=_CONNECT_S, set_as_default=False
        )
    except Exception as err:
        # Each kind of address (tcp, tls, ucx, ws) has errors of its own.
        raise ToolError(
            f"there is no dask scheduler at {scheduler}: {_say(err)}",
            hint="start one with `dask scheduler`, and name its tcp://HOST:PORT",
        ) from None


async def _greet(scheduler: str) -> None:
    """Ask a scheduler who it is. Raises an error of distributed's or of the system's."""
    from distributed import Security, rpc

    arguments = Security().get_connection_args("client")  # type: ignore[no-untyped-call]
    peer: Any = rpc(  # type: ignore[no-untyped-call]
        scheduler, timeout=_CONNECT_S, connection_args=arguments
    )
    try:
        said = await peer.identity()
    finally:
        await peer.close_rpc()
    if said.get("type") != "Scheduler":
        raise ValueError(f"it is a dask {said.get('type')}")


def _silence() -> None:
    """Turn off what distributed logs: where it matters, an error says the same."""
    import logging
    import warnings

    for name in ("asyncio", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("asyncio", "bokeh", "distributed", "tornado"):
            logging.getLogger(name).disabled = True
    warnings.filterwarnings("ignore", module=r"distributed\b")
