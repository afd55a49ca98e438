# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers: the tags in them, and the patches that they are for."""

from __future__ import annotations

import email.header
import random
import re
import time
from dataclasses import replace
from email.message import EmailMessage

import pytest
from hypothesis import given, strategies as st

from patchgen.controls import has_controls
from patchgen.errors import RefusedError
from patchgen.mail import ReadableMail, read_mail
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Mail
from patchgen.odb.difftext import digest_changes, list_changes
from patchgen.replies.collect import match_tags
from patchgen.replies.patches import OtherVersion, Patches
from patchgen.replies.reply import Reply, parse_reply
from patchgen.series.trailers import parse_message
from tests.support.examples import examples

ADA = "Ada Übergang <ada@example.org>"
BEA = "Bea Bärtsch <bea@example.org>"
TAG = f"Reviewed-by: {BEA}"
OUTLOOK = "-----Original Message-----\nFrom: x\n"
NEWER = "From: Ada <a@b>\nSent: today\nSubject: x\n"
WRAPPED = "Reviewed-by: Bea Bärtsch\n  bea@example.org\n"


def mail(body: str, *, subject: str = "Re: [PATCH v4 2/3] x86: Do two", **headers: str) -> Mail:
    message = EmailMessage()
    message["From"] = headers.pop("sender", BEA)
    message["Subject"] = subject
    message["Message-ID"] = f"<{headers.pop('own', 'reply@example.org')}>"
    for key, value in headers.items():
        message[key.replace("_", "-")] = value
    message.set_content(body, cte=None)
    return Mail("0001-reply.patch", message.as_bytes())


def tags(body: str) -> list[str]:
    return [str(tag.trailer) for tag in parse(mail(body)).tags]


def parse(raw: Mail) -> Reply:
    read = read_mail(raw)
    assert isinstance(read, ReadableMail), read
    return parse_reply(read)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(f"Fine.\n\n{TAG}\n", [TAG], id="plain"),
        pytest.param(f"  {TAG}\n", [TAG], id="indented"),
        pytest.param(f"reviewed-by: {BEA}\n", [TAG], id="letter case"),
        pytest.param(f"> {TAG}\n", [], id="quoted"),
        pytest.param(f">> {TAG}\n| {TAG}\n", [], id="quoted otherwise"),
        pytest.param("Fine.\n-- \nAcked-by: C <c@x.org>\n", [], id="signature"),
        pytest.param(f"{TAG}\n\n{OUTLOOK}\nAcked-by: {ADA}\n", [TAG], id="Outlook"),
        pytest.param(f"{TAG}\n\n{NEWER}\nAcked-by: {ADA}\n", [TAG], id="newer Outlook"),
        pytest.param("Reviewed-by: Bea Bärtsch\n<bea@example.org>\n", [TAG], id="wrapped"),
        pytest.param(WRAPPED, ["Reviewed-by: Bea Bärtsch bea@example.org"], id="wrapped, bare"),
        pytest.param(f"{TAG} # the kvm part\n", [f"{TAG} # the kvm part"], id="comment"),
        pytest.param(f"{TAG}\nTested-by: {BEA}\n", [TAG, f"Tested-by: {BEA}"], id="two"),
        pytest.param(f"> a\n{TAG}\n> b\n", [TAG], id="between quotes"),
        pytest.param("I was told Reviewed-by: x <x@y.z> is fine\n", [], id="prose"),
        pytest.param("Tested-by: me, on a machine\n", ["Tested-by: me, on a machine"], id="bare"),
        pytest.param(f"{TAG}\ndiff --git a/x b/x\n+Acked-by: {ADA}\n", [TAG], id="with a diff"),
    ],
)
def test_finds_the_tags_that_the_sender_wrote(body, expected):
    assert tags(body) == expected


@pytest.mark.parametrize("cte", ["quoted-printable", "base64", "8bit"])
def test_reads_any_encoding(cte):
    message = EmailMessage()
    message["From"] = BEA
    message.set_content(f"Fine — so.\n\n{TAG}\n", charset="utf-8", cte=cte)
    assert [str(tag.trailer) for tag in parse(Mail("x", message.as_bytes())).tags] == [TAG]


def test_reads_multipart_and_other_charsets():
    message = EmailMessage()
    message["From"] = BEA
    message.set_content(f"{TAG}\n", charset="iso-8859-1")
    message.add_alternative("<p>html</p>", subtype="html")
    assert [str(tag.trailer) for tag in parse(Mail("x", message.as_bytes())).tags] == [TAG]
    strange = b"From: b@x.org\nContent-Type: text/plain; charset=klingon\n\nAcked-by: B <b@x.org>\n"
    reply = parse(Mail("x", strange))
    assert [str(tag.trailer) for tag in reply.tags] == ["Acked-by: B <b@x.org>"]
    assert reply.mail.body.problems == ("its charset 'klingon' is unknown",)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_mail(content):
    read = read_mail(Mail("x", content))
    assert read.name == "x"
    assert isinstance(read, ReadableMail) or read.reason


# --- which patch -----------------------------------------------------------------------------


SUBJECTS = ["x86: Do one", "x86: Do two", "x86: Do three"]
IDS = {f"v4-{number}@example.org": number for number in range(4)}


def commits(subjects: list[str] = SUBJECTS, *trailers: str) -> list[Commit]:
    signed = "".join(f"{line}\n" for line in (f"Signed-off-by: {ADA}", *trailers))
    return [
        Commit(Oid(str(n)), Oid("t"), ADA, ADA, f"{s}\n\nBecause.\n\n{signed}", ())
        for n, s in enumerate(subjects, 1)
    ]


