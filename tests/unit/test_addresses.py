# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses as people write them, and as mail servers take them."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from patchgen.addresses import AddressError, Person, encode_address, parse_people, parse_person
from patchgen.controls import has_controls


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("a@b.org", ["a@b.org"]),
        ("Ada <a@b.org>", ["Ada <a@b.org>"]),
        ('"Last, First" <lf@b.org>', ['"Last, First" <lf@b.org>']),
        ("H. Peter Anvin <hpa@b.org>", ["H. Peter Anvin <hpa@b.org>"]),
        ("a@b.org, C <c@d.org>", ["a@b.org", "C <c@d.org>"]),
        ("team: a@b.org, C <c@d.org>;", ["a@b.org", "C <c@d.org>"]),
        ("a@b.org (Joe (x))", ['"Joe (x)" <a@b.org>']),
        ("Ada <a@b.org> (maintainer)", ["Ada <a@b.org>"]),
        ("James (Qian) Wang <j@b.org>", ['"James (Qian) Wang" <j@b.org>']),
        ("M <m@exämple.org>", ["M <m@xn--exmple-cua.org>"]),
        ("a@b.org,\n    C <c@d.org>", ["a@b.org", "C <c@d.org>"]),
        ("", []),
        (",", []),
    ],
)
def test_people_are_read_as_rfc_5322_has_them(text, people):
    assert list(map(str, parse_people(text))) == people


@pytest.mark.parametrize(
    "text",
    [
        "Foo",
        "Foo x@y",
        "A <a@b.org> B <c@d.org>",
        "jörg@exämple.de",
        "a@straße.de",
        "a@b@c",
        "<a@b",
        "a@b\x00.org",
        "\x1b[31mEve <e@b.org>",
        "Eve\u202e <e@b.org>",
        "Eve <e@b.org\nBcc: x@y>",
        "a@b.org\nBcc: c@d.org",
        "a@b.org\rC <c@d.org>",
        "a@b.org Bcc: c@d.org",
        "Ada <a@b.org>; x@y z: c@d.org",
        "a@",
        "@b",
        "a@-b.org",
        "a@b..org",
        "(" * 100_000,
        "(" * 50_000 + ")" * 49_999 + "a@b",
        '"' * 99_999,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_what_no_mail_can_be_sent_to_is_refused(text):
    with pytest.raises(AddressError) as caught:
        parse_person(text)
    assert not has_controls(str(caught.value)) and len(str(caught.value)) < 400


@given(st.text(max_size=60))
def test_what_is_accepted_is_ascii_and_reads_the_same_again(text):
    try:
        people = parse_people(text)
    except AddressError:
        return
    for person in people:
        assert person.address.isascii() and not has_controls(person.name + person.address)
        assert parse_person(str(person)) == person


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), max_size=20))
def test_any_name_survives_being_written(name):
    name = " ".join(name.split())
    if not has_controls(name):
        assert parse_person(str(Person(name, "a@b.org"))) == Person(name, "a@b.org")


def test_a_domain_that_two_standards_read_in_two_ways_is_not_guessed():
    with pytest.raises(AddressError, match="xn--"):
        encode_address("a@faß.de")
    assert encode_address("a@xn--fa-hia.de") == "a@xn--fa-hia.de"
