# SPDX-License-Identifier: GPL-2.0-or-later
"""Run patchgen in processes that start with its modules imported.

The imports are half of the time of a command on the toy tree. A server imports them once, and forks
for each call. The child has the arguments, the environment, the working directory and the standard
streams of the call, and runs patchgen.__main__ as `python -m patchgen` does: it handles signals,
starts programs and exits as any process.

No call can affect another one: of patchgen, the server itself runs only the imports, and builds the
schemas of its models. Each child starts with that state, and its own changes (caches, signal
handlers, environment, umask) end with it. tests/unit/test_fork_server.py checks that no import
fills a cache.

All children of a server have the same seed of hash(), so they iterate over a set in the same order.
Whether output depends on that order shows only in new processes: tests/git/test_killed.py compares
the refs and files of those.

Python and GitPython read some variables only when they start. If those differ between a call and
the server, the caller has to start a new interpreter (`can_serve`).
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support import TOP

# Only --dask imports Dask, which starts threads.
_NOT_PRELOADED = ("dask",)
_AT_START = ("PYTHON", "LC_", "LANG", "GIT_PYTHON")
_STREAMS = (
    (0, "stdin", "r", "surrogateescape"),
    (1, "stdout", "w", "surrogateescape"),
    (2, "stderr", "w", "backslashreplace"),
)


class ForkServer:
    """A server process, with its environment, that runs until `close`."""

    def __init__(self, environment: Mapping[str, str]):
        self._environment = {**environment, "PYTHONPATH": str(TOP)}
        self._socket, server_side = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with server_side:
            argv = [sys.executable, "-m", __name__, str(server_side.fileno())]
            self._process = subprocess.Popen(
                argv, env=self._environment, pass_fds=[server_side.fileno()]
            )

    def close(self) -> None:
        """End the server."""
        self._socket.close()
        self._process.wait()

    def can_serve(self, environment: Mapping[str, str]) -> bool:
        """Return whether the variables that Python reads at its start are those of the server."""
        return _read_at_start(environment) == _read_at_start(self._environment)

    def run(
        self, args: Sequence[str], cwd: Path | None, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        """Run patchgen without standard input, and return its exit code and output."""
        request = {"args": args, "cwd": str(cwd or Path.cwd()), "environment": dict(environment)}
        reply, reply_of_server = socket.socketpair()
        descriptors = [os.open(os.devnull, os.O_RDONLY)]
        outputs = []
        for _ in ("stdout", "stderr"):
            readable, writable = os.pipe()
            outputs.append(readable)
            descriptors.append(writable)
        # The length of a socket message is limited; that of a file is not.
        document = os.memfd_create("request")
        os.write(document, json.dumps(request).encode())
        descriptors += [document, reply_of_server.fileno()]
        socket.send_fds(self._socket, [b"run"], descriptors)
        reply_of_server.close()
        for descriptor in descriptors[:-1]:
            os.close(descriptor)
        with reply, ThreadPoolExecutor(2) as readers:
            out, err = readers.map(_read_all, outputs)
            status = reply.recv(16)
        assert status, "the server that forks patchgen has ended"
        return subprocess.CompletedProcess(args, int(status), out, err)


def _read_all(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in environment.items() if name.startswith(_AT_START)}


# --- the server ---------------------------------------------------------------------------------


def _serve(number: int) -> list[int] | None:
    """Fork for each request until the client closes the socket.

    In a child, return the descriptors of its streams and its request.
    """
    gc.disable()
    _preload()
    # Keep the garbage collector of a child away from the objects that it shares with the server.
    gc.freeze()
    with socket.socket(fileno=number) as requests, selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not requests:
                    selector.unregister(key.fileobj)
                    _report(*key.data)
                    continue
                _, descriptors, _, _ = socket.recv_fds(requests, 16, 5)
                if not descriptors:
                    return None
                *inherited, reply = descriptors
                child = os.fork()
                if child == 0:
                    return inherited
                for descriptor in inherited:
                    os.close(descriptor)
                handle = os.pidfd_open(child)
                selector.register(handle, selectors.EVENT_READ, (child, handle, reply))


def _preload() -> None:
    """Import all modules of patchgen, also those that it imports only within functions.

    patchgen imports GitPython, and builds the schemas of its models, when it uses them: a third of
    the processor time of a command on the toy tree.
    """
    import git  # noqa: F401
    from pydantic import BaseModel

    import patchgen

    for module in pkgutil.walk_packages(patchgen.__path__, "patchgen."):
        if module.name.rpartition(".")[2] not in (*_NOT_PRELOADED, "__main__"):
            importlib.import_module(module.name)
    models = [BaseModel]
    for model in models:
        models += model.__subclasses__()
        if model.__module__.startswith("patchgen."):
            model.model_rebuild()


def _report(child: int, handle: int, reply: int) -> None:
    """Send a child's exit code, or the negative number of the signal that ended it."""
    _, status = os.waitpid(child, 0)
    os.write(reply, str(os.waitstatus_to_exitcode(status)).encode())
    os.close(reply)
    os.close(handle)


def _become_patchgen(descriptors: Sequence[int]) -> None:
    """Run patchgen in a forked child, with the streams and the request of `descriptors`."""
    *streams, document = descriptors
    with os.fdopen(document, "rb") as file:
        file.seek(0)
        request = json.load(file)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    # As Python opens them in the locale C, which turns on its UTF-8 mode.
    for number, name, mode, errors in _STREAMS:
        stream = os.fdopen(number, mode, encoding="utf-8", errors=errors, closefd=False)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    # All others belong to the server: those for this child, and those for other children.
    os.closerange(3, 1024)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["cwd"])
    sys.argv = ["patchgen", *request["args"]]
    from patchgen.__main__ import main

    main()


if __name__ == "__main__":
    inherited = _serve(int(sys.argv[1]))
    if inherited is not None:
        _become_patchgen(inherited)