def diff(number: int) -> str:
    head = f"diff --git a/f{number} b/f{number}\n--- a/f{number}\n+++ b/f{number}\n"
    return f"{head}@@ -1 +1 @@\n-a\n+b{number}\n"


def patches(posted=IDS, versions=None) -> Patches:
    return Patches(
        {0: "x86: All", **dict(enumerate(SUBJECTS, 1))},
        {digest_changes(diff(n)): n for n in (1, 2, 3)},
        posted,
        versions or {},
        changes={n: list_changes(diff(n).split("\n")) for n in (1, 2, 3)},
        revision=4,
    )


def collect(
    *mails: Mail,
    posted=IDS,
    branch=commits(),  # noqa: B008
    versions=None,
    series=None,
    accepted=(),
):
    series = series or patches(posted, versions)
    return match_tags(list(mails), branch, series, accepted=accepted)


def applied(*mails: Mail, **options) -> list[tuple[int, str]]:
    return [(tag.number, str(tag.trailer)) for tag in collect(*mails, **options).applied]


def reasons(*mails: Mail, **options) -> list[str]:
    return [tag.reason for tag in collect(*mails, **options).not_applied]


def test_matches_by_message_id_then_by_change_then_by_subject():
    named = {"subject": "Re: whatever"}
    assert applied(mail(TAG, In_Reply_To="<v4-3@example.org>", **named)) == [(3, TAG)]
    assert applied(mail(TAG, References="<v4-0@example.org> <v4-1@example.org>", **named)) == [
        (1, TAG)
    ]
    quoted = "".join(f"> {line}\n" for line in diff(2).splitlines())
    assert applied(mail(f"{quoted}\n{TAG}", **named), posted={}) == [(2, TAG)]
    assert applied(mail(TAG, subject="AW: Re: [PATCH  v4 3/3] x86: do  THREE"), posted={}) == [
        (3, TAG)
    ]
    assert reasons(mail(TAG, **named), posted={}) == ["cannot tell which patch it is for"]


def test_the_message_id_wins_over_the_subject_and_is_reported():
    result = collect(mail(TAG, In_Reply_To="<v4-3@example.org>"))
    assert [tag.number for tag in result.applied] == [3]
    assert "its subject is that of patch 2" in result.remarks[0]


def test_follows_a_thread_and_learns_of_patches_in_the_box():
    patch = mail(
        f"text\n---\n{diff(2)}", subject="[PATCH v9 7/8] Other", own="p@x", In_Reply_To="<c@x>"
    )
    first = mail("Why?", subject="Re: x", own="a@x", In_Reply_To="<p@x>")
    second = mail(TAG, subject="Re: x", own="b@x", In_Reply_To="<a@x>")
    assert applied(second, first, patch, posted={}) == [(2, TAG)]
    to_cover = mail(TAG, subject="Re: x", own="d@x", In_Reply_To="<c@x>")
    # Of the three patches, the thread has only the second with the same change.
    assert applied(to_cover, patch, posted={}) == [(2, TAG)]
    missing = "v9, as far as it was read, has no patch with its subject or its change"
    assert reasons(to_cover, patch, posted={}) == 2 * [missing]


def test_an_unknown_mail_in_between_may_be_a_patch_of_another_version():
    unknown = ["it answers <unknown@example.org>, which is not a known mail of this series"]
    to = {"References": "<v4-0@example.org> <unknown@example.org>"}
    for subject in (
        "Re: [PATCH v4 3/3] x86: Do three",
        "Re: [PATCH v4 0/3] x86: All",
        "Re: else",
    ):
        assert reasons(mail(TAG, subject=subject, **to)) == unknown
    to = {"References": "<v4-0@example.org> <v4-2@example.org> <unknown@example.org>"}
    assert applied(mail(TAG, subject="Re: else", **to)) == [(2, TAG)]
    newer = "Re: [PATCH v5 2/3] x86: Do two"
    assert reasons(mail(TAG, subject=newer, **to)) == ["its subject names v5, not v4"]


def test_an_answer_to_an_earlier_version_is_for_the_unchanged_patches():
    earlier = {"v3-0@x": 0, "v3-1@x": 1, "v3-2@x": 2}
    changed = ["the patch has changed since v3"]
    v3 = OtherVersion("v3", {1: 1, 2: 2, 3: 3}, dict.fromkeys((2, 3), *changed))
    versions = dict.fromkeys(earlier, v3)
    for number, expected, refused in (
        (0, [(1, TAG)], 2 * changed),
        (1, [(1, TAG)], []),
        (2, [], changed),
    ):
        answer = mail(TAG, subject="Re: x", In_Reply_To=f"<v3-{number}@x>")
        assert applied(answer, posted=earlier, versions=versions) == expected
        assert reasons(answer, posted=earlier, versions=versions) == refused


def test_a_loop_in_a_thread_ends():
    one = mail(TAG, subject="Re: x", own="a@x", In_Reply_To="<b@x>")
    two = mail("x", subject="Re: x", own="b@x", In_Reply_To="<a@x>")
    assert reasons(one, two) == ["cannot tell which patch it is for"]


