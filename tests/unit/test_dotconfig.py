# SPDX-License-Identifier: GPL-2.0-or-later
"""A .config that cannot be read is named at once, whatever it is and whoever reads it."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from patchgen.errors import UsageError
from patchgen.kernel.built_files import read_built
from patchgen.kernel.configs import find_config
from patchgen.kernel.dotconfig import load_dotconfig

READERS = {
    "audit": load_dotconfig,
    "verify": lambda path: find_config(str(path)),
    "run": lambda path: read_built(SimpleNamespace(), path),
}


@pytest.mark.parametrize("kind", ["FIFO", "huge", "loop", "folder"])
@pytest.mark.parametrize("reader", READERS)
def test_a_config_that_is_not_a_small_regular_file_is_refused_at_once(tmp_path, reader, kind):
    path = tmp_path / "config"
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "huge":
        with path.open("w") as file:
            file.truncate(1 << 30)
    elif kind == "loop":
        path.symlink_to("config")
    else:
        path.mkdir()
    with pytest.raises(UsageError, match="the configuration") as refused:
        READERS[reader](path)
    assert str(path) in refused.value.message
    options = {"config": "--config", "configs": "--config", "only_built": "--only-built"}
    assert "hint: name a .config" in refused.value.describe(options)
