# SPDX-License-Identifier: GPL-2.0-or-later
"""The sentence of a patch's message about the places that it changes and leaves."""

from __future__ import annotations

import textwrap

import pytest

from patchgen.campaign.places import PlaceCount
from patchgen.model.leftover import LeftReason


def test_a_line_never_begins_with_a_character_that_makes_git_drop_it():
    text = str(PlaceCount(1, 1, dict.fromkeys(LeftReason, 2), is_partial=True))
    lines = [line for width in range(10, 100) for line in textwrap.wrap(text, width)]
    assert [line for line in lines if line.startswith("#")] == []


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (PlaceCount(2, 1, {}), "It changes 2 places in 1 file."),
        (
            PlaceCount(1, 1, {LeftReason.DISABLED: 1}, is_partial=True),
            "It changes 1 place in 1 file, and leaves 1 place in this file, "
            "in disabled code (#if 0).",
        ),
        (
            PlaceCount(3, 2, {LeftReason.UNPARSED: 1, LeftReason.PROSE: 4}, is_partial=True),
            "It changes 3 places in 2 files, and leaves 5 places in these files: "
            "1 in code that spatch could not parse, 4 in comments or strings.",
        ),
        (PlaceCount(2, 1, {LeftReason.INCLUDE: 3}), "It changes 2 places in 1 file."),
        (
            PlaceCount(2, 1, {LeftReason.UNCHANGED: 1, LeftReason.INCLUDE: 3}),
            "It changes 2 places in 1 file, and leaves 1 place, "
            "in code that the semantic patch does not change.",
        ),
        (
            PlaceCount(3, 2, {LeftReason.OTHER: 4}),
            "It changes 3 places in 2 files, and leaves 4 places, "
            "in documentation, Kconfig, assembly or other languages.",
        ),
    ],
)
def test_the_sentence_describes_the_rule_so_hand_edits_do_not_change_it(count, sentence):
    assert str(count) == sentence
