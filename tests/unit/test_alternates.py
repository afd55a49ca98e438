# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders of borrowed objects: what patchgen writes for git, and reads of what git takes."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from patchgen.errors import RefusedError
from patchgen.odb.opening import check_alternates, read_alternates
from patchgen.quoting import quote_path
from tests.support.examples import examples

NAMES = st.binary(min_size=1, max_size=20).filter(
    lambda name: b"\0" not in name and b"/" not in name and name not in (b".", b"..")
)


@given(NAMES)
def test_any_path_is_read_back_as_it_was_written(name):
    with tempfile.TemporaryDirectory() as folder:
        objects = Path(folder)
        (objects / "info").mkdir()
        path = Path("/srv") / os.fsdecode(name)
        (objects / "info/alternates").write_bytes(quote_path(path) + b"\n")
        assert list(read_alternates(objects)) == [path]


@examples(15)
@given(NAMES)
def test_git_borrows_from_any_path(name):
    with tempfile.TemporaryDirectory() as folder:
        lender, borrower = Path(folder) / os.fsdecode(name), Path(folder) / "x" / "borrower"
        for repository in (lender, borrower):
            subprocess.run(["git", "init", "-q", "--bare", repository], check=True)
        args = ["git", "--git-dir", lender, "hash-object", "-w", "--stdin"]
        oid = subprocess.run(args, input=b"x", capture_output=True, check=True).stdout.strip()
        alternates = borrower / "objects/info/alternates"
        alternates.write_bytes(quote_path(lender / "objects") + b"\n")
        args = ["git", "--git-dir", borrower, "cat-file", "blob", oid]
        assert subprocess.run(args, capture_output=True, check=True).stdout == b"x"
        check_alternates(borrower / "objects")


def test_comments_empty_lines_and_relative_paths_are_read_as_git_does(tmp_path):
    (tmp_path / "info").mkdir()
    (tmp_path / "info/alternates").write_text('# "none"\n\n../other\n"/a\\tb\\101"\n')
    assert list(read_alternates(tmp_path)) == [tmp_path / "../other", Path("/a\tbA")]


def test_a_missing_folder_further_down_is_named(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name / "info").mkdir(parents=True)
    (tmp_path / "a/info/alternates").write_text(f"{tmp_path}/b\n")
    (tmp_path / "b/info/alternates").write_text(f"{tmp_path}/gone\n{tmp_path}/a\n")
    with pytest.raises(RefusedError, match=f"borrows objects from {tmp_path}/gone, which does not"):
        check_alternates(tmp_path / "a")
    (tmp_path / "gone").mkdir()
    check_alternates(tmp_path / "a")
