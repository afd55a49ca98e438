# SPDX-License-Identifier: GPL-2.0-or-later
"""A path that is printed has no `..` that only leads back, and keeps symbolic links."""

from __future__ import annotations

from pathlib import Path

import pytest

from patchgen.paths import absolute_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", "linux"),
        ("../v", "v"),
        ("./../linux/../v/", "v"),
        ("link", "linux/link"),
        ("../v/../linux/link/inner", "linux/link/inner"),
        # The link leads to other/far, so its parent is other.
        ("link/..", "linux/link/.."),
        ("../missing/../v", "linux/../missing/../v"),
    ],
)
def test_an_absolute_path_is_the_one_that_a_shell_completes(name, expected, tmp_path, monkeypatch):
    for folder in ("linux", "v", "other/far/inner"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "linux/link").symlink_to("../other/far")
    monkeypatch.chdir(tmp_path / "linux")
    assert str(absolute_path(Path(name))) == f"{tmp_path}/{expected}"
