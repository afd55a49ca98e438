"""Batches worked on by a dask.distributed cluster.

A batch carries its files' contents, so that workers need patchgen and a spatch of the same version,
and nothing of the repository. What a worker was at when it died is given to another one by the
scheduler; a result is the same wherever it was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from patchgen.coccinelle import Program, Ran, Spatch, find_spatch
from patchgen.errors import PatchgenError, ToolError
from patchgen.sweep.work import Batch, work

_CONNECT_S = 10
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

        Raises ToolError where there is no scheduler or worker, where a worker's spatch is of
        another version, or where the cluster is lost.
        """
        client = self._connect()
        try:
            cores = _check_workers(client, spatch)
            yield from _run(client, cores, program, batches, timeout_s)
        finally:
            client.close()

    def _connect(self) -> Any:
        try:
            from distributed import Client
        except ImportError:
            raise ToolError(
                "dask.distributed is not installed", hint="pip install 'patchgen[dask]'"
            ) from None
        try:
            return Client(self._scheduler, timeout=_CONNECT_S)  # type: ignore[no-untyped-call]
        except (OSError, ValueError, TimeoutError) as err:
            raise ToolError(
                f"there is no dask scheduler at {self._scheduler}: {err}",
                hint="start one with `dask scheduler`, and name its tcp://HOST:PORT",
            ) from None


def _check_workers(client: Any, spatch: Spatch) -> int:
    """Return how many cores the workers have together."""
    try:
        versions = client.run(_spatch_version)
    except ImportError as err:
        raise ToolError(f"a worker lacks patchgen: {err}", hint="install it there") from None
    if not versions:
        raise ToolError("the dask scheduler has no workers", hint="start some: `dask worker`")
    for worker, version in sorted(versions.items()):
        if version != spatch.version:
            raise ToolError(
                f"the worker {worker} has spatch {version}, here it is {spatch.version}",
                hint="results would depend on where a file is looked at; install the same",
            )
    return int(sum(client.ncores().values()))


def _spatch_version() -> str:
    try:
        return find_spatch().version
    except PatchgenError as err:
        return f"none ({err.message})"


def _work_there(program: Program, batch: Batch, timeout_s: int) -> list[Ran]:
    return work(find_spatch(), program, batch, timeout_s)


def _run(
    client: Any, cores: int, program: Program, batches: Iterator[Batch], timeout_s: int
) -> Iterator[tuple[Batch, list[Ran]]]:
    import distributed

    running: Any = distributed.as_completed([])  # type: ignore[no-untyped-call]
    held: dict[str, Batch] = {}
    shared = client.scatter(program, broadcast=True)
    while True:
        while len(held) < _AHEAD * cores and (batch := next(batches, None)) is not None:
            future = client.submit(
                _work_there, shared, batch, timeout_s, pure=False, retries=_RETRIES
            )
            held[future.key] = batch
            running.add(future)
        if not held:
            return
        future = next(running)
        try:
            ran = future.result()
        except distributed.scheduler.KilledWorker as err:
            raise ToolError(f"workers died over the same files again and again: {err}") from None
        except PatchgenError:
            raise
        except Exception as err:
            raise ToolError(f"a worker failed: {err!r}") from None
        yield held.pop(future.key), ran
