# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cluster's worker is given and what it answers, with what made the answer.

Results go into the cache, and a finding that is lost there is lost in every later run. So a worker
with another patchgen, or another spatch, is refused: before it works, and again when it answers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from patchgen.coccinelle import Program, Ran, Spatch, find_spatch
from patchgen.errors import PatchgenError, ToolError
from patchgen.resources import digest_code
from patchgen.sweep.work import Batch, work


@dataclass(frozen=True, slots=True)
class Origin:
    """What a result depends on but the files: patchgen's code, spatch's version, what it runs."""

    code: str
    spatch: str
    program: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A worker's answer to a batch: the results, or why there are none."""

    worker: str
    origin: Origin
    results: tuple[Ran, ...] = ()
    error: PatchgenError | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What every batch is given. `origin` is what its results have to name."""

    program: Program
    timeout_s: int
    origin: Origin


def make_job(program: Program, timeout_s: int, spatch: Spatch) -> Job:
    """Return the job of running a semantic patch with what is installed here."""
    return Job(program, timeout_s, _origin(program, spatch.version))


def _origin(program: Program, spatch: str) -> Origin:
    name = hashlib.sha256(repr(program).encode("utf-8", "surrogateescape")).hexdigest()
    return Origin(digest_code(), spatch, name)


def work_there(job: Job, batch: Batch) -> Reply:
    """Work on a batch, unless the result would be refused. An empty batch only asks who answers."""
    from distributed import get_worker

    worker = get_worker().address
    try:
        spatch = find_spatch()
    except PatchgenError as err:
        return Reply(worker, _origin(job.program, f"none ({err.message})"))
    origin = _origin(job.program, spatch.version)
    if origin != job.origin or not batch.sources:
        return Reply(worker, origin)
    try:
        return Reply(worker, origin, tuple(work(spatch, job.program, batch, job.timeout_s)))
    except PatchgenError as err:
        return Reply(worker, origin, error=err)


def check_reply(reply: object, job: Job, batch: Batch) -> list[Ran]:
    """Return the results of a batch. Raises ToolError where something else made them."""
    if not isinstance(reply, Reply):
        raise ToolError("a worker has another patchgen", hint="install the same version everywhere")
    _check_origin(reply, job)
    if reply.error is not None:
        raise reply.error
    # What no file's output is has the path ".".
    paths = {str(ran.path) for ran in reply.results} - {"."}
    if paths != {str(source.path) for source in batch.sources}:
        raise ToolError(f"the worker {reply.worker} answered for other files than it was given")
    return list(reply.results)


def _check_origin(reply: Reply, job: Job) -> None:
    there, here = reply.origin, job.origin
    if there.code != here.code:
        raise ToolError(
            f"the worker {reply.worker} has another patchgen: its code has the digest "
            f"{there.code[:12]}, here it is {here.code[:12]}",
            hint="results would depend on where a file is looked at; install the same version",
        )
    if there.spatch != here.spatch:
        raise ToolError(
            f"the worker {reply.worker} has spatch {there.spatch}, here it is {here.spatch}",
            hint="results would depend on where a file is looked at; install the same version",
        )
    if there.program != here.program:
        raise ToolError(f"the worker {reply.worker} ran another semantic patch than it was given")
