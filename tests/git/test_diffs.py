# SPDX-License-Identifier: GPL-2.0-or-later
"""What `run` prints as a diff: `git apply` makes the new file of the old one."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import example, given, strategies

from patchgen.model.series import FileEdit
from patchgen.sweep import format_diff
from tests.support.examples import examples

# Few kinds of lines, so that many are equal, and long runs of them, so that hunks come apart.
LINES = strategies.lists(strategies.sampled_from([b"\n", b"\tx;\n", b"a\xff\n", b"}\r\n"]))
TEXTS = strategies.builds(
    lambda runs, end: b"".join(runs) + end,
    strategies.lists(
        strategies.one_of(LINES.map(b"".join), strategies.just(b"same\n" * 9)), max_size=5
    ),
    strategies.sampled_from([b"", b"no end"]),
)


@examples(60)
@given(before=TEXTS, after=TEXTS)
@example(before=b"", after=b"one\n")
@example(before=b"one\n", after=b"")
@example(before=b"one", after=b"one\n")
@example(before=b"1\n2\n3\n4\n5\n6\n7\n8\n", after=b"0\n1\n2\n3\n4\n5\n6\n7\n8")
def test_git_apply_makes_the_new_file_of_the_old_one(before, after):
    check(PurePosixPath("f.c"), before, after)


@pytest.mark.parametrize("name", ["a b.c", '"q".c', "back\\slash.c", "line\nend.c", "é.c", "\t"])
def test_a_name_is_written_as_git_reads_it(name):
    check(PurePosixPath(name), b"one\n", b"two\n")


def check(path: PurePosixPath, before: bytes, after: bytes) -> None:
    if before == after:
        return
    diff = format_diff(FileEdit(path, "100644", before, after))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path
        file.write_bytes(before)
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-"],
            input=diff.encode("utf-8", "surrogateescape"),
            cwd=folder,
            check=True,
        )
        assert file.read_bytes() == after
