# SPDX-License-Identifier: GPL-2.0-or-later
"""Read git objects from a single `git cat-file --batch-command`, which GitPython starts.

GitPython adds to patchgen's own environment and removes no variables, so each variable that would
point git to other objects is set to its right value (git(1), ENVIRONMENT VARIABLES).
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from pathlib import Path
from typing import IO, Any

from patchgen.errors import ToolError
from patchgen.model.base import Oid

# Number of requests whose answers are in memory at once.
_AT_ONCE = 32
_FOUND = re.compile(rb"([0-9a-f]+) (blob|commit|tag|tree) ([0-9]+)\n")
# In a tree object: mode, space, name, NUL, and an id in binary. Source: git's
# Documentation/gitformat-pack.txt and tree-walk.c.
_ENTRIES = {
    size: re.compile(rb"([0-7]+) ([^\0]+)\0(.{%d})" % (size // 2), re.DOTALL) for size in (40, 64)
}

# The mode and id of an entry of a tree, such as a file, a folder ("40000") or a submodule.
# A class takes longer to create 80,000 times than it takes to list them.
Entry = tuple[str, Oid]
# The entries of a tree object by name, in git's order.
Folder = dict[str, Entry]


class ObjectReader:
    """Reads the objects of a repository; its process starts with the first request.

    `git_dir` is the folder of the repository, `common_dir` has its refs and objects. Objects are
    named by ids or revisions (gitrevisions(7)). Threads may share a reader.
    """

    def __init__(self, git_dir: Path, common_dir: Path, environment: Mapping[str, str]):
        self._environment = {
            **environment,
            "GIT_DIR": str(git_dir),
            "GIT_COMMON_DIR": str(common_dir),
            "GIT_OBJECT_DIRECTORY": str(common_dir / "objects"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": "",
            "GIT_WORK_TREE": str(git_dir),
            "GIT_NAMESPACE": "",
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._folders: dict[Oid, Folder] = {}

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, bytes] | None]:
        """Yield type and content of each named object, None for one that the repository lacks."""
        for found in self._ask("contents", names):
            yield found and (found[1], found[2])

    def find(self, names: Sequence[str]) -> list[tuple[Oid, str] | None]:
        """Return id and type of each named object, None for one that the repository lacks."""
        return [found and (found[0], found[1]) for found in self._ask("info", names)]

    def read_folders(self, oids: Sequence[Oid]) -> list[Folder | None]:
        """Return the entries of tree objects, None for one that the repository lacks.

        They are cached, as they cannot change.
        """
        new = [oid for oid in dict.fromkeys(oids) if oid not in self._folders]
        for oid, found in zip(new, self.read(new), strict=True):
            if found is not None and found[0] == "tree":
                self._folders[oid] = {
                    os.fsdecode(name): (_read_mode(mode), Oid(raw.hex()))
                    for mode, name, raw in _ENTRIES[len(oid)].findall(found[1])
                }
        return [self._folders.get(oid) for oid in oids]

    def close(self) -> None:
        """End the process; a later request starts another."""
        if self._process is not None:
            process, self._process = self._process, None
            # It may wait for somebody to read its answers.
            process.kill()
            with suppress(BrokenPipeError), process:
                pass

    def _ask(self, command: str, names: Sequence[str]) -> Iterator[tuple[Oid, str, bytes] | None]:
        remaining = iter(names)
        while chunk := list(islice(remaining, _AT_ONCE)):
            # Names come from users. These characters end requests, and are in no name of an object.
            requested = [name for name in chunk if "\n" not in name and "\0" not in name]
            requests = [f"{command} {name}\n" for name in requested]
            with self._lock:
                stdin, stdout = self._start()
                try:
                    # A git that has died is reported when its answer is missing.
                    with suppress(BrokenPipeError):
                        stdin.write(os.fsencode("".join(requests)) + b"flush\n")
                        stdin.flush()
                    answers = [self._read_answer(stdout, command == "contents") for _ in requested]
                except BaseException:
                    # Answers that are left unread would become those of the next requests.
                    self.close()
                    raise
            found = dict(zip(requested, answers, strict=True))
            yield from map(found.get, chunk)

    def _read_answer(self, stdout: IO[bytes], has_content: bool) -> tuple[Oid, str, bytes] | None:
        line = stdout.readline()
        if not line.endswith(b"\n"):
            assert self._process is not None and self._process.stderr
            errors = self._process.stderr.read().decode("utf-8", "replace").strip()
            raise ToolError(
                f"git cannot read objects: {errors or 'it has ended'}", code="git-failed"
            )
        match = _FOUND.fullmatch(line)
        if match is None:
            # "NAME missing" or "NAME ambiguous".
            return None
        content = stdout.read(int(match[3]) + 1)[:-1] if has_content else b""
        return Oid(match[1].decode()), match[2].decode(), content

    def _start(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            import git

            # Not git.Repo, which obeys GIT_WORK_TREE and core.worktree and starts git there.
            runner = git.Git(self._environment["GIT_DIR"])
            runner.update_environment(**self._environment)
            handle: Any = runner.execute(
                ["git", "cat-file", "--batch-command", "--buffer"],
                as_process=True,
                istream=subprocess.PIPE,
                # Ctrl-C must not end it before patchgen is done: it ends with its input.
                start_new_session=True,
            )
            # GitPython's destructor would wait for the process; an interrupt there has no handler.
            self._process, handle.proc = handle.proc, None
        assert self._process is not None and self._process.stdin and self._process.stdout
        return self._process.stdin, self._process.stdout


@cache
def _read_mode(mode: bytes) -> str:
    """Return a mode as git shows it: of a file's permissions only the execute bit matters."""
    if mode.startswith(b"100"):
        return "100755" if int(mode, 8) & 0o100 else "100644"
    return mode.decode()
