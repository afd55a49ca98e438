# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails of strangers: each is read, or listed as unreadable with the reason."""

from __future__ import annotations

import gzip
import io
import time
import zipfile

import pytest
from hypothesis import given, strategies as st

from patchgen.addresses import Person
from patchgen.errors import RefusedError
from patchgen.mail import ReadableMail, UnreadableMail, parse_sender, parse_subject, read_mail
from patchgen.mail.bodies import read_footer
from patchgen.mail.containers import read_mails, read_stream
from patchgen.mail.decoding import decode_bytes, decode_words, has_garbled_name
from patchgen.model.series import Mail

HEAD = b"From: Bea <bea@example.org>\nSubject: x\n"
MIXED = b"Content-Type: multipart/mixed; boundary=a\n"


def read(content: bytes) -> ReadableMail | UnreadableMail:
    return read_mail(Mail("x", content))


def read_text(content: bytes) -> str:
    mail = read(content)
    assert isinstance(mail, ReadableMail), mail
    return mail.body.text


@pytest.mark.parametrize(
    ("text", "revision", "number", "total"),
    [
        ("[PATCHv3 1/2] x", 3, 1, 2),
        ("[RFCv2 PATCH 0/3] x", 2, 0, 3),
        ("[PATCH v6.1 1/2] x", 1, 1, 2),
        ("[PATCH v6.1-rc3 1/2] x", 1, 1, 2),
        ("[PATCH 6.1.y v10 01/12] x", 10, 1, 12),
        ("[PATCH v5.10 v2 1/2] x", 2, 1, 2),
        ("[net-next v3 2/3] x", 3, 2, 3),
        ("[PATCH V4] x", 4, None, None),
        ("[PATCH v4,2/6] x", 4, 2, 6),
        ("[PATCH dev3 1/2] x", 1, 1, 2),
        ("[tip: x86/mm] x", None, None, None),
        ("[PATCH v3 1 of 2]: x", 3, 1, 2),
    ],
)
def test_a_version_of_the_kernel_is_not_one_of_the_series(text, revision, number, total):
    subject = parse_subject(f"Re: {text}")
    assert (subject.revision, subject.number, subject.total) == (revision, number, total)
    assert subject.is_reply and subject.text == "x"


@pytest.mark.parametrize(
    "prefix",
    [
        "Re: ", "RE:", "Re : ", "Re[2]: ", "Re(2): ", "Re^2: ", "AW: Re: ", "Antwort: ", "SV: ",
        "Ynt: ", "RIF: ", "R: ", "Ang: ", "Réf. : ", "Atb.: ", "Отв: ", "Ответ: ", "回信: ",
        "返信: ", "回复：", "답장: ", "EXT: Re: ", "[External] Re: ", "Re: EXT: ",
    ],
)  # fmt: skip
def test_an_answer_is_recognised_in_any_language(prefix):
    subject = parse_subject(f"{prefix}[PATCH v3 1/2] x86: Do it")
    assert subject.is_reply and (subject.revision, subject.number) == (3, 1)
    assert subject.text == "x86: Do it"
    assert not parse_subject("r: Do it").is_reply
    outside = parse_subject("EXT: [PATCH v3 1/2] x")
    assert not outside.is_reply and outside.number == 1


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Bea Bee <b@x.org>", Person("Bea Bee", "b@x.org")),
        ("b@x.org (Bea Bee)", Person("Bea Bee", "b@x.org")),
        ('"Bee, Bea" <b@x.org>', Person("Bee, Bea", "b@x.org")),
        ("=?utf-8?q?B=C3=A9a?= <b@x.org>", Person("Béa", "b@x.org")),
        ("=?nonsense?q?..?= <b@x.org>", Person("=?nonsense?q?..?=", "b@x.org")),
        ('"bea@x.org" <eve@evil.org>', Person("bea@x.org", "eve@evil.org")),
        ("=?utf-8?q?bea=40x=2Eorg=3E?= <eve@evil.org>", Person("bea@x.org>", "eve@evil.org")),
        ("Bent-Type: text/plain; chara <bea@example.org>", None),
        ("a@x.org, b@x.org", None),
        ("A <a@x.org> <b@x.org>", None),
        ("(" * 1000 + "b@x.org", None),
        ("undisclosed-recipients:;", None),
        ("Content-Type: chara <bea@example.org>", None),
    ],
)
def test_an_address_in_a_name_is_not_the_sender(text, person):
    assert parse_sender(text) == person


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no mail at all\n", "it has no mail headers"),
        (b"", "it has no mail headers"),
        (b"From: Bent-Type: text/plain; chara <b@x.org>\n\nx", "its From does not name one"),
        (b"From: a@x.org\nFrom: b@x.org\n\nx", "it has several From headers"),
        (b"From: " + b"(" * 100_000 + b"\n\nx", "its From has more than 4 KiB"),
        (HEAD + b"X: " + b"x" * (2 << 20), "its headers are larger than 1 MiB"),
        (HEAD + b"\n" + b"x" * (26 << 20), "it is larger than 25 MiB"),
        (HEAD + MIXED + b"\n" + b"boundary=\n" * 10_000, "it has too many parts"),
    ],
)  # fmt: skip
def test_an_odd_mail_is_unreadable_for_a_stated_reason(content, reason):
    mail = read(content)
    assert isinstance(mail, UnreadableMail) and reason in mail.reason


