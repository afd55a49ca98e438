# SPDX-License-Identifier: GPL-2.0-or-later
"""The changes between two texts make one into the other, are few, and stand where git has them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from patchgen import linediff
from patchgen.linediff import LineChange, find_line_changes

lines = st.lists(st.sampled_from("abcd"), max_size=12)


def apply(changes: Sequence[LineChange], old: list[str], new: list[str]) -> list[str]:
    result, at = [], 0
    for change in changes:
        result += old[at : change.old_start] + new[change.new_start : change.new_end]
        at = change.old_end
    return result + old[at:]


@given(lines, lines)
def test_the_changes_make_the_old_text_into_the_new_one(old, new):
    changes = find_line_changes(old, new)
    assert apply(changes, old, new) == new
    assert all(c.old_start < c.old_end or c.new_start < c.new_end for c in changes)
    # Between two changes, as many lines are left in both texts, and at least one.
    for one, next_one in pairwise(changes):
        between = next_one.old_start - one.old_end
        assert between == next_one.new_start - one.new_end > 0


@given(lines, lines)
def test_texts_with_too_many_differences_are_compared_as_far_as_the_limit_goes(old, new):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linediff, "_MAX_DIFFERENCES", 2)
        assert apply(find_line_changes(old, new), old, new) == new


def test_few_changes_among_equal_lines_are_found_as_few():
    function = ["int f(void)", "{", "t = kmalloc(8);", "if (!t)", "return 0;", "memset(t);", "}"]
    old = function * 40
    new = [line.replace("kmalloc", "kzalloc") for line in old if "memset" not in line]
    changes = find_line_changes(old, new)
    assert len(changes) == 80
    assert all(change.old_end - change.old_start == 1 for change in changes)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # A function or a brace that is inserted among its like.
        ("a{x}b{x}", "a{x}n{x}b{x}"),
        ("{x}{x}{x}", "{x}{x}"),
        ("axxxb", "axxxxxb"),
        ("", "a"),
        ("ab", ""),
    ],
)
def test_the_changes_are_where_git_has_them(old, new, tmp_path: Path):
    for name, text in (("old", old), ("new", new)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in text))
    words = ["git", "diff", "--no-index", "--no-color", "-U0", "old", "new"]
    diff = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    theirs = [line.split()[1:3] for line in diff.splitlines() if line.startswith("@@")]
    ours = [[_range("-", c[0], c[1]), _range("+", c[2], c[3])] for c in find_line_changes(old, new)]
    assert ours == theirs


def _range(prefix: str, start: int, end: int) -> str:
    length = end - start
    return f"{prefix}{start + (length > 0)}" + ("" if length == 1 else f",{length}")
