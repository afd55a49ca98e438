# SPDX-License-Identifier: GPL-2.0-or-later
"""Patterns of paths in manifests: what they match, and that no pattern takes for ever."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from patchgen.model.base import compile_glob
from tests.support.bounded import run_bounded
from tests.support.examples import examples

# Fifty wildcards and more, of each kind, and a path that fits up to its end.
_LONG = (
    ("**/a/" * 40 + "b", "a/" * 80 + "c"),
    ("?*" * 1500 + "b", "a" * 4000),
    ("*a" * 500 + "b", "a" * 4000),
    ("**a" * 500 + "b", "a" * 4000),
    ("**/*a*" * 300 + "b", "a/" * 2000),
    ("[a-z]**" * 300 + "/", "a" * 4000),
)


def matches(pattern: str, path: str, before: str = "/") -> bool:
    """The rule in words, tried in all ways. `before` is what stands before in the pattern."""
    if not pattern:
        return not path
    if pattern.startswith("**/") and before == "/":
        ends = (at + 1 for at, character in enumerate(path) if character == "/")
        return any(matches(pattern[3:], path[end:]) for end in (0, *ends))
    if pattern.startswith("**"):
        return any(matches(pattern[2:], path[at:], "*") for at in range(len(path) + 1))
    if pattern.startswith("*"):
        first = path.partition("/")[0]
        return any(matches(pattern[1:], path[at:], "*") for at in range(len(first) + 1))
    fits = path[:1] not in ("", "/") if pattern[0] == "?" else path[:1] == pattern[0]
    return fits and matches(pattern[1:], path[1:], pattern[0])


_patterns = st.lists(st.sampled_from(["a", "b", "/", "*", "?", "/**/", "**"]), max_size=9)
_paths = st.text("ab/", max_size=12)


@examples(1000)
@given(_patterns.map("".join), _paths)
def test_a_pattern_matches_by_the_first_fit_what_it_matches_in_any_way(pattern, path):
    assert bool(compile_glob(pattern).fullmatch(path)) == matches(pattern, path)


def test_a_pattern_of_many_wildcards_does_not_hang():
    program = (
        "import ast, sys\nfrom patchgen.model.base import compile_glob\n"
        "for glob, path in ast.literal_eval(sys.stdin.read()): compile_glob(glob).fullmatch(path)"
    )
    run_bounded(program, _LONG)


@pytest.mark.parametrize(
    ("pattern", "path", "is_match"),
    [
        ("a/[!b]c", "a/xc", True),
        ("a/[!b]c", "a/bc", False),
        ("a[!b]c", "a/c", False),
        ("a/[\\d]", "a/7", False),
        ("**/x.c", "x.c", True),
        ("a/**", "a/b/c\nd", True),
        ("a/**/*.c", "a/b.c", True),
    ],
)
def test_characters_in_brackets_stay_within_a_folder(pattern, path, is_match):
    assert bool(compile_glob(pattern).fullmatch(path)) == is_match


def test_a_range_that_is_none_is_refused():
    with pytest.raises(ValueError, match="is not a pattern of paths"):
        compile_glob("[z-a]")
