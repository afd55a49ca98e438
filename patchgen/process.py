# SPDX-License-Identifier: GPL-2.0-or-later
"""Start other programs. No other module does."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from patchgen.errors import ToolError

if TYPE_CHECKING:
    from concurrent.futures import Future

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Completed:
    """A program that has ended. `timed_out` means that it was killed at its time limit."""

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    seconds: float
    timed_out: bool = False

    @property
    def lines(self) -> list[str]:
        """The lines of the standard output, without their ends.

        They are split only at newlines, not as by str.splitlines(), since names can contain form
        feeds and the like. A byte that is not UTF-8 becomes a surrogate (PEP 383).
        """
        lines = self.stdout.decode("utf-8", "surrogateescape").split("\n")
        return lines if lines[-1] else lines[:-1]

    @property
    def errors(self) -> str:
        """What the program wrote to its standard error, as text."""
        return self.stderr.decode("utf-8", "replace").strip()


_PIECE = 1 << 16

# Only the main thread receives Ctrl-C; programs that other threads wait for must be ended for them.
_running: set[subprocess.Popen[bytes]] = set()


def map_parallel(
    function: Callable[[_Item], _Result], items: Iterable[_Item], *, workers: int
) -> list[_Result]:
    """Return the results of a function for all items, in their order, from `workers` threads.

    See iterate_parallel().
    """
    return list(iterate_parallel(function, items, workers=workers))


def iterate_parallel(
    function: Callable[[_Item], _Result], items: Iterable[_Item], *, workers: int
) -> Iterator[_Result]:
    """Yield the results of a function for all items, in their order, from `workers` threads.

    Meant for functions that wait for other programs. Raises the error of the first item that
    failed. On an interrupt, the running programs get SIGTERM, and no new one is started.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = [pool.submit(function, item) for item in items]
        with _cancel_on_error(futures):
            for future in futures:
                yield future.result()