def test_refuses_with_a_reason():
    to = {"In_Reply_To": "<v4-2@example.org>"}
    assert reasons(mail(f"Reviewed-by: {ADA}", **to)) == ["the mail is from bea@example.org"]
    assert reasons(mail("Tested-by: me", **to)) == ["it names no address"]
    assert reasons(mail(f"Signed-off-by: {BEA}", **to)) == ["a reply cannot give Signed-off-by"]
    assert reasons(mail(f"Acked-by: {ADA}", sender=ADA, **to)) == [
        "it is from the author of the patch"
    ]
    assert reasons(mail(f"{TAG}\n{TAG}", **to)) == ["the patch has it already"]
    assert reasons(mail(f"{TAG}\nAcked-by: {BEA}", **to)) == [
        "the patch has a Reviewed-by of the same person"
    ]


def test_a_review_takes_the_place_of_an_ack():
    branch = commits(SUBJECTS, f"Acked-by: {BEA}")
    result = collect(mail(TAG, In_Reply_To="<v4-2@example.org>"), branch=branch)
    [message] = result.messages.values()
    assert [str(t) for t in parse_message(message).trailers] == [f"Signed-off-by: {ADA}", TAG]


# --- many answers ----------------------------------------------------------------------------


LETTERS = "abcdeößéçñøůABCÄÉŁ"


def make_box(chance: random.Random, size: int) -> list[dict]:
    """Return what `size` answers say, to whom, and in which form; some answer earlier ones."""
    box: list[dict] = []
    for index in range(size):
        args = ["".join(chance.choices(LETTERS, k=chance.randint(1, 8))) for _ in range(2)]
        answer = {
            "person": " ".join(args),
            "address": f"p{index}@example.org",
            "key": chance.choice(["Reviewed-by", "Acked-by", "Tested-by"]),
            "to": chance.randint(0, 3),
            "by": chance.choice(["id", "references", "subject", "change", "answer"]),
            "above": chance.randrange(index) if index else None,
            "foreign": chance.random() < 0.2,
            "quotes": chance.randint(0, 2),
            "cte": chance.choice(["quoted-printable", "base64", "8bit"]),
            "encoded": chance.random() < 0.5,
            "wrapped": chance.random() < 0.3,
            "signature": chance.random() < 0.3,
        }
        box.append(answer)
    return box


def build(index: int, answer: dict) -> Mail:
    """Write an answer as a mailer would."""
    by, to = answer["by"], answer["to"]
    message = EmailMessage()
    name = answer["person"]
    shown = email.header.Header(name, "utf-8").encode() if answer["encoded"] else name
    message["From"] = (
        f"{shown} <{answer['address']}>" if answer["encoded"] else f"{name} <{answer['address']}>"
    )
    message["Message-ID"] = f"<a{index}@example.org>"
    subject = "Re: something else"
    lines = ["On Monday somebody wrote:"]
    if by == "id":
        message["In-Reply-To"] = f"<v4-{to}@example.org>"
    elif by == "references":
        message["References"] = f"<x@example.org> <v4-{to}@example.org>"
    elif by == "answer" and answer["above"] is not None:
        message["In-Reply-To"] = f"<a{answer['above']}@example.org>"
    elif by == "change" and to:
        lines += [f"> {line}" for line in diff(to).splitlines()]
    else:
        subject = f"Re: [PATCH v4 {to}/3] " + (["x86: All", *SUBJECTS][to])
    message["Subject"] = subject
    tag = f"{answer['key']}: {name}" + ("\n" if answer["wrapped"] else " ") + f"<{who(answer)}>"
    lines += ["> Tested-by: Not Me <not@example.org>"] * answer["quotes"]
    lines += ["", tag, ""]
    if answer["signature"]:
        lines += ["-- ", "Acked-by: Signature <s@example.org>"]
    message.set_content("\n".join(lines) + "\n", charset="utf-8", cte=answer["cte"])
    return Mail(f"{index:04}", message.as_bytes())


def who(answer: dict) -> str:
    return "boss@example.org" if answer["foreign"] else answer["address"]


def target(index: int, box: list[dict]) -> int:
    answer = box[index]
    if answer["by"] == "answer" and answer["above"] is not None:
        return target(answer["above"], box) if leads_on(answer["above"], box) else -1
    return answer["to"]


def leads_on(index: int, box: list[dict]) -> bool:
    """Return whether an answer can be followed by message-ids alone."""
    answer = box[index]
    if answer["by"] == "answer" and answer["above"] is not None:
        return leads_on(answer["above"], box)
    return answer["by"] in ("id", "references")


@examples(10)
@given(st.integers(0, 2**32))
def test_300_answers_no_tag_on_the_wrong_patch_and_none_lost(seed):
    box = make_box(random.Random(seed), 300)
    mails = [build(index, answer) for index, answer in enumerate(box)]
    result = collect(*mails)
    expected, refused = set(), set()
    for index, answer in enumerate(box):
        number = target(index, box)
        if number < 0 or answer["foreign"]:
            refused.add(index)
        else:
            numbers = range(1, 4) if number == 0 else [number]
            expected |= {(index, n, answer["key"]) for n in numbers}
    got = {(int(tag.reply.mail.name), tag.number, tag.trailer.key) for tag in result.applied}
    assert got == expected
    assert {int(tag.reply.mail.name) for tag in result.not_applied} == refused
    assert len(result.applied) == len(expected)
    messages = result.messages
    for number in (1, 2, 3):
        people = {t.address for t in parse_message(messages.get(Oid(str(number)), "")).trailers}
        assert people - {"ada@example.org"} == {
            box[index]["address"] for index, n, _ in expected if n == number
        }
    assert len(result.applied) + len(result.not_applied) >= len(box)


# --- other versions --------------------------------------------------------------------------


def other(number: int) -> str:
    """Return a diff of the file of a patch that changes it in another way."""
    return diff(number).replace(f"+b{number}", "+other")