def test_deeply_nested_parts_take_no_time():
    parts = "".join(
        f"--b{n}\nContent-Type: multipart/mixed; boundary=b{n + 1}\n\n" for n in range(2000)
    )
    started = time.monotonic()
    mail = read(HEAD + b"Content-Type: multipart/mixed; boundary=b0\n\n" + parts.encode())
    assert isinstance(mail, UnreadableMail) and "parts" in mail.reason
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("headers", "body", "text"),
    [
        (b"", "é".encode(), "é"),
        (b"Content-Type: text/plain; charset=y\n", "é".encode(), "é"),
        (b"Content-Type: text/plain; charset=iso-8859-1\n", "é".encode(), "é"),
        (b"Content-Type: text/plain; charset=iso-8859-1\n", b"\xe9\x8a", "éŠ"),
        (b"Content-Type: text/plain; charset=iso-2022-jp\n", "あ".encode("iso2022_jp"), "あ"),
        (b"Content-Type: text/plain; charset=utf-8\n", b"\xe9", "\udce9"),
        (b"Content-Type: text/plain; charset=hex\n", b"41", "41"),
        (b"Content-Type: multipart/mixed\n", b"x", "x"),
        (b"Content-Transfer-Encoding: base64\n", b"w6k=\n\n--\nlist footer", "é"),
        (b"Content-Transfer-Encoding: base64\n", b"w6k=\nhttp://x.org/" + b"a" * 60, "é"),
    ],
)
def test_a_body_never_has_a_replacement_character(headers, body, text):
    result = read_text(HEAD + headers + b"\n" + body)
    assert "\ufffd" not in result
    assert not text or result == text


@pytest.mark.parametrize("body", [b"A-B_" * 20, b"QmVj\n" + b"A-B_" * 20, b"plain text"])
def test_text_that_is_not_base64_is_not_lost_silently(body):
    mail = read(HEAD + b"Content-Transfer-Encoding: base64\n\n" + body + b"\n")
    assert isinstance(mail, ReadableMail)
    assert mail.body.is_damaged and mail.body.problems == ("its base64 is damaged",)
    assert mail.body.text.strip()


def test_a_part_without_text_is_not_the_text():
    part = b"--a\nContent-Type: text/%s\n\n%s\n"
    for kind in (b"plain", b"markdown", b"x-anything"):
        parts = part % (b"plain", b" \n") + part % (b"html", b"<p>") + part % (kind, b"ok")
        assert read_text(HEAD + MIXED + b"\n" + parts + b"--a--\n").strip() == "ok"


def test_damaged_base64_is_reported():
    mail = read(HEAD + b"Content-Transfer-Encoding: base64\n\nQmVjYXVzZQ\n")
    assert isinstance(mail, ReadableMail)
    assert mail.body.is_damaged and mail.body.problems == ("its base64 is damaged",)


def test_flowed_text_is_joined_and_a_tag_starts_a_line():
    flowed = HEAD + b"Content-Type: text/plain; format=flowed; delsp=%s\n\n%s"
    for delsp, text, lines in (
        (b"no", b"ok \ngo \non\n", ["ok go on", ""]),
        (b"yes", b"ok \ngo\n", ["okgo", ""]),
        (b"no", b"ok \nAcked-by: B \n<b@x.org>\n", ["ok ", "Acked-by: B <b@x.org>", ""]),
        (b"no", b"> a \n> b \nc\n", ["> a b ", "c", ""]),
        (b"no", b"a \n-- \nBea\n", ["a ", "-- ", "Bea", ""]),
        (b"no", b"Acked-by: B \n<b@x.org> \nBea\n", ["Acked-by: B <b@x.org> ", "Bea", ""]),
    ):
        mail = read(flowed % (delsp, text))
        assert isinstance(mail, ReadableMail)
        assert mail.body.unfold().split("\n") == lines


def test_garbled_names_are_recognised_and_good_ones_are_not():
    for name in ("BÃ©a", "B\ufffda", "B\udce9a", "=?utf-8?q?x", "Å\u0081ukasz"):
        assert has_garbled_name(name), name
    for name in ("Béa", "Łukasz", "Jürgen Groß", "李", "Ågren", "Šimon"):
        assert not has_garbled_name(name), name
    assert decode_words("=?utf-8?b?QsOp?= =?utf-8?b?YQ==?=") == "Béa"


@given(st.binary(max_size=60), st.sampled_from(["", "y", "utf-8", "latin-1", "utf-16", "gb2312"]))
def test_decoding_never_raises_and_never_guesses(content, charset):
    assert "\ufffd" not in decode_bytes(content.replace(b"\xef\xbf\xbd", b""), charset) or (
        charset in ("utf-16", "gb2312")
    )


