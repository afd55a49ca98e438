# SPDX-License-Identifier: GPL-2.0-or-later
"""The claims of the texts about a base, looked up in Debian's kernels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from patchgen.odb.repository import Repository
from patchgen.odb.tree import GitTree
from tests.support.claim_table import (
    Claims,
    Source,
    find_lost_documents,
    find_undecided,
    find_untrue,
    load_claims,
)
from tests.support.text_claims import read_uses

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]


@pytest.mark.parametrize("version", ["kernel_6_1", "kernel_6_12"])
def test_a_kernel_has_the_sources_of_each_sentence_that_can_be_rendered_for_it(
    version: str, request: pytest.FixtureRequest
) -> None:
    tree = _open(request.getfixturevalue(version))
    untrue = find_untrue(load_claims(), read_uses(), tree)
    assert not untrue, "\n\n".join(["", *untrue])
    assert not find_lost_documents(load_claims(), tree)


def test_one_of_the_kernels_has_what_each_source_is_about(
    kernel_6_1: Path, kernel_6_12: Path
) -> None:
    trees = [_open(kernel_6_1), _open(kernel_6_12)]
    assert not find_undecided(load_claims(), trees)


def test_a_sentence_without_its_source_in_a_kernel_is_reported(kernel_6_12: Path) -> None:
    tree = _open(kernel_6_12)
    uses = read_uses()
    missing, present = (_first(uses, f"semantic-patches/pvops/{path}") for path in _MESSAGES)
    source = Source(file=("arch/x86/kernel/kvm.c",), tokens=("no_such_function(",))
    claims = Claims({missing: ("source x",), present: ("source x",)}, {"x": source})
    (untrue,) = find_untrue(claims, uses, tree)
    assert untrue.startswith(f"{missing[0]}, in pvops, convert: source x does not hold")


# 6.12 has the op already, but does not call it on every platform.
_MESSAGES = ("backends/tdx/convert/message.txt.j2", "op/message.txt.j2")


def _open(folder: Path) -> GitTree:
    repository = Repository(folder)
    return GitTree(repository, repository.resolve_tree(repository.resolve_commit("master")))


def _first(uses: Mapping[tuple[str, str], object], template: str) -> tuple[str, str]:
    return next(key for key in uses if key[0] == template)
