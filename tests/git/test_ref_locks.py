# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock that another git holds, or has left, is named with what to do about it."""

from __future__ import annotations

import pytest

from patchgen.errors import RefusedError
from patchgen.odb import Quarantine, Repository
from tests.support.small_variant import make_small_tree


def test_a_lock_is_named_without_the_advice_of_git(tmp_path, git):
    tree = make_small_tree(tmp_path, git)
    lock = tree / ".git/refs/heads/made.lock"
    lock.write_text("")
    repository = Repository(tree)
    try:
        base = repository.resolve_commit("master")
        with (
            Quarantine(repository) as quarantine,
            pytest.raises(RefusedError, match="refs/heads/made cannot be written") as refused,
        ):
            quarantine.publish("refs/heads/made", base, base, None, "test")
    finally:
        repository.close()
    assert f"remove {lock}" in (refused.value.hint or "")
    assert "\n" not in refused.value.message
