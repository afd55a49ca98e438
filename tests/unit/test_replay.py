# SPDX-License-Identifier: GPL-2.0-or-later
"""benchmarks/replay.py counts equal and found lines, and gives a reason for all others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

import pytest

from benchmarks.conversions import CONVERSIONS, Conversion
from benchmarks.replay import Outcome, ReplayedFile, judge_precision, judge_recall
from patchgen.model.base import Base, Oid
from patchgen.model.series import FileEdit
from patchgen.model.smpl import Mode
from patchgen.model.sweep import Sweep
from patchgen.spec import list_recipes

RENAME = Conversion("rename", r"\<old\(", r"\<new\(")
BEFORE = "int first_line;\n\told(1);\nint second_line;\n\told(2);\nint third_line;\n"
AFTER = BEFORE.replace("old", "new")
SWEEP = Sweep("rename", Base(Oid(""), Oid(""), ""), Mode.PATCH, ())


def file(after: str, newer: str, places: Sequence[int] = ()) -> ReplayedFile:
    edit = FileEdit(PurePosixPath("a.c"), "100644", BEFORE.encode(), after.encode())
    return ReplayedFile("a.c", BEFORE.split("\n"), newer.split("\n"), places, edit)


@pytest.mark.parametrize(
    ("newer", "same", "reasons"),
    [
        (AFTER, 2, []),
        (AFTER.replace("new(2)", "old(2)"), 1, ["not converted in the newer kernel"]),
        (AFTER.replace("new(2)", "new(\n\t    2)"), 1, ["the same code with other line breaks"]),
        (AFTER.replace("new(2)", "new(3)"), 1, ["the statement was changed as well"]),
        ("int first_line;\n\tnew(1);\n", 1, ["the code was rewritten or removed"]),
    ],
)
def test_each_line_that_differs_has_a_reason(newer, same, reasons):
    outcome = Outcome()
    judge_precision(outcome, RENAME, file(AFTER, newer))
    assert (outcome.lines, outcome.same) == (2, same)
    assert [reason for reason, _ in outcome.differing] == reasons


def test_a_converted_line_that_the_recipe_leaves_is_missed():
    outcome = Outcome()
    after = BEFORE.replace("old(1)", "new(1)")
    judge_recall(outcome, RENAME, file(after, AFTER, [2, 4]), SWEEP)
    assert (outcome.converted, outcome.found) == (2, 1)
    [(reason, where)] = outcome.differing
    assert (reason.startswith("missed: "), where) == (True, "a.c:4: old(2);")


def test_a_removed_line_is_the_same_if_the_newer_kernel_does_not_have_it():
    outcome = Outcome()
    without = "int first_line;\nint second_line;\n\told(2);\nint third_line;\n"
    judge_precision(outcome, RENAME, file(without, without))
    assert (outcome.lines, outcome.same) == (1, 1)


def test_each_conversion_names_a_recipe():
    names = {recipe.name for recipe in list_recipes()}
    assert {conversion.recipe for conversion in CONVERSIONS} <= names
