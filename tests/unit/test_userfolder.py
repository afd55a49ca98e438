# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the user's files are, also in a container that does not know the user."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from patchgen.cachefile import cache_path
from patchgen.errors import PatchgenError, SpecError
from patchgen.spec import Settings
from patchgen.truststore import read_trust


def load_user_people() -> object:
    return Settings(Path("/")).load_people()


def test_a_user_without_a_home_gets_a_hint(monkeypatch):
    def find_nobody(uid: int) -> object:
        raise KeyError(uid)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", find_nobody)
    for read in (load_user_people, read_trust):
        with pytest.raises(PatchgenError, match="home directory") as refused:
            read()
        assert refused.value.hint == "set HOME or XDG_CONFIG_HOME"
    with pytest.raises(PatchgenError, match="home directory"):
        cache_path("x")


def test_trust_is_never_read_from_the_folder_that_one_is_in(tmp_path, monkeypatch):
    """A relative path would name a file of the tree."""
    store = tmp_path / "here/patchgen/trust.json"
    store.parent.mkdir(parents=True)
    store.write_text("damaged")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    assert read_trust() == ()


@pytest.mark.parametrize("kind", ["folder", "FIFO", "loop", "dangling"])
def test_a_configuration_that_is_not_a_file_is_not_passed_over(tmp_path, monkeypatch, kind):
    path = tmp_path / "patchgen/config.toml"
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to(path.name if kind == "loop" else "nowhere")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(SpecError) as refused:
        load_user_people()
    assert refused.value.place is not None
    assert Path(refused.value.place.file) == path