def quote(text: str) -> str:
    return "".join(f"> {line}\n" for line in text.splitlines())


def test_a_patch_in_the_box_with_other_code_takes_its_reviews_away():
    old = mail(f"x\n---\n{other(2)}", subject="[PATCH v3 2/3] x86: Do two", own="p3@x")
    to_old = mail(TAG, own="r@x", In_Reply_To="<p3@x>")
    assert applied(to_old, old) == []
    [reason] = reasons(to_old, old)
    assert reason == 'it answers 0001-reply.patch, "[v3 2/3] x86: Do two", which has other code'
    below = mail("Why?", own="q@x", In_Reply_To="<p3@x>")
    to_reply = mail(TAG, own="s@x", In_Reply_To="<q@x>", References="<v4-0@example.org> <q@x>")
    assert applied(to_reply, below, old) == []


def test_a_patch_that_is_the_same_in_an_older_version_keeps_its_reviews():
    # The lines around the change and the subject are others: the change is not.
    same = diff(2).replace("@@ -1 +1 @@\n", "@@ -7,2 +9,2 @@\n context\n")
    old = mail(f"x\n---\n{same}", subject="[PATCH v3 5/7] x86: Was two", own="p3@x")
    series = patches()
    assert applied(
        mail(TAG, subject="Re: x", own="r@x", In_Reply_To="<p3@x>"), old, series=series
    ) == [(2, TAG)]


def test_two_threads_in_one_box_are_distinguished():
    box = []
    for n, subject in enumerate(SUBJECTS, 1):
        body = f"x\n---\n{other(n) if n == 2 else diff(n)}"
        to = {"own": f"v3-{n}@x", "In_Reply_To": "<v3-0@x>"}
        box.append(mail(body, subject=f"[PATCH v3 {n}/3] {subject}", **to))
    box.append(mail("All.", subject="[PATCH v3 0/3] x86: All", own="v3-0@x"))
    to_cover = mail(TAG, subject="Re: [PATCH v3 0/3] x86: All", own="r@x", In_Reply_To="<v3-0@x>")
    assert applied(to_cover, *box) == [(1, TAG), (3, TAG)]
    assert reasons(to_cover, *box) == ["the patch has changed since v3"]
    to_ours = mail(TAG, own="s@x", In_Reply_To="<v4-2@example.org>")
    assert applied(to_ours, *box) == [(2, TAG)]


def test_a_cover_letter_without_its_patches_applies_only_to_this_version():
    for version, count in (("v3", 0), ("v4", 3)):
        subject = f"[PATCH {version} 0/3] x86: All"
        letter = mail("All.", subject=subject, own="c@x")
        reply = mail(TAG, subject=f"Re: {subject}", own="r@x", In_Reply_To="<c@x>")
        assert len(applied(reply, letter)) == count


@pytest.mark.parametrize(
    ("subject", "body", "headers", "reason"),
    [
        ("[PATCH v3 2/3] x86: Do two", "", {}, "its subject names v3, not v4"),
        ("[PATCHv3 2/3] x86: Do two", "", {}, "its subject names v3, not v4"),
        ("[PATCH 2/3] x86: Do two", "", {}, "its subject names v1, not v4"),
        ("[PATCH v4 3/3] x86: Do two", "", {}, "the number of patch 3, and the text of 2"),
        ("[PATCH v4 2/3] x86: Do two", "", {"In_Reply_To": "<u@x>"}, "it answers <u@x>, which"),
        ("[PATCH v4 2/3] x86: Do two", quote(other(2)), {}, "changes that patch 2 does not have"),
        ("x86: Do two", quote(other(2)), {"In_Reply_To": "<u@x>"}, "it answers <u@x>"),
    ],
)  # fmt: skip
def test_a_subject_is_ignored_where_something_contradicts_it(subject, body, headers, reason):
    reply = mail(f"{body}\n{TAG}", subject=f"Re: {subject}", **headers)
    assert applied(reply, series=patches()) == []
    [reported] = reasons(reply, series=patches())
    assert reason in reported


def test_a_subject_is_used_where_nothing_contradicts_it():
    trimmed = quote(diff(2).replace("+b2\n", ""))
    for subject in (
        "Re: x86: Do two",
        "Re: [PATCH v4 2/3] x86: Do two",
        "[PATCH v4 2/3] x86: Do two",
    ):
        reply = mail(f"{trimmed}\n{TAG}", subject=subject, References="<v4-2@example.org>")
        assert applied(reply, series=patches()) == [(2, TAG)]
        if subject.startswith("Re:"):
            assert applied(mail(f"{trimmed}\n{TAG}", subject=subject), series=patches()) == [
                (2, TAG)
            ]


def test_of_two_patches_with_one_subject_the_number_decides():
    twins = replace(patches(), subjects={0: "x86: All", 1: "x86: Do", 2: "x86: Do", 3: "z"})
    assert applied(mail(TAG, subject="Re: [PATCH v4 2/3] x86: Do"), series=twins) == [(2, TAG)]
    for subject in ("Re: x86: Do", "Re: [PATCH v4 2/7] x86: Do"):
        assert reasons(mail(TAG, subject=subject), series=twins) == [
            "cannot tell which patch it is for"
        ]


def test_a_review_of_a_proposed_diff_is_not_a_review_of_the_patch():
    proposal = mail(f"How about:\n\n{other(2)}", own="h@x", In_Reply_To="<v4-2@example.org>")
    reply = mail(TAG, own="r@x", In_Reply_To="<h@x>")
    assert reasons(reply, proposal) == ["it answers 0001-reply.patch, which has another diff"]
    with_that = mail(
        f"How about:\n\n{other(2)}\nWith that:\n{TAG}", In_Reply_To="<v4-2@example.org>"
    )
    assert applied(with_that) == [(2, TAG)]


