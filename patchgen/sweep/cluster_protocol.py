# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cluster's worker receives and answers, with the origin of the answer.

Results go into the cache, so a finding that is lost there is lost in every later run. Therefore a
worker with another patchgen or another spatch is refused, both before it works and when it answers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from patchgen.coccinelle import RunnableSmpl, Spatch, find_spatch, run_files
from patchgen.errors import PatchgenError, ToolError
from patchgen.model.outcome import FileResult
from patchgen.resources import digest_code
from patchgen.sweep.batches import Batch
from patchgen.sweep.request import SweepRequest


@dataclass(frozen=True, slots=True)
class ResultOrigin:
    """What a result depends on besides the files: patchgen's code, spatch, the program."""

    code: str
    spatch: str
    program: str


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """A worker's answer to a batch: the results, or the error."""

    worker: str
    origin: ResultOrigin
    results: tuple[FileResult, ...] = ()
    error: PatchgenError | None = None


@dataclass(frozen=True, slots=True)
class BatchParameters:
    """The parameters of all batches. `origin` is the origin that their results must have."""

    program: RunnableSmpl
    timeout_s: int
    origin: ResultOrigin


def make_parameters(request: SweepRequest, spatch: Spatch) -> BatchParameters:
    """Return the parameters for running a semantic patch with the versions installed here."""
    origin = _describe_origin(request.program, spatch.version)
    return BatchParameters(request.program, request.run.timeout_s, origin)


def _describe_origin(program: RunnableSmpl, spatch: str) -> ResultOrigin:
    name = hashlib.sha256(repr(program).encode("utf-8", "surrogateescape")).hexdigest()
    return ResultOrigin(digest_code(), spatch, name)


def run_batch(parameters: BatchParameters, batch: Batch) -> BatchAnswer:
    """Run a batch, unless its result would be refused. An empty batch only asks for the origin."""
    from distributed import get_worker

    worker = get_worker().address
    try:
        spatch = find_spatch()
    except PatchgenError as err:
        return BatchAnswer(worker, _describe_origin(parameters.program, f"none ({err.message})"))
    origin = _describe_origin(parameters.program, spatch.version)
    if origin != parameters.origin or not batch.sources:
        return BatchAnswer(worker, origin)
    try:
        results = run_files(
            spatch, parameters.program, batch.sources, batch.headers, timeout_s=parameters.timeout_s
        )
        return BatchAnswer(worker, origin, tuple(results))
    except PatchgenError as err:
        return BatchAnswer(worker, origin, error=err)


def check_reply(reply: object, parameters: BatchParameters, batch: Batch) -> list[FileResult]:
    """Return the results of a batch. Raises ToolError if their origin differs."""
    if not isinstance(reply, BatchAnswer):
        raise ToolError(
            "a worker has another patchgen",
            code="dask-worker-differs",
            hint="install the same version everywhere",
        )
    _check_origin(reply, parameters)
    if reply.error is not None:
        raise reply.error
    # Output that does not belong to a file has the path ".".
    paths = {str(result.path) for result in reply.results} - {"."}
    if paths != {str(source.path) for source in batch.sources}:
        raise ToolError(
            f"the worker {reply.worker} returned results for other files than it got",
            code="dask-worker-differs",
        )
    return list(reply.results)


def _check_origin(reply: BatchAnswer, parameters: BatchParameters) -> None:
    remote, local = reply.origin, parameters.origin
    if remote.code != local.code:
        raise ToolError(
            f"the worker {reply.worker} has another patchgen: its code has the digest "
            f"{remote.code[:12]}, here it is {local.code[:12]}",
            code="dask-worker-differs",
            hint="results would depend on the worker; install the same version",
        )
    if remote.spatch != local.spatch:
        raise ToolError(
            f"the worker {reply.worker} has spatch {remote.spatch}, here it is {local.spatch}",
            code="dask-worker-differs",
            hint="results would depend on the worker; install the same version",
        )
    if remote.program != local.program:
        raise ToolError(
            f"the worker {reply.worker} ran a different semantic patch than requested",
            code="dask-worker-differs",
        )
