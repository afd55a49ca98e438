# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reroll waits with may be damaged: a message, and the way out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from patchgen.errors import RefusedError
from patchgen.reroll.conflicts import forget_stopped, is_stopped, read_stopped
from patchgen.reroll.request import RerollRequest, from_document, to_document

STATE = {"format": 1, "request": {}, "conflicts": []}
DAMAGED = [
    "",
    "[]",
    "5",
    "\0",
    "[" * 100_000,
    json.dumps({**STATE, "format": 2}),
    json.dumps({**STATE, "request": 5}),
    json.dumps({**STATE, "conflicts": [1]}),
    json.dumps({**STATE, "conflicts": [{"file": "a", "key": "b"}]}),
    json.dumps({"format": 1}),
]


@pytest.fixture
def state(tmp_path) -> Path:
    path = tmp_path / "patchgen/reroll/state.json"
    path.parent.mkdir(parents=True)
    return path


def refuse(state: Path) -> None:
    with pytest.raises(RefusedError, match=r"state\.json cannot be read") as refused:
        read_stopped(SimpleNamespace(git_dir=state.parents[2]))
    assert "`patchgen reroll --abort`" in (refused.value.hint or "")


@pytest.mark.parametrize("text", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_state_is_named_with_the_way_out(state, text):
    state.write_text(text)
    refuse(state)


@pytest.mark.parametrize("kind", ["FIFO", "folder", "loop"])
def test_a_state_that_is_not_a_file_is_not_waited_for(state, kind):
    if kind == "FIFO":
        os.mkfifo(state)
    elif kind == "folder":
        state.mkdir()
    else:
        state.symlink_to(state.name)
    refuse(state)
    repository = SimpleNamespace(git_dir=state.parents[2])
    assert is_stopped(repository)
    forget_stopped(repository)
    assert not is_stopped(repository) and not state.parent.exists()


def test_a_file_in_the_place_of_the_folder_means_that_no_reroll_waits(tmp_path):
    (tmp_path / "patchgen").write_text("")
    repository = SimpleNamespace(git_dir=tmp_path)
    assert not is_stopped(repository)
    with pytest.raises(RefusedError, match="no reroll is waiting here"):
        read_stopped(repository)


def test_a_request_is_read_as_it_was_written(tmp_path):
    request = RerollRequest(tmp_path, base="v6.1", changes=("a",), output=tmp_path / "x")
    document = json.loads(json.dumps(to_document(request, "topic")))
    read = from_document(RerollRequest(tmp_path), document)
    assert read == RerollRequest(
        tmp_path, "topic", base="v6.1", changes=("a",), output=tmp_path / "x", resume=True
    )


@pytest.mark.parametrize("change", [{"changes": 5}, {"later": 1}, {"revision": "x"}], ids=str)
def test_a_request_of_another_form_is_refused(tmp_path, change):
    document = {**to_document(RerollRequest(tmp_path), "topic"), **change}
    with pytest.raises(RefusedError, match="cannot be read"):
        from_document(RerollRequest(tmp_path), document)
