"""Trailers: read, put in their place, and nothing lost."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from patchgen.series.trailers import PLACES, Trailer, parse_message

ADA = "Ada <ada@example.org>"
SIGNED = f"Signed-off-by: {ADA}"


def message(*last: str, notes: str = "") -> str:
    return "x86/kvm: Do it\n\nBecause.\n" + ("\n" + "\n".join(last) + "\n" if last else "") + notes


def test_trailers_are_the_last_paragraph_if_they_are_trailers():
    read = parse_message(message("[ B: reworded ]", SIGNED))
    assert (read.body, read.trailers) == ("Because.", (Trailer("Signed-off-by", ADA),))
    assert str(read) == message("[ B: reworded ]", SIGNED)
    for prose in (
        "Note: this is prose\nthat goes on\nfor long.",
        "Note: a word",
        "Tested: not a tag",
    ):
        read = parse_message(f"s: x\n\n{prose}\n")
        assert read.body == prose and read.trailers == ()


def test_nothing_below_the_cut_is_a_trailer():
    read = parse_message(
        message(SIGNED, notes="---\nChanges in v2:\n\nAcked-by: B <b@example.org>\n")
    )
    assert [str(trailer) for trailer in read.trailers] == [SIGNED]
    assert read.notes == "Changes in v2:\n\nAcked-by: B <b@example.org>"
    signed = read.with_trailers([Trailer("Reviewed-by", "C <c@example.org>")])
    assert str(signed).index("Reviewed-by") < str(signed).index("---")


def test_a_message_of_one_line_gets_notes_below_it():
    read = parse_message("x86: Do it\n").with_notes("Changes in v2:\n- All.")
    # git takes for the subject whatever comes before the first empty line.
    assert str(read) == "x86: Do it\n\n---\nChanges in v2:\n- All.\n"
    assert parse_message(str(read)) == read


@pytest.mark.parametrize(
    ("there", "new", "result"),
    [
        ([SIGNED], "Reviewed-by: B <b@x.org>", [SIGNED, "Reviewed-by: B <b@x.org>"]),
        ([SIGNED, "Link: https://x.org"], "Acked-by: B <b@x.org>", [SIGNED, "NEW", "Link: https://x.org"]),
        ([SIGNED], 'Fixes: 0123456789ab ("x")', ["NEW", SIGNED]),
        (
            [SIGNED, "Reviewed-by: B <b@x.org>", "[ b: for the first half ]"],
            "Tested-by: C <c@x.org>",
            [SIGNED, "Reviewed-by: B <b@x.org>", "[ b: for the first half ]", "NEW"],
        ),
        ([SIGNED, "Reviewed-by: Bea <B@x.org>"], "reviewed-by: B <b@x.org>", None),
        ([], "Acked-by: B <b@x.org>", ["NEW"]),
    ],
)  # fmt: skip
def test_a_trailer_gets_its_place(there, new, result):
    key, _, value = new.partition(": ")
    added = str(parse_message(message(*there)).with_trailers([Trailer(key, value)]))
    wanted = there if result is None else [new if line == "NEW" else line for line in result]
    assert added == message(*wanted)


_words = st.text(st.characters(whitelist_categories=["Ll"], max_codepoint=0x17F), min_size=1)
_people = st.builds(
    lambda name, box: f"{name.title()} <{box}@example.org>",
    _words,
    st.from_regex(r"[a-z]{1,3}", fullmatch=True),
)
_trailers = st.lists(st.builds(Trailer, st.sampled_from(sorted(PLACES)), _people), max_size=8)


@given(_trailers)
def test_trailers_stay_in_order_and_none_is_lost(new):
    once = parse_message(message(SIGNED)).with_trailers(new)
    places = [PLACES[trailer.key] for trailer in once.trailers]
    assert places == sorted(places)
    wanted = {trailer.identity for trailer in new} | {("signed-off-by", "ada@example.org")}
    assert {trailer.identity for trailer in once.trailers} == wanted
    assert len(once.trailers) == len(wanted)
    assert once.with_trailers(new) == once
    assert parse_message(str(once)) == once
