# SPDX-License-Identifier: GPL-2.0-or-later
"""A work tree of patchgen's own has the files that it is asked for."""

from __future__ import annotations

from patchgen.odb import Checkout, Repository
from tests.support.kernels import commit_all


def test_files_with_any_name_are_checked_out(tmp_path):
    names = ["a\udcff.c", "b.c", "c ?*.c"]
    for name in [*names, "other.c"]:
        (tmp_path / name).write_text(ascii(name))
    commit_all(tmp_path, "files")
    repository = Repository(tmp_path)
    with Checkout(repository) as checkout:
        # The last one is in no tree: it is not a byte's, but a mail in UTF-7 can name it.
        checkout.choose_files(["/a\udcff.c", "/b.c", r"/c \?\*.c", "/\ud800"])
        checkout.switch(repository.resolve_commit("HEAD"))
        assert sorted(path.name for path in checkout.folder.iterdir()) == [".git", *names]
    repository.close()
