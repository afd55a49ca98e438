# SPDX-License-Identifier: GPL-2.0-or-later
"""Trailers: read, put in their place, and nothing lost."""

from __future__ import annotations

import random
import re
import subprocess

import pytest
from hypothesis import given, strategies as st

from patchgen.series.trailers import PLACES, Trailer, parse_message
from tests.support.examples import examples

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
        # A key that the kernel does not document is placed like Cc.
        ([SIGNED, "Link: https://x.org"], "X-odd: y", [SIGNED, "NEW", "Link: https://x.org"]),
        ([SIGNED, "X-odd: y"], "Acked-by: B <b@x.org>", [SIGNED, "NEW", "X-odd: y"]),
    ],
)  # fmt: skip
def test_a_trailer_gets_its_place(there, new, result):
    key, _, value = new.partition(": ")
    added = str(parse_message(message(*there)).with_trailers([Trailer(key, value)]))
    expected = there if result is None else [new if line == "NEW" else line for line in result]
    assert added == message(*expected)


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
    expected = {trailer.identity for trailer in new} | {("signed-off-by", "ada@example.org")}
    assert {trailer.identity for trailer in once.trailers} == expected
    assert len(once.trailers) == len(expected)
    assert once.with_trailers(new) == once
    assert parse_message(str(once)) == once


TWO_NOTES = message(
    "Reviewed-by: Bea <bea@example.org>",
    "[ ada: reworded ]",
    SIGNED,
    "[ cy: fixed a typo ]",
    "Signed-off-by: Cy Cee <cy@example.org>",
)
PICKED = "(cherry picked from commit 0123456789abcdef0123456789abcdef01234567)"


def parse_with_git(text: str) -> list[str]:
    """Return the trailers that git finds in a message, as "key: value"."""
    completed = subprocess.run(
        ["git", "interpret-trailers", "--parse"],
        input=text.encode(),
        capture_output=True,
        check=True,
    )
    return completed.stdout.decode().splitlines()


B = "B <b@x.org>"
CONFLICTS = "Conflicts:\n\tkernel/a.c"
SPACES = f"s: x\n\nBecause.\n \t\nAcked-by: {B}\n"


@pytest.mark.parametrize(
    ("last", "keys"),
    [
        pytest.param(TWO_NOTES, ["Reviewed-by", "Signed-off-by", "Signed-off-by"], id="two notes"),
        pytest.param(message(SIGNED, PICKED, SIGNED), 2 * ["Signed-off-by"], id="cherry pick"),
        pytest.param(message(PICKED, f"Acked-by: {B}"), ["Acked-by"], id="pick first"),
        pytest.param(message("Fixes: 0 (", " y)", SIGNED), ["Fixes", "Signed-off-by"], id="folded"),
        pytest.param(message(f"Cc:\t{B}", SIGNED), ["Cc", "Signed-off-by"], id="tab"),
        pytest.param(message(f"Cc:{B}", SIGNED), ["Cc", "Signed-off-by"], id="nothing"),
        pytest.param(message(f"Cc : {B}", SIGNED), ["Cc", "Signed-off-by"], id="space before"),
        pytest.param(message(f"CC: {B}", SIGNED), ["CC", "Signed-off-by"], id="letter case"),
        pytest.param(message("a", "b", SIGNED), ["Signed-off-by"], id="a quarter"),
        pytest.param(message("a", "b", "c", "d", SIGNED), [], id="less than a quarter"),
        pytest.param(message("a", " b", " c", " d", SIGNED), [], id="folded prose"),
        pytest.param(message(f"Acked-by: {B}", "prose"), [], id="prose below"),
        pytest.param(message("[ a: note ]", "prose", f"Acked-by: {B}"), [], id="note and prose"),
        pytest.param(SPACES, ["Acked-by"], id="spaces between"),
        pytest.param(f"Signed-off-by: {B}\n", [], id="subject"),
        pytest.param(message("", f"Acked-by: {B}"), ["Acked-by"], id="two empty lines"),
        pytest.param(message("# a", f"Acked-by: {B}", "# b"), ["Acked-by"], id="comments"),
        pytest.param(message("", SIGNED, "", "# a", "#\tb"), ["Signed-off-by"], id="comments last"),
        pytest.param(message(SIGNED, "", CONFLICTS), ["Signed-off-by"], id="conflicts last"),
        pytest.param(message(SIGNED, notes=f"--- a/x\nCc: {B}\n"), ["Signed-off-by"], id="diff"),
    ],
)  # fmt: skip
def test_a_paragraph_is_read_as_git_reads_it(last, keys):
    read = parse_message(last)
    assert [trailer.key for trailer in read.trailers] == keys
    assert [line.partition(":")[0] for line in parse_with_git(last)] == keys
    assert str(read) == re.sub(r"\n[ \t]*(?=\n\n)|(?<=\n)[ \t]+(?=\n)", "", last)


