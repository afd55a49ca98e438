# SPDX-License-Identifier: GPL-2.0-or-later
"""What is named like a semantic patch and cannot be read is reported, not passed over."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from patchgen.commands.run import list_semantic_patches, read_semantic_patch
from patchgen.errors import SpecError


@pytest.mark.parametrize("kind", ["FIFO", "loop", "dangling"])
def test_a_folder_of_semantic_patches_lists_what_cannot_be_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.cocci"
    if kind == "FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to(path.name if kind == "loop" else "nowhere")
    (tmp_path / "folder.cocci").mkdir()
    tree = SimpleNamespace()
    assert list_semantic_patches(str(tmp_path), tree) == [str(path)]
    with pytest.raises(SpecError, match="is not a regular file"):
        read_semantic_patch(tree, str(path))
