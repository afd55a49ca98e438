# SPDX-License-Identifier: GPL-2.0-or-later
"""The change log of a version describes an existing patch, or the series."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from patchgen.errors import PatchgenError, RefusedError, UsageError
from patchgen.reroll.changelog import ChangeLog, check_changes, read_changes

NAMES = ("op", "late-hook")


def read(*args: str, folder: Path | None = None) -> ChangeLog:
    return read_changes(args, folder, 5, NAMES)


def test_a_change_of_a_patch_is_not_one_of_the_series():
    assert read(" op =Rename it").patches == {"op": ("Rename it",)}
    changes = read("op=Rename it", "late-hook=x = y", "Rebase", "Use x = y now", "cover=A=y is set")
    assert changes.patches == {"op": ("Rename it",), "late-hook": ("x = y",)}
    assert changes.cover == ("Rebase", "Use x = y now", "A=y is set")


UNKNOWN = ("opp=Rename it", "Op=Rename it", "CONFIG_X=y is needed", "opp =Rename it", "1=Rename")
ODD = ("0001=Rename it", "sev/op=Rename it", "op,late-hook=Rename it", '"op"=Rename it', "=Rename")


@pytest.mark.parametrize("arg", [*UNKNOWN, *ODD])
def test_an_unknown_patch_is_not_read_as_text_of_the_cover_letter(arg):
    with pytest.raises(UsageError, match="the series has no patch") as raised:
        read(arg)
    assert "its patches are op, late-hook; cover=TEXT is for the cover letter" in str(raised.value)


@pytest.mark.parametrize("arg", ["op=", "op= ", "", " ", "cover="])
def test_an_empty_change_is_not_dropped(arg):
    with pytest.raises(UsageError, match="has no text"):
        read(arg)


@pytest.mark.parametrize("name", ["nothing.txt", "Cover.txt", "op .txt"])
def test_a_file_of_an_unknown_patch_is_refused(tmp_path, name):
    (tmp_path / name).write_text("Rename it.\n")
    with pytest.raises(RefusedError, match="the series has no patch"):
        read(folder=tmp_path)


def test_a_link_in_a_folder_of_change_logs_is_not_followed(tmp_path):
    (tmp_path / "secret").write_text("secret\n")
    folder = tmp_path / "changelog"
    folder.mkdir()
    (folder / "cover.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(RefusedError, match="is not a regular file"):
        read(folder=folder)


def test_a_change_of_a_patch_that_fell_away_is_not_dropped():
    changes = read("op=Rename it")
    check_changes(changes, 5, ["op"])
    with pytest.raises(RefusedError, match="v5 has no patch 'op'") as raised:
        check_changes(changes, 5, ["late-hook"])
    assert "its patches are late-hook" in str(raised.value)


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_no_text_is_lost_without_an_error(text):
    try:
        changes = read(text)
    except UsageError:
        assert "=" in text
        return
    assert [*changes.cover, *itertools.chain(*changes.patches.values())]


def test_a_huge_change_log_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "cover.txt").open("w") as file:
        file.truncate(1 << 30)
    with pytest.raises(PatchgenError, match="is larger than"):
        read(folder=tmp_path)
