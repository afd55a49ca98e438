# SPDX-License-Identifier: GPL-2.0-or-later
"""A file that the user names is written whole or not at all."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from patchgen.cli.output_file import check_output_file, write_output_file
from patchgen.errors import UsageError


def test_a_run_that_ends_while_it_writes_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    log = tmp_path / "log.sarif"
    log.write_text("old")

    def end(self: Path, text: str, **_: object) -> None:
        with self.open("w") as file:
            file.write(text[:1])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", end)
    with pytest.raises(KeyboardInterrupt):
        write_output_file(log, "new")
    assert log.read_bytes() == b"old" and list(tmp_path.iterdir()) == [log]


def test_a_file_that_exists_keeps_its_mode_and_the_links_to_it(tmp_path):
    log, link = tmp_path / "log", tmp_path / "link"
    log.write_text("old")
    log.chmod(0o640)
    link.symlink_to("log")
    write_output_file(link, "new")
    assert link.is_symlink() and log.read_text() == "new"
    assert stat.S_IMODE(log.stat().st_mode) == 0o640


def test_a_fifo_is_written_and_not_replaced(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(fifo.read_text()))
    reader.start()
    write_output_file(fifo, "new")
    reader.join()
    assert read == ["new"] and fifo.is_fifo()


def test_what_cannot_be_written_is_named(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    for path in (tmp_path / ("x" * 300), tmp_path, Path("/dev/full"), tmp_path / "no/x"):
        with pytest.raises(UsageError, match="cannot be written"):
            write_output_file(path, "new")
    with pytest.raises(UsageError, match="does not exist"):
        check_output_file(tmp_path / "no/x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loop"]