@pytest.mark.parametrize(
    "last", [("[ a: note ]", f"Acked-by: {B}"), (f"Acked-by: {B}", "[ a: note ]")]
)
def test_a_note_in_brackets_makes_no_prose_of_a_tag(last):
    """git takes such a paragraph for prose, as none of its lines is one that git writes."""
    assert parse_with_git(message(*last)) == []
    [trailer] = parse_message(message(*last)).trailers
    assert (trailer.key, trailer.value) == ("Acked-by", B)
    assert str(parse_message(message(*last))) == message(*last)


@pytest.mark.parametrize("there", [TWO_NOTES, message("Acked-by:\tB\n <b@x.org>", SIGNED, PICKED)])
def test_a_new_tag_leaves_one_block_that_git_sees_whole(there):
    new = Trailer("Tested-by", "Dee <dee@example.org>")
    added = str(parse_message(there).with_trailers([new]))
    before, after = parse_with_git(there), parse_with_git(added)
    assert sorted([*before, str(new)]) == sorted(after)
    assert added.replace(f"{new}\n", "") == there


def test_a_name_that_looks_like_an_address_is_not_the_address():
    for value in ('"bea@example.org" <eve@evil.org>', "bea@example.org <eve@evil.org>"):
        assert Trailer("Acked-by", value).address == "eve@evil.org"
    assert Trailer("Acked-by", '"<bea@example.org>" <eve@evil.org>').address == "eve@evil.org"


LINES = [
    SIGNED, "Acked-by:\tB <b@x.org>", "Cc:b@x.org", "Cc : b@x.org", "CC: s@x.org # 5.15+",
    "Link: https://x.org/?a=b:c", "Fixes: 0123 (", "Acked-by:", "X-Odd-: y", "Signed-off-by:B",
    PICKED, "(cherry picked from x)", " folded", "\tfolded", "# comment", "#", "prose",
    "- Cc: x", "Bé-by: x", "> Cc: x", "----", "-- ", "", "", "  ",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_git_log_finds_the_same_trailers(git, tmp_path, seed):
    chance = random.Random(seed)
    texts = [message("", *chance.choices(LINES, k=chance.randint(0, 7))) for _ in range(500)]
    git(tmp_path, "init", "-q", "--bare")
    raws = [text.encode() for text in texts]
    head = b"commit refs/heads/x\ncommitter A <a@x.org> 0 +0000\ndata %d\n%s\n"
    stream = b"".join(head % (len(raw), raw) for raw in raws)
    importer = ["git", "-C", tmp_path, "fast-import", "--quiet"]
    subprocess.run(importer, input=stream, check=True)
    shown = git(tmp_path, "log", "--reverse", "--format=%(trailers:only,unfold)%x00", "x")
    for text, theirs in zip(texts, shown.split("\0")[:-1], strict=True):
        ours = [f"{trailer.key}: {trailer.value}" for trailer in parse_message(text).trailers]
        assert ours == theirs.strip("\n").splitlines(), text


_keys = st.sampled_from(["Acked-by", "Fixes", "Signed-off-by", "X-y"])
_colons = st.sampled_from([":", ": ", ":\t", " : "])
_others = [" folded", "\tmore", "[ a: note ]", PICKED, "prose", "# comment", "", " "]
_lines = st.one_of(
    st.builds("{}{}{}".format, _keys, _colons, st.sampled_from([B, "a: b", ""])),
    st.sampled_from(_others),
)


@examples(60)
@given(st.lists(_lines, min_size=1, max_size=7))
def test_adding_a_trailer_never_changes_another_line_and_git_sees_it(lines):
    text = message(SIGNED, *lines) if lines[0] != "prose" else message(*lines, SIGNED)
    new = Trailer("Tested-by", "Dee <dee@example.org>")
    added = str(parse_message(text).with_trailers([new]))
    # Our rule for notes in brackets is not that of git; see above.
    if parse_with_git(text) or not parse_message(text).trailers:
        assert str(new) in parse_with_git(added), added
    left = [line.rstrip() for line in added.split("\n") if line.strip() and line != str(new)]
    assert left == [line.rstrip() for line in text.split("\n") if line.strip()]
