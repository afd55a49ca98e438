# SPDX-License-Identifier: GPL-2.0-or-later
"""Kill patchgen with SIGKILL or another signal, run it again, and check the result.

As a program it runs patchgen and sends a signal at the events with the numbers $KILL_AT. The events
are Python's audit events for starting a program and for creating, renaming or removing a file or
folder, so at most one such step lies between two events.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import TOP

_EVENTS = ("subprocess.Popen", "os.rename", "os.mkdir", "os.remove", "os.rmdir")
DATE = "1629460000"
# How often each command is killed at a random moment.
KILLS = int(os.environ.get("PATCHGEN_KILLS", "60"))


@dataclass(frozen=True)
class Ended:
    """How a run ended, and its events unless it was killed."""

    code: int
    text: str
    events: Sequence[str]
    seconds: float

    @property
    def moves_refs(self) -> int:
        """The number of the event with which git begins to move refs, the last one of these."""
        mark = "'update-ref', '--stdin'"
        return max(number for number, event in enumerate(self.events, 1) if mark in event)


@dataclass
class Campaign:
    """A command that is killed in a copy of a prepared tree, again and again.

    `args` begin with the command; the copy of the tree is the working directory. A run that finds
    nothing left to do prints a message that matches `repeat_message`.
    """

    prepared: Path
    args: Sequence[str | Path]
    repeat_message: str
    folder: Path

    def __post_init__(self) -> None:
        self.tree, self.tmp = self.folder / "killed", self.folder / "tmp"
        self.tmp.mkdir()
        self.copy()
        self.before = read_refs(self.tree)
        self.whole = self.run()
        assert self.whole.code == 0, self.whole.text
        assert list(self.tmp.iterdir()) == []
        self.after = read_refs(self.tree)
        self.files = read_files(self.tree)

    def run(
        self,
        *kill_at: int,
        whole_group: bool = False,
        kill_after_s: float = 0,
        number: int = signal.SIGKILL,
    ) -> Ended:
        """Run the command, with a signal at events, or killed after a time, or to its end."""
        events = self.folder / "events"
        events.unlink(missing_ok=True)
        env = {
            **os.environ,
            "PYTHONPATH": str(TOP),
            "TMPDIR": str(self.tmp),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "SOURCE_DATE_EPOCH": DATE,
            "KILL_AT": " ".join(map(str, kill_at)),
            "KILL_SIGNAL": str(int(number)),
            "KILL_GROUP": "1" if whole_group else "",
            "KILL_EVENTS": str(events),
        }
        begin = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.killing", *map(str, self.args)],
            cwd=self.tree,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            encoding="utf-8",
            env=env,
        )
        if kill_after_s:
            time.sleep(kill_after_s)
            if whole_group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        text, _ = process.communicate()
        seconds = time.monotonic() - begin
        self._wait_for_children()
        names = events.read_text().splitlines() if events.exists() else []
        return Ended(process.returncode, text, names, seconds)

    def try_event(self, number: int, *, whole_group: bool) -> None:
        """Kill it at an event, run it again, and check the repository and all files."""
        self.copy()
        killed = self.run(number, whole_group=whole_group)
        assert killed.code == -signal.SIGKILL, killed
        self._check(f"event {number} of {len(self.whole.events)}, group: {whole_group}")

    def try_signal(self, number: int, *events: int) -> None:
        """Interrupt it at events, and check that it cleans up and that its message is true."""
        self.copy()
        ended = self.run(*events, number=number)
        when = f"signal {number} at events {events} of {len(self.whole.events)}: {ended}"
        assert "Traceback" not in ended.text and ended.code in (0, 130), when
        assert list(self.tmp.iterdir()) == [], when
        refs = read_refs(self.tree)
        if "nothing was written" in ended.text:
            assert refs == self.before, when
            assert not [name for name in read_files(self.tree) if ".patch" in name], when
        else:
            assert ended.code == 0 or "written before" in ended.text, when
            assert (refs, read_files(self.tree)) == (self.after, self.files), when

    def try_moments(self, count: int, seed: int) -> None:
        """Kill it at random moments of a run, as try_event does at events."""
        moments = random.Random(seed)
        for number in range(count):
            self.copy()
            after_s = moments.uniform(0.01, 1.05) * self.whole.seconds
            self.run(whole_group=moments.random() < 0.5, kill_after_s=after_s)
            self._check(f"try {number} with seed {seed}, killed after {after_s:.3f} s")

    def _check(self, when: str) -> None:
        assert read_refs(self.tree) in (self.before, self.after), when
        fsck = git(self.tree, "fsck", "--connectivity-only")
        assert not re.search("missing|broken|error|fatal", fsck), f"{when}: {fsck}"
        again = self.run()
        assert again.code == 0 or (
            again.code == 1 and re.search(self.repeat_message, again.text)
        ), f"{when}: {again}"
        assert read_refs(self.tree) == self.after, f"{when}: {again}"
        assert read_files(self.tree) == self.files, f"{when}: {again}"
        assert list(self.tmp.iterdir()) == [], when
        assert not [*(self.tree / ".git/refs").rglob("*.lock")], when

    def copy(self) -> None:
        """Restore the prepared tree, and empty the cache."""
        for folder in (self.tree, self.folder / "cache"):
            shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["cp", "-r", self.prepared, self.tree], check=True)

    def _wait_for_children(self) -> None:
        """Wait for surviving child processes: they have this TMPDIR in their environment."""
        mark = os.fsencode(self.tmp)
        while any(mark in environment for environment in _environments()):
            time.sleep(0.01)


def read_refs(tree: Path) -> str:
    """Return all refs with what they point at."""
    return git(tree, "for-each-ref", "--format=%(refname) %(objectname)")


def read_files(tree: Path) -> dict[str, bytes]:
    """Return all files outside .git, hidden ones included, and empty folders."""
    paths = [path for path in tree.rglob("*") if path.relative_to(tree).parts[0] != ".git"]
    return {
        str(path.relative_to(tree)): path.read_bytes() if path.is_file() else b"" for path in paths
    }


def git(tree: Path, *args: str) -> str:
    """Run git in a tree, and return all that it prints."""
    argv = ["git", "-C", tree, *args]
    result = subprocess.run(argv, capture_output=True, check=False, encoding="utf-8")
    return result.stdout + result.stderr


def _environments() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/environ"):
        if path.parent.name != str(os.getpid()):
            try:
                yield path.read_bytes()
            except OSError:
                continue


def _main() -> None:
    """Run patchgen with the arguments, and kill it at the event."""
    from patchgen.__main__ import main

    at, group = set(map(int, os.environ["KILL_AT"].split())), os.environ["KILL_GROUP"]
    number = int(os.environ["KILL_SIGNAL"])
    guard = threading.RLock()
    events: list[str] = []

    def count(name: str, arguments: tuple[object, ...]) -> None:
        if name in _EVENTS:
            with guard:
                # The arguments of a program, but not its environment.
                events.append(f"{name} {arguments[:2]!r}")
                if len(events) in at:
                    os.kill(0 if group else os.getpid(), number)

    sys.addaudithook(count)
    try:
        main()
    finally:
        Path(os.environ["KILL_EVENTS"]).write_text("\n".join(list(events)))


if __name__ == "__main__":
    _main()
