# SPDX-License-Identifier: GPL-2.0-or-later
"""A reroll replaces the generated lines below the cut, and preserves those of a person."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from patchgen.reroll.merge_text import update_notes

LOG = "Changes in v2:\n- Less."


@pytest.mark.parametrize(
    ("notes", "old", "new", "expected"),
    [
        ("Old.", "Old.", "", ""),
        ("", "", "New.", "New."),
        (f"{LOG}\n\nOld.", "Old.", "New.\n\nMore.", f"{LOG}\n\nNew.\n\nMore."),
        (f"{LOG}\n\nOld.\nMine.", "Old.", "", f"{LOG}\n\nMine."),
        ("Mine.\nOld.\nMine, too.", "Old.", "", "Mine.\nMine, too."),
        (LOG, "", "New.", f"{LOG}\n\nNew."),
        ("One, edited.\nTwo.", "One.\nTwo.", "One.", "One, edited."),
        (LOG, "Removed by hand.", "Removed by hand.\nNew.", f"{LOG}\n\nNew."),
        ("Mine.\n\nNew.", "", "New.", "Mine.\n\nNew."),
    ],
)
def test_a_generated_line_is_replaced_unless_a_person_edited_it(notes, old, new, expected):
    assert update_notes(notes, old, new) == expected


LINES = st.lists(st.sampled_from("abcdef"), unique=True).map("\n".join)


@given(LINES, LINES, LINES)
def test_no_line_of_a_person_is_lost_and_no_outdated_line_remains(notes, old, new):
    result = update_notes(notes, old, new).split("\n")
    assert {*notes} - {*old} - {"\n"} <= {*result}
    assert not ({*old} - {*new} - {"\n"}) & {*result}
    assert {*new} - {*old} - {"\n"} <= {*result}
    assert len(result) == len({*result}) or "" in result
