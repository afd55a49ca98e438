# SPDX-License-Identifier: GPL-2.0-or-later
"""The sentence of a patch's message about the places that it changes and leaves."""

from __future__ import annotations

import textwrap
from pathlib import PurePosixPath

import pytest

from patchgen.campaign.places import PlaceCount, count_places
from patchgen.model.base import Base, Oid
from patchgen.model.leftover import Leftover, Leftovers, LeftReason, WordCount
from patchgen.model.series import FileEdit
from patchgen.model.smpl import Mode
from patchgen.model.sweep import Sweep


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
            PlaceCount(24, 16, {LeftReason.UNCHANGED: 38}, words=("dev_set_drvdata",)),
            "It changes 24 places in 16 files, and leaves dev_set_drvdata in 38 places, "
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


def test_a_call_is_one_place_though_it_loses_two_words():
    path = PurePosixPath("a.c")
    edit = FileEdit(path, "100644", b"\tget(&pdev->dev);\n\tx();\n", b"\tpget(pdev);\n\tx();\n")
    left = Leftover(path, 9, "get", LeftReason.PROSE)
    words = (WordCount("get", 2, 1), WordCount("dev", 5000, 1, is_common=True))
    base = Base(Oid("1" * 40), Oid("2" * 40), "v6.1")
    sweep = Sweep(
        "a.cocci", base, Mode.PATCH, (), edits=(edit,), leftovers=Leftovers(words, (left,))
    )
    [counted] = count_places(sweep, [[edit]])
    assert str(counted) == (
        "It changes 1 place in 1 file, and leaves get in 1 place in this file, in comments or "
        "strings."
    )