def test_a_mail_of_a_dropped_patch_is_named():
    series = replace(patches(), dropped_by_mail={"v3-9@x": "v3 9/9"})
    assert reasons(mail(TAG, In_Reply_To="<v3-9@x>"), series=series) == [
        "it answers v3 9/9, which this version does not have"
    ]


# --- no tag is lost --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Reviewed-By: B <bea@example.org>", [(2, "Reviewed-by: B <bea@example.org>")]),
        ("ACKED-BY : B <bea@example.org>", [(2, "Acked-by: B <bea@example.org>")]),
        ("tested-by:B <bea@example.org>", [(2, "Tested-by: B <bea@example.org>")]),
        ("Reviewed-by：B <bea@example.org>", [(2, "Reviewed-by: B <bea@example.org>")]),
        ("Acked-by/Tested-by: B <bea@example.org>", 2),
        ("Reported-and-tested-by: B <bea@example.org>", 2),
        ("Reviewed-/Tested-by: B <bea@example.org>", 2),
        ("Reviewed-n-tested-by: B <bea@example.org>", 2),
        ("Reviewed-by: B <bea@example.org>, C <c@x.org>", 1),
        ("Reviewed-by: C <c@x.org> and B <bea@example.org> # both", 1),
        ("Reviewed-by: B <bea@example.org>, Cy Cee", 1),
        ("Reviewed-by: B <bea@example.org> / C <c@x.org>", 1),
        ("Reviewed-by: Cy Cee, B <bea@example.org>", "it names several people"),
        ("Reviewed-by: Cy and Bea <bea@example.org>", "it names several people"),
        ("Reviewed-by: B <bea@example.org> <c@x.org>", "it names several people"),
        ("Reviewed-by: bea@example.org, c@x.org", "it names several people"),
        ('Reviewed-by: "c@x.org" <bea@example.org>', "it has another address besides the person's"),
        ("Reviewed-by: c@x.org <bea@example.org>", "it has another address besides the person's"),
        ('Reviewed-by: "bea@example.org" <eve@evil.org>', "it has another address besides"),
        ("Reviewed-by: B\x07 <bea@example.org>", "it has control characters"),
        ("Reviewed-by: B\u202e <bea@example.org>", "it has control characters"),
        ("Reviewed-by: B\u2028 <bea@example.org>", "it has control characters"),
        ("Reviewed-by: BÃ©a <bea@example.org>", "it has characters that could not be decoded"),
        ("Reviewed by: B <bea@example.org>", 'it is written "Reviewed by", not "Reviewed-by"'),
        ("Looks-good-by: B <bea@example.org>", "a reply cannot give Looks-good-by"),
        ('Fixes: 0123456789ab ("x")', "a reply cannot give Fixes"),
        ("Reviewed-by: " + "x" * 2000, "the line has 2013 characters"),
        ("Reviewed-by:", "it names no address"),
        ("With that fixed, Acked-by: B <bea@example.org>", "it is not on a line of its own"),
        ("- Acked-by: B <bea@example.org>", "it is not on a line of its own"),
        ("\u200bAcked-by: B <bea@example.org>", "it is not on a line of its own"),
        ("Acked\u2011by: B <bea@example.org>", "it is not on a line of its own"),
        ("Acked-by B <bea@example.org>", "it is not on a line of its own"),
        ("Reviewed and tested by: B <bea@example.org>", "it is not on a line of its own"),
        ("(Acked-by: B\n<bea@example.org>)", "it is not on a line of its own"),
        ("-- \nAcked-by: B <bea@example.org>", "it is below the signature"),
        ("From: a\nSent: b\n\nAcked-by: B <bea@example.org>", "it is below the signature"),
        ("Acked-by: B <bea@example.org> if you fix it", "it has a condition"),
        ("Acked-by: B <bea@example.org", "its angle brackets are not closed"),
        ("Acked-by: B\u00ade <bea@example.org>", "it has invisible characters"),
        ("Acked-by: B=C3=A9 <bea@example.org>", "it has characters that could not be decoded"),
        ("Acked-by: B&#233; <bea@example.org>", "it has characters that could not be decoded"),
        ("Acked-by: B?e <bea@example.org>", "it has characters that could not be decoded"),
        ("Acked-by: Łu BĂ©a <bea@example.org>", "it has characters that could not be decoded"),
        ("Acked-by: B <bea@example.org> # patch 1", "the text next to it restricts it"),
        ("Acked-by: B <bea@example.org> # patches 1-2", 1),
        ("Tested-by: B <bea@example.org>.", [(2, "Tested-by: B <bea@example.org>")]),
        ("Tested-by: B <\nbea@example.org>", [(2, "Tested-by: B <bea@example.org>")]),
        ("Tested-by: नि\u200dमा <bea@example.org>", 1),
    ],
)  # fmt: skip
def test_each_line_that_looks_like_a_tag_is_added_or_listed(line, expected):
    reply = mail(f"Hi\n{line}\n", In_Reply_To="<v4-2@example.org>")
    if isinstance(expected, str):
        assert applied(reply) == []
        [reason] = reasons(reply)
        assert reason.startswith(expected)
    else:
        assert (
            applied(reply) == expected
            if isinstance(expected, list)
            else len(applied(reply)) == expected
        )
        assert not any("Cy" in tag or "c@x.org" in tag for _, tag in applied(reply))


