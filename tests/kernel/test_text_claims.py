# SPDX-License-Identifier: GPL-2.0-or-later
"""What the texts claim of a base is looked up in Debian's kernels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from patchgen.odb.repository import Repository
from patchgen.odb.tree import GitTree
from tests.support.claim_table import Claims, Source, find_untrue, load_claims
from tests.support.text_claims import read_uses

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]


@pytest.mark.parametrize("version", ["kernel_6_1", "kernel_6_12"])
def test_a_kernel_has_the_sources_of_each_sentence_that_can_be_rendered_for_it(
    version: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(version)
    repository = Repository(folder)
    tree = GitTree(repository, repository.resolve_tree(repository.resolve_commit("master")))
    untrue = find_untrue(load_claims(), read_uses(), tree)
    assert not untrue, "\n\n".join(["", *untrue])


def test_a_sentence_whose_source_a_kernel_lacks_is_found(kernel_6_12: Path) -> None:
    repository = Repository(kernel_6_12)
    tree = GitTree(repository, repository.resolve_tree(repository.resolve_commit("master")))
    uses = read_uses()
    made, there = (_first(uses, f"semantic-patches/pvops/{path}") for path in _MESSAGES)
    source = Source(file=("arch/x86/kernel/kvm.c",), tokens=("no_such_function(",))
    claims = Claims({made: ("source x",), there: ("source x",)}, {"x": source})
    (untrue,) = find_untrue(claims, uses, tree)
    assert untrue.startswith(f"{made[0]}, in pvops, convert: source x does not hold")


# 6.12 has the op already, and no call of it for every platform.
_MESSAGES = ("backends/tdx/convert/message.txt.j2", "op/message.txt.j2")


def _first(uses: Mapping[tuple[str, str], object], template: str) -> tuple[str, str]:
    return next(key for key in uses if key[0] == template)
