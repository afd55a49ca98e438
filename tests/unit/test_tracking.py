# SPDX-License-Identifier: GPL-2.0-or-later
"""The cover letter's commit: what b4 and patchgen read in it, and that nothing is lost."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from patchgen.errors import RefusedError
from patchgen.model.series import Cover, Identity, Recipients
from patchgen.reroll.changelog import format_changes, prepend_changes
from patchgen.series.change_id import make_change_id, make_message_id
from patchgen.series.record import digest_cover
from patchgen.series.tracking import (
    Tracking,
    format_cover_commit,
    is_cover_commit,
    parse_cover,
    parse_cover_commit,
)

ADA = Identity("Ada", "ada@example.org", "1629460000 +0000")
COVER = Cover(
    "x86: Do all",
    "Because.\n\nAnd more.\n",
    "Changes in v2:\n- Less.\n",
    Recipients(("A <a@example.org>",), ("list@example.org",)),
)


def test_writes_what_b4_reads():
    text = format_cover_commit(COVER, Tracking("20210820-all-0123456789ab", 2))
    assert text.startswith(
        "x86: Do all\n\nBecause.\n\nAnd more.\n\nTo: A <a@example.org>\nCc: list@example.org\n\n"
        "---\nChanges in v2:\n- Less.\n\n--- b4-submit-tracking ---\n"
        "# This section is used internally by b4 prep for tracking purposes.\n{\n"
    )
    document = json.loads(text[text.index("{") :])
    assert document["series"] == {
        "revision": 2,
        "change-id": "20210820-all-0123456789ab",
        "prefixes": [],
    }
    assert is_cover_commit(text)


def test_keeps_what_b4_added():
    document = {
        "series": {
            "revision": 5,
            "change-id": "c-0123456789ab",
            "prefixes": ["RFC"],
            "history": {"v4": ["one@example.org"]},
            "prerequisites": ["base-commit: v6.1"],
            "from-thread": "thread@example.org",
        },
        "others": {"x": 1},
    }
    text = f"S\n\nB.\n\n--- b4-submit-tracking ---\n# x\n{json.dumps(document)}"
    cover, tracking = parse_cover_commit(text)
    assert (cover.subject, cover.body, cover.notes) == ("S", "B.\n", "")
    assert tracking.history == {"v4": ("one@example.org",)} and tracking.prefixes == ("RFC",)
    again = format_cover_commit(cover, tracking)
    assert json.loads(again[again.index("{") :]) == document
    more = tracking.with_sent(5, ("two@example.org",)).with_sent(4, ("other@example.org",))
    assert more.history == {"v4": ("one@example.org",), "v5": ("two@example.org",)}


@pytest.mark.parametrize(
    "series",
    [
        {"change-id": "1-x-abc\nBcc: eve@example.org\nX-A: a"},
        {"change-id": "../../x"},
        {"change-id": "a..b"},
        {"change-id": "x <z>"},
        {"change-id": "\xe9-1"},
        {"change-id": ""},
        {"prefixes": ["RFC]\nBcc: eve@example.org\nX: ["]},
        {"prefixes": ["\x1b[1m"]},
        {"revision": -3},
        {"revision": 10**30},
        {"history": {"v1": ["a@b> <c@d"]}},
    ],
)
def test_a_strangers_branch_puts_no_header_into_the_mails(series):
    document = {"series": {"revision": 2, "change-id": "c-01", **series}}
    with pytest.raises(RefusedError, match=r"tracking section .* cannot be read"):
        parse_cover_commit(f"S\n\nB.\n\n--- b4-submit-tracking ---\n{json.dumps(document)}")


def test_what_an_imported_mail_is_called_does_not_make_the_branch_unreadable():
    tracking = Tracking("c-01", 2).with_sent(1, ("a\x1b@b",)).with_sent(1, ("a@b",))
    assert parse_cover_commit(format_cover_commit(COVER, tracking))[1].history == {"v1": ("a@b",)}
    title = "x" * 500
    change_id = make_change_id(title, "b", ADA)
    assert parse_cover_commit(format_cover_commit(COVER, Tracking(change_id, 1)))


def test_a_line_of_the_cover_letter_may_name_several_people():
    cover = 'S\n\nB.\n\nTo: A <a@x.org>, "Bee, B" <b@x.org>\nCc: c@x.org, d@x.org\nCc: odd\n'
    found = parse_cover(cover).recipients
    assert found.to == ("A <a@x.org>", '"Bee, B" <b@x.org>')
    assert found.cc == ("c@x.org", "d@x.org", "odd")


def test_drops_the_lines_that_b4_drops():
    text = 'S\n\n# a comment\nB.\n\n--- b4-submit-tracking ---\n{"series": '
    cover, _ = parse_cover_commit(text + '{"revision": 1, "change-id": "c"}}')
    assert cover.body == "B.\n"


@pytest.mark.parametrize(
    "section", ["", "{", "{}", '{"series": {}}', '{"series": {"change-id": "c", "revision": "x"}}']
)
def test_a_broken_section_is_named(section):
    with pytest.raises(RefusedError, match="tracking section"):
        parse_cover_commit(f"S\n\nB.\n\n--- b4-submit-tracking ---\n{section}")


_text = st.text(st.characters(whitelist_categories=["L", "N"]), min_size=1, max_size=9)
_lines = st.lists(_text, min_size=1, max_size=4).map(lambda words: "\n".join(words) + "\n")
_covers = st.builds(
    Cover,
    _text,
    _lines,
    st.one_of(st.just(""), _lines),
    st.builds(
        Recipients,
        st.lists(_text.map(lambda name: f"{name} <a@example.org>"), max_size=2).map(tuple),
        st.lists(_text.map(lambda name: f"{name} <b@example.org>"), max_size=2).map(tuple),
    ),
)


@given(_covers, st.integers(1, 99))
def test_what_is_written_is_read_again(cover, revision):
    tracking = Tracking("c-0123456789ab", revision, record={"format": 1})
    read, again = parse_cover_commit(format_cover_commit(cover, tracking))
    assert read == cover
    assert (again.revision, again.record) == (revision, {"format": 1})


@pytest.mark.parametrize(
    "body",
    [
        "# heading\n\n  # indented\n#include <x.h>\n",
        "Why.\n\nSigned-off-by: Ada <ada@example.org>\n",
    ],
)
def test_what_looks_special_is_read_again(body):
    cover = Cover("S", body, "# of the notes\n", COVER.recipients)
    read, _ = parse_cover_commit(format_cover_commit(cover, Tracking("c-0123456789ab", 1)))
    assert read == cover and digest_cover(read) == digest_cover(cover)


def test_the_same_series_has_the_same_names_on_the_same_day():
    one = make_change_id("PV ops", "patchgen/pvops-v4", ADA)
    assert one == make_change_id("PV ops", "patchgen/pvops-v5", ADA)
    assert one.startswith("20210820-pv-ops-") and len(one.rpartition("-")[2]) == 12
    assert one != make_change_id("PV ops", "patchgen/other", ADA)
    assert one != make_change_id("PV ops", "patchgen/pvops-v4", ADA, "other patches")
    ids = {
        make_message_id(one, revision, number, "ada@x.org", content)
        for revision in (4, 5)
        for number in range(3)
        for content in ("on v6.1", "on v6.12")
    }
    assert len(ids) == 12
    assert make_message_id(one, 4, 2, "ada@x.org", "").startswith("20210820-pv-ops-v4-2-")
    assert all(message_id.endswith("@x.org") for message_id in ids)


def test_a_new_change_log_is_above_the_earlier_ones():
    changes = format_changes(
        5,
        [
            "Rename it, which is a thing to be said in more than one line, so wrap it",
            "(no changes since v4)",
        ],
    )
    assert changes == (
        "Changes in v5:\n- Rename it, which is a thing to be said in more than one line, so wrap\n"
        "  it\n(no changes since v4)\n"
    )
    assert (
        prepend_changes("Changes in v4:\n- x\n", 5, changes) == changes + "\nChanges in v4:\n- x\n"
    )
    assert prepend_changes("Changes in v4:\n- x\n", 5, "") == "Changes in v4:\n- x\n"
    to_edit = "- EDITME: say it\n- EDITME: and\n  that\n"
    begun = f"Changes in v5:\n{to_edit}- Link to v4: https://x\n\nChanges in v4:\n- x\n"
    merged = prepend_changes(begun, 5, "Changes in v5:\n- y\n")
    assert merged == "Changes in v5:\n- y\n- Link to v4: https://x\n\nChanges in v4:\n- x\n"


def test_the_changes_of_a_version_that_nobody_has_seen_are_those_of_the_next_one():
    link, old = "- Link to v4: https://x\n", "\nChanges in v4:\n- x\n"
    v5 = f"Changes in v5:\n- Ada's own\n  text\n(no changes since v4)\n{link}"
    new = "Changes in v7:\n- y\n"
    merged = f"{new}- Ada's own\n  text\n{link}{old}"
    assert prepend_changes(f"{v5}{old}", 7, new, 4) == merged
    v6 = f"Changes in v6:\n- z\n\n{v5}{old}"
    assert prepend_changes(v6, 7, new, 4) == merged.replace("- Ada", "- z\n- Ada")
    # Versions up to the one that was sent stay, and so does what a person wrote above the logs.
    assert prepend_changes(f"{v5}{old}", 7, new, 5) == f"{new}\n{v5}{old}"
    assert prepend_changes(f"{v5}{old}", 7, new) == f"{new}\n{v5}{old}"
    assert prepend_changes(f"A text.\n\n{v5}", 7, new, 4) == f"{new}\nA text.\n\n{v5}"
    assert prepend_changes(v5, 7, "", 4) == f"Changes in v7:\n- Ada's own\n  text\n{link}"
    assert prepend_changes("Changes in v5:\n(no changes since v4)\n", 7, new, 4) == new