@pytest.mark.parametrize(
    "body",
    [
        "For patches 1-2:\n{}",
        "For patch #1 and #3:\n\n{}",
        "2/3:\n{}",
        "{} # patches 1 and 3",
        "{}\n[ patch 2 only ]",
    ],
)
def test_a_tag_for_some_of_the_patches_is_not_added_to_all(body):
    reply = mail(body.format(f"{TAG}\n{TAG}"), In_Reply_To="<v4-0@example.org>")
    assert len(reasons(reply)) >= 1 and "restricts it to" in reasons(reply)[-1]
    assert len(applied(reply)) in (0, 3)
    assert not (applied(reply) and body.startswith(("For", "2/3")))
    assert len(applied(mail(f"As in v4.\n{TAG}", In_Reply_To="<v4-0@example.org>"))) == 3


@pytest.mark.parametrize(
    "body",
    [
        "{}\nfor patches 1 and 2",
        "{}\n\n(for patches 1-2 only)",
        "{}\n(patches 1-2)",
        "{} [1-2/3]",
        "For patches 1 through 2:\n{}",
        "For the first two patches:\n{}",
        "For all but the last patch:\n{}",
        "Patch one:\n{}",
        "For 1-2:\n\n{}",
        "p1, p2:\n{}",
        "I looked at patches 1 to 2.\n\n{}",
        "I have read patch 2 only.\n\nThanks!\n\n{}",
        "For the mm parts:\n\n{}",
        "The x86 bits are\n{}",
    ],
)
def test_text_about_some_patches_keeps_a_tag_off_the_others(body):
    reply = mail(body.format(TAG), In_Reply_To="<v4-0@example.org>")
    assert applied(reply) == []
    assert "restricts it to" in reasons(reply)[0]


@pytest.mark.parametrize(
    ("body", "to", "count"),
    [
        ("For the whole series:\n{}", 0, 3),
        ("Patch 1 was hard to read.\n\nFor the series:\n\n{}", 0, 3),
        ("As in [PATCH v4 0/3].\n{}", 0, 3),
        ("This makes patch 3 simpler.\n\n{}", 2, 1),
        ("For the second patch:\n{}", 2, 1),
        ("For the mm parts:\n{}", 2, 0),
        ("For patch 2:\n{}\n\nFor patch 3:\nAcked-by: Bea <bea@example.org>", 2, 1),
    ],
)
def test_text_about_other_patches_does_not_stop_a_tag(body, to, count):
    reply = mail(body.format(TAG), In_Reply_To=f"<v4-{to}@example.org>")
    assert len(applied(reply)) == count


@pytest.mark.parametrize(
    "value",
    [
        "<bea@example.org>, thanks",
        "<bea@example.org> Thanks!",
        "<bea@example.org>. Thanks a lot, Bea",
        "<bea@example.org>!",
        "<bea@example.org> :-)",
        "<bea@example.org.>",
        "(bea@example.org)",
        "<bea@example.org<mailto:bea@example.org>>",
        "<bea@example.org <mailto:bea@example.org>>",
        "bea@example.org<mailto:BEA@example.org>",
        "<mailto:bea@example.org>",
        "<bea@example.org\n<mailto:bea@example.org>>",
        "<bea@\nexample.org>",
        "[bea@example.org](mailto:bea@example.org)",
    ],
)
def test_thanks_and_links_are_not_part_of_a_tag(value):
    reply = mail(f"Reviewed-by: Bea {value}\n", In_Reply_To="<v4-2@example.org>")
    assert applied(reply) == [(2, "Reviewed-by: Bea <bea@example.org>")]


@pytest.mark.parametrize("note", ["# for drm", "(for drm)", "[for drm]"])
def test_a_note_below_a_tag_is_not_lost(note):
    [(number, tag)] = applied(mail(f"{TAG}\n  {note}\n", In_Reply_To="<v4-2@example.org>"))
    assert (number, " ".join(tag.split())) == (2, f"{TAG} {note}")
    # A line that begins with "#" is a comment in a message.
    assert "\n#" not in tag


@pytest.mark.parametrize(
    "body",
    [
        "R-b: Bea <bea@example.org>",
        "Acked-by me",
        "Reviewed-by",
        "FWIW, Reviewed-by: Bea <bea@example.org>",
        "Reviewed-by: Bea <bea@example.org> For drm",
        "Reviewed-by: Bea <bea@example.org> // drm",
        "Reviewed-by: Bea <bea@example.org<mailto:eve@example.org>>",
        "With that, Acked-by: Bea Bärtsch <bea@work.org>",
        "-- \nAcked-by: Bea Bärtsch <bea@work.org>",
        "-- \nAcked-by: Bea <bea+kernel@example.org>",
    ],
)
def test_a_tag_in_another_form_or_place_is_listed(body):
    reply = mail(body, In_Reply_To="<v4-2@example.org>")
    assert applied(reply) == [] and len(reasons(reply)) == 1
    assert not reasons(reply)[0].startswith("a reply cannot give")


