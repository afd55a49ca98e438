# SPDX-License-Identifier: GPL-2.0-or-later
"""Run batches on a dask.distributed cluster.

A batch carries the contents of its files, so workers need the same patchgen and the same version of
spatch, but not the repository. The scheduler gives the batches of a dead worker to another one; a
result does not depend on the worker. Each result therefore names what produced it
(patchgen.sweep.cluster_protocol), and is checked before it is used: a worker may join at any time.

distributed sends Python pickles in both directions. Whoever can connect to the scheduler, a worker
or this client can run any code as its user. Only TLS with private certificates (`tls://`) or a
trusted network keeps others out (https://distributed.dask.org/en/stable/tls.html).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from patchgen.coccinelle import Spatch
from patchgen.errors import ToolError
from patchgen.model.outcome import FileResult
from patchgen.sweep.batches import Batch
from patchgen.sweep.cluster_protocol import BatchParameters, check_reply, make_parameters, run_batch
from patchgen.sweep.request import SweepRequest

_CONNECT_S = 10
# Time for all workers together to report their versions.
_INTRODUCE_S = 20
# How often the scheduler is asked for a sign of life while no result arrives, and its time limit.
_POLL_S = 5
_RESPONSE_S = 10
# A nanny starts a worker again in a few seconds.
_NO_WORKER_S = 30
# Batches per core: one that runs, and others on their way.
_AHEAD = 4
# A batch is given up after this many workers have died on it.
_RETRIES = 5


def run_on_cluster(
    scheduler: str, request: SweepRequest, spatch: Spatch, batches: Iterator[Batch]
) -> Iterator[tuple[Batch, list[FileResult]]]:
    """Run batches on the cluster of a scheduler, named by its address (`tcp://HOST:PORT`).

    Yield each batch with its results, in the order of completion. Raises ToolError if no scheduler
    or no worker answers, if a worker has another patchgen or spatch, or if the cluster is lost.
    """
    parameters = make_parameters(request, spatch)
    cluster = _Cluster(scheduler)
    submitted: dict[str, Batch] = {}
    try:
        cores = cluster.check_workers(parameters)
        while True:
            while len(submitted) < _AHEAD * cores and (batch := next(batches, None)) is not None:
                submitted[cluster.submit(parameters, batch)] = batch
            if not submitted:
                return
            key, reply = cluster.next_reply()
            batch = submitted.pop(key)
            yield batch, check_reply(reply, parameters, batch)
    finally:
        cluster.close()


class _Cluster:
    """A connection to a scheduler. Every wait has a time limit; every error is a ToolError."""

    def __init__(self, scheduler: str):
        self._scheduler = scheduler
        self._client = _connect(scheduler)
        self._futures: dict[str, Any] = {}
        self._completed: SimpleQueue[Any] = SimpleQueue()
        self._without_workers: float | None = None

    def close(self) -> None:
        self._futures.clear()
        # Errors are ignored: the scheduler may be gone.
        with suppress(Exception):
            self._client.close(timeout=2)
        # Otherwise the client tries to reconnect for half a minute when it is garbage-collected.
        self._client.status = "closed"

    def check_workers(self, parameters: BatchParameters) -> int:
        """Return the number of cores of all workers.

        Raises ToolError if the scheduler has no workers, if one has another patchgen or spatch, or
        if none answers. The scheduler handles a single worker that does not answer.
        """
        workers = self._ask_workers()
        if not workers:
            raise ToolError(
                f"the dask scheduler at {self._scheduler} has no workers",
                code="dask-failed",
                hint=f"start some: `dask worker {self._scheduler}`",
            )
        names = {self.submit(parameters, Batch(()), workers=[name]): name for name in workers}
        answered = 0
        deadline = time.monotonic() + _INTRODUCE_S
        while answered < len(names) and (remaining_s := deadline - time.monotonic()) > 0:
            try:
                future = self._completed.get(timeout=remaining_s)
            except Empty:
                break
            check_reply(self._result(future, names[future.key]), parameters, Batch(()))
            answered += 1
        for key in names:
            self._futures.pop(key, None)
        if not answered:
            raise ToolError(
                f"no worker of the dask scheduler at {self._scheduler} answered in "
                f"{_INTRODUCE_S} s: {', '.join(sorted(workers))}",
                code="dask-failed",
            )
        return sum(workers.values())

    def submit(
        self, parameters: BatchParameters, batch: Batch, workers: list[str] | None = None
    ) -> str:
        """Submit a batch to the cluster; return the key of its reply.

        The job is sent with each batch: scattered data is lost with the only worker that has it.
        """
        try:
            future = self._client.submit(
                run_batch, parameters, batch, workers=workers, pure=False, retries=_RETRIES
            )
        except Exception as err:
            raise self._lost(err) from None
        self._futures[future.key] = future
        future.add_done_callback(self._completed.put)
        return str(future.key)

    def next_reply(self) -> tuple[str, object]:
        """Wait for a batch to be done. Raises ToolError if the cluster is lost meanwhile."""
        while True:
            try:
                future = self._completed.get(timeout=_POLL_S)
            except Empty:
                self._check_alive()
                continue
            if self._futures.pop(future.key, None) is not None:
                return str(future.key), self._result(future, "a worker")

    def _result(self, future: Any, worker: str) -> object:
        from distributed.scheduler import KilledWorker

        if future.status in ("cancelled", "lost"):
            raise self._lost()
        try:
            return self._fetch(future)
        except KilledWorker as err:
            raise ToolError(
                f"workers died over the same files again and again, the last one was "
                f"{err.last_worker.address}",
                code="dask-failed",
            ) from None
        except ToolError:
            raise
        except ImportError as err:
            raise ToolError(
                f"patchgen is not installed on {worker}: {err}",
                code="dask-worker-differs",
                hint="install the same version there",
            ) from None
        except Exception as err:
            # The connection over which a result was being fetched ends with the scheduler, too.
            self._check_alive()
            raise ToolError(
                f"{worker} failed: {_format_error(err)}",
                code="dask-failed",
                hint="the same version of patchgen has to be installed on all workers",
            ) from None

    def _fetch(self, future: Any) -> object:
        """Get a result from the worker that has it.

        If that worker does not answer, the scheduler has another one repeat the work
        (`distributed.scheduler.worker-ttl`, 5 minutes).
        """
        while True:
            try:
                return future.result(timeout=_RESPONSE_S)
            except TimeoutError:
                self._check_alive()

    def _check_alive(self) -> None:
        """Raise ToolError if the scheduler is gone, or has had no workers for some time."""
        if self._ask_workers():
            self._without_workers = None
            return
        now = time.monotonic()
        since = self._without_workers = self._without_workers or now
        if now - since > _NO_WORKER_S:
            raise ToolError(
                f"the dask scheduler at {self._scheduler} has lost all its workers",
                code="dask-failed",
            )

    def _ask_workers(self) -> dict[str, int]:
        """Return the number of threads of each worker, by address."""
        try:
            identity = self._client.sync(
                self._client.scheduler.identity, callback_timeout=_RESPONSE_S
            )
            return {name: int(worker["nthreads"]) for name, worker in identity["workers"].items()}
        except Exception as err:
            raise self._lost(err) from None

    def _lost(self, err: Exception | None = None) -> ToolError:
        why = f": {_format_error(err)}" if err is not None and str(err) else ""
        return ToolError(
            f"the dask scheduler at {self._scheduler} has stopped answering{why}",
            code="dask-failed",
            hint="results that arrived are cached; run the same command again",
        )


def _format_error(err: Exception) -> str:
    """Return an error of a foreign library as one line."""
    if isinstance(err, TimeoutError):
        return "it does not answer"
    return " ".join(f"{type(err).__name__}: {err}".split())[:300]


def _connect(scheduler: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise ToolError(
            "dask.distributed is not installed",
            code="program-missing",
            hint="pip install 'patchgen[dask]'",
        ) from None
    _silence()
    try:
        # A Client that cannot connect exceeds its time limit, and waits again when it is closed.
        asyncio.run(asyncio.wait_for(_greet(scheduler), _CONNECT_S))
        return Client(  # type: ignore[no-untyped-call]
            scheduler, timeout=_CONNECT_S, set_as_default=False
        )
    except Exception as err:
        # Each kind of address (tcp, tls, ucx, ws) has errors of its own.
        raise ToolError(
            f"no dask scheduler answers at {scheduler}: {_format_error(err)}",
            code="dask-failed",
            hint="start one with `dask scheduler`, and name its tcp://HOST:PORT",
        ) from None


async def _greet(scheduler: str) -> None:
    """Ask a scheduler for its identity. Raises an error of distributed or of the system."""
    from distributed import Security, rpc

    arguments = Security().get_connection_args("client")  # type: ignore[no-untyped-call]
    peer: Any = rpc(  # type: ignore[no-untyped-call]
        scheduler, timeout=_CONNECT_S, connection_args=arguments
    )
    try:
        identity = await peer.identity()
    finally:
        await peer.close_rpc()
    if identity.get("type") != "Scheduler":
        raise ValueError(f"it is a dask {identity.get('type')}")


def _silence() -> None:
    """Turn off distributed's log messages: where they matter, an exception reports the same."""
    import logging
    import warnings

    for name in ("asyncio", *logging.root.manager.loggerDict):
        if name.partition(".")[0] in ("asyncio", "bokeh", "distributed", "tornado"):
            logging.getLogger(name).disabled = True
    warnings.filterwarnings("ignore", module=r"distributed\b")