@contextmanager
def in_background(function: Callable[[], _Result]) -> Iterator[Future[_Result]]:
    """Run a function that waits for other programs in a thread, in parallel with the `with` body.

    The end of the body waits for it. `result()` returns its result or raises its error.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(function)
        with _cancel_on_error([future]):
            yield future


@contextmanager
def _cancel_on_error(futures: Sequence[Future[Any]]) -> Iterator[None]:
    """Cancel what has not started if the body fails; end running programs on an interrupt."""
    try:
        yield
    except BaseException as err:
        for future in futures:
            future.cancel()
        if not isinstance(err, Exception):
            end_running()
        raise


def end_running() -> None:
    """Send SIGTERM to the programs that threads are waiting for."""
    for process in list(_running):
        process.terminate()


def map_processes(
    function: Callable[[_Item], _Result], items: Iterable[_Item], *, workers: int
) -> Iterator[_Result]:
    """Yield the results of a function for all items, in their order, from `workers` processes.

    Meant for work in Python. Items are taken as they are needed, so that a long iterator is never
    in memory as a whole. With 0 workers, this process does the work. `function`, its argument and
    its result have to be picklable.
    """
    if workers < 1:
        yield from map(function, items)
        return
    # Imported here: it takes a while, and most commands need no worker processes.
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Not forked: the child of a program with threads may inherit a lock that is never released.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(max_workers=workers, mp_context=context)
    pending: deque[Future[_Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(function, item))
            while len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def run(
    argv: Sequence[str],
    *,
    stdin: bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    ok: Collection[int] | None = (0,),
    timeout_s: float | None = None,
    merge_stderr: bool = False,
    detached: bool = False,
    pass_fds: Sequence[int] = (),
) -> Completed:
    """Run a program to its end and return its output.

    `argv` is a list of arguments, never a shell line. `ok` are the accepted exit codes; None
    accepts all. A program that is still running after `timeout_s` seconds is killed: the result
    then has `timed_out` set, and no error is raised. A `detached` program does not receive signals
    to patchgen's process group, so it runs to its end. `pass_fds` are open files that it inherits.

    Raises ToolError if the program cannot be started or ends with another exit code.
    """
    begin = time.monotonic()
    process = _start(
        argv,
        stderr=subprocess.STDOUT if merge_stderr else subprocess.PIPE,
        cwd=cwd,
        env=dict(env) if env is not None else None,
        start_new_session=detached,
        pass_fds=tuple(pass_fds),
    )
    timed_out = False
    if not detached:
        _running.add(process)
    try:
        with process:
            try:
                stdout, stderr = process.communicate(stdin, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                timed_out = True
                process.kill()
                stdout, stderr = process.communicate()
            except BaseException:
                if not detached:
                    process.terminate()
                raise
    finally:
        _running.discard(process)
    seconds = time.monotonic() - begin
    completed = Completed(
        tuple(argv), process.returncode, stdout, stderr or b"", seconds, timed_out
    )
    if not timed_out and ok is not None and process.returncode not in ok:
        raise _failure(completed)
    return completed


def run_on_terminal(argv: Sequence[str]) -> int:
    """Run a program that reads from and prints to the user's terminal; return its exit code.

    Raises ToolError if the program cannot be started.
    """
    process = _start(argv, stdin=None, stdout=None)
    _running.add(process)
    try:
        with process:
            return process.wait()
    finally:
        _running.discard(process)


def feed(argv: Sequence[str], content: bytes, *, env: Mapping[str, str]) -> int:
    """Run a program that reads `content` and prints to the user's terminal; return its exit code.

    A program that ends without reading everything is not an error, as a pager is often left early.
    Raises ToolError if it cannot be started.
    """
    process = _start(argv, stdout=None, env=dict(env))
    with suppress(BrokenPipeError), process:
        process.communicate(content)
    return process.returncode


def stream(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    ok: Collection[int] = (0,),
) -> Iterator[bytes]:
    """Yield what a program prints, piece by piece. Closing the iterator early ends the program.

    Raises ToolError if the program cannot be started or ends with another exit code.
    """
    import tempfile

    begin = time.monotonic()
    # The file has no name (O_TMPFILE), so it does not outlive patchgen.
    with tempfile.TemporaryFile() as errors:
        process = _start(argv, stderr=errors, env=dict(env) if env is not None else None)
        _running.add(process)
        try:
            with process:
                assert process.stdin is not None and process.stdout is not None
                process.stdin.close()
                try:
                    while piece := os.read(process.stdout.fileno(), _PIECE):
                        yield piece
                except BaseException:
                    process.terminate()
                    raise
        finally:
            _running.discard(process)
        if process.returncode not in ok:
            errors.seek(0)
            seconds = time.monotonic() - begin
            raise _failure(Completed(tuple(argv), process.returncode, b"", errors.read(), seconds))


def _start(argv: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    try:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            list(argv), **{"stdin": pipe, "stdout": pipe, **options}
        )
        return process
    except FileNotFoundError as err:
        raise ToolError(
            f"{argv[0]} cannot be started: {err.strerror or err}",
            code="program-failed",
            hint="`patchgen doctor` shows what is missing and how to get it",
        ) from None
    except PermissionError as err:
        raise ToolError(
            f"{argv[0]} cannot be started: {err.strerror or err}", code="program-failed"
        ) from None


def _failure(completed: Completed) -> ToolError:
    output = completed.errors or completed.stdout.decode("utf-8", "replace").strip()
    outcome = f"failed with exit code {completed.returncode}"
    if completed.returncode < 0:
        outcome = f"was ended by a signal ({signal.strsignal(-completed.returncode)})"
    return ToolError(
        f"`{_shorten(completed.argv)}` {outcome}" + (f": {output}" if output else ""),
        code="program-failed",
    )


def _shorten(argv: Sequence[str]) -> str:
    """Return the command as one line that fits a message."""
    line = " ".join(arg if len(arg) < 80 else arg[:77] + "..." for arg in argv)
    return line if len(line) < 300 else line[:297] + "..."


class Dialogue:
    """A program that answers requests. Each message starts with its length (8 bytes, big-endian).

    Raises ToolError if it cannot be started.
    """

    def __init__(self, argv: Sequence[str]):
        self._process = _start(argv, stderr=subprocess.DEVNULL)
        _running.add(self._process)

    @property
    def has_ended(self) -> bool:
        """Whether the program has ended."""
        return self._process.poll() is not None

    def ask(self, request: bytes, *, timeout_s: float) -> bytes | None:
        """Return the answer; None if the program ended or did not answer within `timeout_s`."""
        assert self._process.stdin is not None
        end = time.monotonic() + timeout_s
        try:
            self._process.stdin.write(len(request).to_bytes(8, "big") + request)
            self._process.stdin.flush()
        except BrokenPipeError:
            return None
        head = self._read(8, end)
        return None if head is None else self._read(int.from_bytes(head, "big"), end)

    def _read(self, size: int, end: float) -> bytes | None:
        import select

        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        content = bytearray()
        while len(content) < size:
            ready, _, _ = select.select([output], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(output, min(_PIECE, size - len(content))) if ready else b""
            if not piece:
                return None
            content += piece
        return bytes(content)

    def close(self) -> None:
        """End the program."""
        _running.discard(self._process)
        self._process.kill()
        with suppress(OSError), self._process:
            pass
