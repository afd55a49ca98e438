# SPDX-License-Identifier: GPL-2.0-or-later
"""Report the error that ended a command, and choose the exit code."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Mapping

import click

from patchgen.cli.printer import OutputError, ReaderGoneError, echo
from patchgen.cli.terminal import is_terminal
from patchgen.errors import PatchgenError
from patchgen.interrupts import EXIT_INTERRUPTED, describe_written

# Hints for errors that the machine causes, not patchgen.
_HINTS = {
    errno.ENOSPC: "the disk is full; TMPDIR names another place for temporary files",
    errno.EDQUOT: "your quota is used up; TMPDIR names another place for temporary files",
    errno.EFBIG: "a limit on the size of files was reached (ulimit -f)",
    errno.EMFILE: "a limit on the number of open files was reached (ulimit -n)",
    errno.ENFILE: "the system has too many open files",
    errno.EAGAIN: "a limit on the number of processes was reached (ulimit -u)",
    errno.ENOMEM: "the memory is used up, or a limit on it was reached (ulimit -v)",
}


class CommandError(Exception):
    """A refusal, described with the options of the command that was called."""

    def __init__(self, error: PatchgenError, options: Mapping[str, str]):
        super().__init__(str(error))
        self.exit_code = error.exit_code
        self.text = error.describe(options)
        # For a person: a script knows the code, and its log should not repeat the line.
        if error.code and is_terminal(sys.stderr):
            self.text += f"\n`patchgen help {error.code}` explains this error"


def end_with(err: BaseException) -> int:
    """Print an error for the user; return the exit code."""
    match err:
        case click.ClickException():
            shown = io.StringIO()
            err.show(shown)
            _print_error(shown.getvalue().rstrip("\n"))
            return err.exit_code
        case CommandError():
            if isinstance(err.__cause__, OutputError):
                _drop_output()
            _print_error(f"patchgen: {err.text}")
            return err.exit_code
        case click.Abort() | KeyboardInterrupt():
            _print_error(f"patchgen: interrupted; {describe_written() or 'nothing was written'}")
            return EXIT_INTERRUPTED
        case ReaderGoneError():
            # Either stream; what was written to the other one has been flushed.
            _drop_output()
            _redirect_to_null(2)
            return 0
        case SystemExit():
            return err.code if isinstance(err.code, int) else 0
        case _:
            return _end_with_environment_error(err)


def _end_with_environment_error(err: BaseException) -> int:
    reason = _describe_environment_error(err)
    if reason is None:
        return _report_bug(err)
    _drop_output()
    _print_error(f"patchgen: {reason}")
    return 1


def _describe_environment_error(err: BaseException) -> str | None:
    """Return the message for an error of the machine or of the input's size; None for a bug."""
    match err:
        case FileNotFoundError() if not err.filename and not os.access(".", os.F_OK):
            return "the working directory no longer exists"
        case OSError():
            where = f"{err.filename}: " if err.filename else ""
            hint = _HINTS.get(err.errno or 0)
            return f"{where}{err.strerror or err}" + (f"\nhint: {hint}" if hint else "")
        case MemoryError():
            return f"out of memory\nhint: {_HINTS[errno.ENOMEM]}"
        case RecursionError():
            return "the input is nested too deeply to be read"
        case RuntimeError() if "can't start new thread" in str(err):
            return f"cannot start a thread\nhint: {_HINTS[errno.EAGAIN]}"
        case _:
            return None


def _print_error(text: str) -> None:
    """Print to standard error, if that can be written."""
    try:
        echo(text, err=True)
    except (OSError, PatchgenError, ReaderGoneError):
        _redirect_to_null(2)


def _drop_output() -> None:
    """Discard buffered output: Python would report the same error again when it flushes."""
    _redirect_to_null(1)


def _redirect_to_null(number: int) -> None:
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def _report_bug(err: BaseException) -> int:
    """Write the traceback to a log file, and print the file's name."""
    import platform
    import tempfile
    import traceback

    from patchgen.version import find_version

    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="patchgen-bug-", suffix=".log", delete=False, errors="backslashreplace"
        ) as log:
            log.write(
                f"patchgen {find_version()}, Python {platform.python_version()}\n{sys.argv}\n"
            )
            traceback.print_exception(err, file=log)
        details = f"the details are in {log.name}; please report them"
    except OSError as failure:
        details = f"the details cannot be written: {failure.strerror}"
    _print_error(f"patchgen: this is a bug in patchgen: {err!r}\nhint: {details}")
    return 3