# --- containers ------------------------------------------------------------------------------


def split(content: bytes) -> list[bytes]:
    return [mail.content for mail in read_stream(io.BytesIO(content), "box")]


DATED = b"From x@y Thu Jan  1 00:00:00 1970\n"


def test_only_a_dated_from_line_before_a_header_starts_a_mail():
    body = b"\nFrom what I see: fine\nFrom x at 10:30 in 2026\nand on\n"
    assert split(DATED + HEAD + body + DATED + HEAD + b"\nb\n") == [
        DATED + HEAD + body,
        DATED + HEAD + b"\nb\n",
    ]


def test_mboxrd_is_unescaped_and_what_git_wrote_is_not():
    escaped = HEAD + b"\n>From here\n>>From there\n> From me\n"
    assert split(DATED + escaped) == [DATED + HEAD + b"\nFrom here\n>From there\n> From me\n"]
    by_git = b"From " + b"1" * 40 + b" Mon Sep 17 00:00:00 2001\n" + escaped
    assert split(by_git) == [by_git]


def test_crlf_is_a_line_end_only_where_the_headers_have_it():
    crlf = (HEAD + b"\nb\n").replace(b"\n", b"\r\n")
    assert split(crlf) == [HEAD + b"\nb\n"]
    assert split(HEAD + b"\n+x\r\n") == [HEAD + b"\n+x\r\n"]
    assert split(b"\xef\xbb\xbf" + HEAD + b"\nb") == [HEAD + b"\nb"]


@pytest.mark.parametrize(
    "date",
    [
        "Thu Jan  1 00:00:00 1970",
        "Thu, 1 Jan 1970 00:00:00 +0000",
        "1970-01-01T00:00:00Z",
        "Fri Jul  8 12:08:34 2011 remote from here",
    ],
)
def test_a_from_line_has_a_date_in_any_form(date):
    line = f"From x@y {date}\n".encode()
    assert len(split(2 * (line + HEAD + b"\nFrom here on: x\n\n"))) == 2


def test_a_length_covers_lines_that_look_like_the_start_of_a_mail():
    body = DATED + b"Subject: quoted\n\n>From me\n\n"
    first = DATED + b"Content-Length: %d\n" % len(body) + HEAD + b"\n" + body
    assert split(first + DATED + HEAD + b"\nb\n") == [first, DATED + HEAD + b"\nb\n"]
    # A wrong length does not hide a mail.
    wrong = first.replace(b"Length: ", b"Length: 9")
    assert len(split(wrong + DATED + HEAD + b"\nb\n")) == 3


def test_line_ends_of_a_mac_and_of_windows_are_read():
    two = 2 * (DATED + HEAD + b"\nb\n\n")
    whole = [mail.rstrip() for mail in split(two)]
    assert [mail.rstrip() for mail in split(two.replace(b"\n", b"\r"))] == whole
    assert [mail.rstrip() for mail in split(two.replace(b"\n", b"\r\n"))] == whole
    written = 2 * (DATED + (HEAD + b"\nb\n").replace(b"\n", b"\r\n") + b"\n")
    assert [mail.rstrip() for mail in split(written)] == whole


def make_zip(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"thread/{name}", content)
    return target.getvalue()


def test_a_zip_is_read_by_its_content_and_within_the_limit():
    one, two = HEAD + b"\na\n", HEAD + b"\nb\n"
    assert split(make_zip(a=one, b=two)) == [one, two]
    assert len(split(make_zip(box=gzip.compress(DATED + one + DATED + two)))) == 2
    huge = b"\0" * (100 << 20)
    for content, message in (
        (make_zip(a=huge, b=huge), "larger than the limit"),
        (make_zip(a=one)[:-30], "damaged"),
        (make_zip(), "has no mails"),
    ):
        with pytest.raises(RefusedError) as caught:
            split(content)
        assert message in caught.value.message


def test_the_mails_of_an_mh_folder_are_read_in_order(tmp_path):
    for number in (10, 9, 1):
        (tmp_path / str(number)).write_bytes(HEAD + b"\n%d\n" % number)
    (tmp_path / ".mh_sequences").write_text("cur: 1\n")
    (tmp_path / "A.EML").write_bytes(HEAD + b"\nA\n")
    bodies = [mail.content.rpartition(b"\n\n")[2] for mail in read_mails(tmp_path)]
    assert bodies == [b"A\n", b"1\n", b"9\n", b"10\n"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x\n---\nbase-commit: abc\nchange-id: 1-x\n", "1-x"),
        ("change-id: quoted\n\n---\nchange-id:2-y \r\n-- \n2.39\n", "2-y"),
        ("Change-ID: 3-z", "3-z"),
        ("> change-id: 4-q\nchange-id: two words\nchange-id:\nnext\n", ""),
    ],
)
def test_the_last_footer_of_a_cover_letter_is_used(text, value):
    assert read_footer(text, "change-id") == value
