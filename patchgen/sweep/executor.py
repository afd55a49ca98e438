# SPDX-License-Identifier: GPL-2.0-or-later
"""Run batches locally: in threads, each of which waits for a spatch process."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from threading import Event

from patchgen.coccinelle import Spatch, run_files
from patchgen.model.outcome import FileResult
from patchgen.process import end_running
from patchgen.sweep.batches import Batch
from patchgen.sweep.request import SweepRequest

# Runs batches, and yields each with its results, in the order of completion.
Executor = Callable[
    [SweepRequest, Spatch, Iterator[Batch]], Iterator[tuple[Batch, list[FileResult]]]
]


def run_locally(
    request: SweepRequest, spatch: Spatch, batches: Iterator[Batch]
) -> Iterator[tuple[Batch, list[FileResult]]]:
    """Run as many spatch processes at once as there are cores, or as requested.

    Batches are taken from their iterator only when needed, so that memory stays bounded. The
    largest of the waiting batches starts first.
    """
    jobs = request.run.jobs or os.cpu_count() or 1
    waiting: list[tuple[int, int, Batch]] = []
    running: dict[Future[list[FileResult]], Batch] = {}
    number = 0
    exhausted = False
    ended = Event()
    with ThreadPoolExecutor(jobs) as pool:
        try:
            while waiting or running or not exhausted:
                while waiting and len(running) < jobs:
                    batch = heapq.heappop(waiting)[2]
                    run = partial(run_files, timeout_s=request.run.timeout_s, is_ended=ended.is_set)
                    args = (spatch, request.program, batch.sources, batch.headers)
                    running[pool.submit(run, *args)] = batch
                if not exhausted and len(waiting) < 4 * jobs:
                    next_batch = next(batches, None)
                    exhausted = next_batch is None
                    if next_batch is not None:
                        heapq.heappush(waiting, (-next_batch.size, number, next_batch))
                        number += 1
                elif running:
                    wait(running, return_when=FIRST_COMPLETED)
                for future in [task for task in running if task.done()]:
                    yield running.pop(future), future.result()
        except BaseException as err:
            ended.set()
            for future in running:
                future.cancel()
            if not isinstance(err, Exception):
                end_running()
            raise