@pytest.mark.parametrize(
    "body",
    [
        "With the comment fixed: {}",
        "With the comment fixed:\n{}",
        "With the comment fixed,\n\n{}",
        "Looks good. With those nits addressed\n\n{}",
        "LGTM, with that:\n\n{}",
        "With the shorter name:\n{}",
        "If you rename it, feel free to add\n\n{}",
        "Fine by me provided that it\nboots on AMD.\n\n{}",
        "Once the tests pass, you can add\n> quote\n\n{}",
        "Other than that:\n{}",
        "Please rename it. Thanks!\n\n{}",
        "Fix the comment and you have my\n{}",
        "The name needs to be changed, but else\n{}",
        "{} with the comment fixed",
        "{}, with the comment fixed",
        "{} but fix the comment",
        "{}, fix the comment",
        "{} (assuming it boots)",
        "{} # once it boots",
        "{}\n[with the comment fixed]",
        "{}\nprovided that it boots.",
        "{}\n\n(if the comment is fixed)",
    ],
)
def test_a_conditional_tag_is_listed_and_never_added(body):
    # A second tag next to it has the same condition, unless that is on the line of the first.
    texts = [body.format(TAG)]
    if "\n" in body and "[" not in body:
        texts.append(body.format(f"{TAG}\nTested-by: {BEA}"))
    for text in texts:
        reply = mail(text, In_Reply_To="<v4-2@example.org>")
        assert applied(reply) == []
        assert len(reasons(reply)) >= text.count("-by:")


@pytest.mark.parametrize(
    "body",
    [
        "Looks good to me.\n\n{}",
        "I tested it with KVM on v6.12.\n{}",
        "Please feel free to add\n\n{}",
        "If it is NULL, this crashes. See below.\n\nNever mind, it is not.\n\n{}",
        "{} # for the x86 changes",
        "{}\n[for the x86 bits]",
        "{}\n\nIf you resend it, no need to copy me.",
        "{}\nThanks,\nBea",
        "This fixes the hang that I see without it.\n{}",
    ],
)
def test_text_that_is_not_a_condition_does_not_stop_a_tag(body):
    reply = mail(body.format(TAG), In_Reply_To="<v4-2@example.org>")
    assert len(applied(reply)) == 1 and reasons(reply) == []


def test_many_tags_and_long_text_take_linear_time():
    text = "with , with " * 2000 + "\n" + f"{TAG}\n" * 5000 + "a" * 100_000 + "\n"
    begin = time.process_time()
    assert len(tags(text)) == 5000
    assert tags("Acked-by: B <b@x.org>\n# " + "a@" * 20_000) == ["Acked-by: B <b@x.org>"]
    assert time.process_time() - begin < 5


def test_a_tag_in_another_part_of_the_mail_is_listed():
    raw = (
        f"From: {BEA}\nSubject: Re: x\nIn-Reply-To: <v4-2@example.org>\n"
        "Content-Type: multipart/mixed; boundary=B\n\n"
        "--B\nContent-Type: text/plain\n\nCAUTION: external\n"
        f"--B\nContent-Type: text/plain\n\n{TAG}\n--B--\n"
    )
    result = Mail("x", raw.encode())
    assert applied(result) == [] and reasons(result) == [
        "it is in another part of the mail than the text"
    ]


def test_a_tag_in_an_answer_without_re_is_not_lost():
    letter = mail(TAG, subject="[PATCH v4 0/3] x86: All")
    reason = "it is in a mail with the subject of a cover letter, not of a reply"
    assert (applied(letter), reasons(letter)) == ([], [reason])
    patch = mail(TAG, subject="[PATCH v4 2/3] x86: Do two")
    assert (applied(patch), reasons(patch)) == ([(2, TAG)], [])


def test_a_tag_next_to_a_diff_in_an_answer_without_re_is_listed():
    subject = "[PATCH v4 2/3] x86: Do two"
    body = f"How about\n\n{diff(3)}\nWith that:\n{TAG}\n"
    to = {"subject": subject, "In_Reply_To": "<v4-2@example.org>"}
    assert reasons(mail(body, **to)) == [
        "it is in a mail with the subject of a patch, not of a reply"
    ]
    assert reasons(mail(body.replace(BEA, ADA), sender=ADA, **to)) == []


def test_a_cover_letter_of_the_same_title_on_another_base_is_another_series():
    letter = mail("All.\n---\nchange-id: other-1\n", subject="[PATCH v4 0/3] x86: All", own="c@x")
    reply = mail(TAG, subject="Re: [PATCH v4 0/3] x86: All", own="r@x", In_Reply_To="<c@x>")
    series = replace(patches(), change_id="ours-1")
    assert applied(reply, letter, series=series) == []
    assert "which has the change-id other-1" in reasons(reply, letter, series=series)[0]
    series = replace(patches(), change_id="other-1")
    assert len(applied(reply, letter, series=series)) == 3


def test_a_wrapped_address_does_not_swallow_the_next_tag():
    assert tags(f"Reviewed-by: Bea\nTested-by: {BEA}\n") == [
        "Reviewed-by: Bea",
        f"Tested-by: {BEA}",
    ]


def test_a_mail_from_two_lists_is_read_once():
    one = mail(TAG, In_Reply_To="<v4-2@example.org>")
    assert applied(one, one) == [(2, TAG)] and reasons(one, one) == []


@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_copy_from_a_list_that_replaces_the_sender_is_not_another_mail(is_reversed):
    to = {"own": "a@x", "In_Reply_To": "<v4-2@example.org>"}
    box = [mail(TAG, **to), mail(f"{TAG}\n-- \nfooter", sender=LIST, Reply_To=BEA, **to)]
    box = box[::-1] if is_reversed else box
    assert applied(*box) == [(2, TAG)] and reasons(*box) == []


# --- other addresses of the sender -------------------------------------------------------------


LIST = "Bea Bärtsch via Kernel <kernel@lists.example.com>"


@pytest.mark.parametrize(
    ("sender", "headers", "relation"),
    [
        ("Bea B <bea+kernel@example.org>", {}, "the addresses are similar"),
        ("Bea B <bea@mail.example.org>", {}, "the addresses are similar"),
        ("Bea Bärtsch <bb@work.com>", {}, "the name is the same"),
        (LIST, {}, "the name is the same"),
        (LIST, {"Reply_To": BEA}, "its Reply-To or X-Original-From has that address"),
        ("k@l.org", {"X_Original_From": BEA}, "its Reply-To or X-Original-From has that address"),
        ("Eve <eve@evil.org>", {}, ""),
    ],
)
def test_another_address_of_the_sender_is_listed_and_can_be_accepted(sender, headers, relation):
    to = {"In_Reply_To": "<v4-2@example.org>", **headers}
    reply = mail(f"Fine.\n{TAG}\n", sender=sender, **to)
    assert applied(reply) == []
    [skipped] = collect(reply).not_applied
    assert skipped.reason.startswith("the mail is from") and skipped.reason.endswith(relation)
    assert applied(reply, accepted=[skipped.index]) == [(2, TAG)]
    assert reasons(reply, accepted=[skipped.index]) == []
    # In a sentence, or below the signature, it is not lost either.
    for body in (f"With that, {TAG}\n", f"Fine.\n-- \n{TAG}\n"):
        assert len(reasons(mail(body, sender=sender, **to))) == bool(relation)


def test_the_number_of_a_listed_tag_does_not_change_when_others_are_added():
    good = mail(TAG, own="a@x", In_Reply_To="<v4-1@example.org>")
    doubtful = mail(f"For the x86 parts:\n{TAG}", own="b@x", In_Reply_To="<v4-2@example.org>")
    some = mail(f"For patches 1-2:\nTested-by: {BEA}", own="c@x", In_Reply_To="<v4-0@example.org>")
    box = [good, doubtful, some]
    assert [(tag.index, tag.targets) for tag in collect(*box).not_applied] == [
        (2, (2,)),
        (3, (1, 2)),
    ]
    branch = commits(SUBJECTS[:1], TAG) + commits()[1:]
    later = collect(*box, branch=branch, accepted=[3])
    assert [(tag.index, tag.targets) for tag in later.not_applied] == [(2, (2,)), (1, ())][::-1]
    assert [(tag.number, tag.trailer.key) for tag in later.applied] == [
        (1, "Tested-by"),
        (2, "Tested-by"),
    ]


def test_a_tag_that_some_patches_have_is_added_to_the_others():
    reply = mail(f"For patches 1-2:\n{TAG}", In_Reply_To="<v4-0@example.org>")
    branch = commits(SUBJECTS[:1], TAG) + commits()[1:]
    assert applied(reply, branch=branch, accepted=[1]) == [(2, TAG)]
    assert reasons(reply, branch=branch, accepted=[1]) == ["the patch has it already"]
    branch = commits(SUBJECTS, TAG)
    with pytest.raises(RefusedError) as caught:
        collect(reply, branch=branch, accepted=[1])
    assert "patch 1: the patch has it already; patch 2:" in caught.value.message


@pytest.mark.parametrize(
    ("body", "index", "message"),
    [
        (TAG, 1, "no tag with the number 1 is in doubt"),
        ("Reviewed-by: Bea <bea@example.org> if it boots", 1, "tag 1 cannot be added: it has a"),
        (f"Signed-off-by: {BEA}", 1, "tag 1 cannot be added: a reply cannot give Signed-off-by"),
        ("Acked-by: B\x07 <bea@example.org>", 1, "it has control characters"),
        (f"For the mm parts:\n{TAG}\n{TAG}", 9, "no tag with the number 9"),
    ],
)
def test_a_tag_that_cannot_be_added_is_not_accepted(body, index, message):
    with pytest.raises(RefusedError) as caught:
        collect(mail(body, In_Reply_To="<v4-2@example.org>"), accepted=[index])
    assert message in caught.value.message


_keys = ["Reviewed-by", "ACKED-BY", "Tested-and-reviewed-by", "Signed-off-by"]
_people = ["bea@example.org", "<bea@example.org>", "Bea", "é", "\udce9", "\ufffd", "\x1b[1m"]
_signs = [
    ":",
    ": ",
    " <",
    "@",
    ">",
    "\n",
    "\n> ",
    "\n  ",
    ", ",
    " and ",
    '"',
    "#",
    "[x86]",
    "+",
    " ",
]
_pieces = st.sampled_from([*_keys, *_people, *_signs, "diff --git a/x b/x\n@@ -1 +1 @@\n"])


@examples(100)
@given(st.lists(_pieces, max_size=25))
def test_no_tag_is_lost_and_none_is_added_that_is_not_the_senders(pieces):
    text = "".join(pieces)
    raw = f"From: {BEA}\nSubject: Re: x\nIn-Reply-To: <v4-2@example.org>\n\n".encode()
    whole = Mail("x", raw + text.encode("utf-8", "surrogateescape"))
    result = collect(whole)
    found = [tag.trailer for tag in parse(whole).tags]
    judged = [tag.trailer for tag in (*result.applied, *result.not_applied)]
    assert sorted(map(str, found)) == sorted(map(str, judged))
    own = [line for line in text.split("\n") if not line.lstrip().startswith(">")]
    if not any(line.startswith("diff") for line in own):
        clear = [line for line in own if re.match(r"(Reviewed-by|ACKED-BY): ", line)]
        assert len(found) >= len(clear)
    for tag in result.applied:
        assert tag.trailer.address == "bea@example.org"
        assert not has_controls(str(tag.trailer).replace("\n", "")) and "\ufffd" not in str(
            tag.trailer
        )
    for text in result.messages.values():
        assert "\ufffd" not in text
