"""Answers: the tags in them, and the patches that they are for."""

from __future__ import annotations

import email.header
import hashlib
import random
from email.message import EmailMessage

import pytest
from hypothesis import given, settings, strategies as st

from patchgen.mail import ReadableMail, read_mail
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Mail
from patchgen.replies.collect import add_tags, match_tags
from patchgen.replies.match import Patches
from patchgen.replies.reply import Reply, parse_reply
from patchgen.series.trailers import parse_message

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
    ("body", "found"),
    [
        pytest.param(f"Fine.\n\n{TAG}\n", [TAG], id="plain"),
        pytest.param(f"  {TAG}\n", [TAG], id="indented"),
        pytest.param(f"reviewed-by: {BEA}\n", [TAG], id="letter case"),
        pytest.param(f"> {TAG}\n", [], id="quoted"),
        pytest.param(f">> {TAG}\n| {TAG}\n", [], id="quoted otherwise"),
        pytest.param(f"Fine.\n-- \n{TAG}\n", [], id="signature"),
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
def test_finds_the_tags_that_the_sender_wrote(body, found):
    assert tags(body) == found


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
    assert reply.problems == ("its charset 'klingon' is not known",)


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


def patch_id(text: bytes) -> str:
    """Stand in for git-patch-id: a digest of the added lines."""
    added = [line for line in text.splitlines() if line.startswith(b"+") and line[1:2] != b"+"]
    return hashlib.sha256(b"\n".join(added)).hexdigest() if added else ""


def diff(number: int) -> str:
    head = f"diff --git a/f{number} b/f{number}\n--- a/f{number}\n+++ b/f{number}\n"
    return f"{head}@@ -1 +1 @@\n-a\n+b{number}\n"


def collect(*mails: Mail, posted=IDS, there=commits(), outdated=None):  # noqa: B008 (unchanged)
    patches = Patches(
        {0: "x86: All", **dict(enumerate(SUBJECTS, 1))},
        {patch_id(diff(n).encode()): n for n in (1, 2, 3)},
        posted,
        outdated or {},
        revision=4,
    )
    return match_tags(list(mails), there, patches, patch_id)


def applied(*mails: Mail, **options) -> list[tuple[int, str]]:
    return [(each.number, str(each.trailer)) for each in collect(*mails, **options).applied]


def reasons(*mails: Mail, **options) -> list[str]:
    return [each.reason for each in collect(*mails, **options).not_applied]


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
    assert reasons(mail(TAG, **named), posted={}) == ["it cannot be told which patch it is for"]


def test_the_message_id_wins_over_the_subject_and_says_so():
    result = collect(mail(TAG, In_Reply_To="<v4-3@example.org>"))
    assert [each.number for each in result.applied] == [3]
    assert "by its subject it would be patch 2" in result.remarks[0]


def test_follows_a_thread_and_learns_of_patches_in_the_box():
    patch = mail(
        f"text\n---\n{diff(2)}", subject="[PATCH v9 7/8] Other", own="p@x", In_Reply_To="<c@x>"
    )
    first = mail("Why?", subject="Re: x", own="a@x", In_Reply_To="<p@x>")
    second = mail(TAG, subject="Re: x", own="b@x", In_Reply_To="<a@x>")
    assert applied(second, first, patch, posted={}) == [(2, TAG)]
    to_cover = mail(TAG, subject="Re: x", own="d@x", In_Reply_To="<c@x>")
    # Of the three patches only the second is in that thread as it is today.
    assert applied(to_cover, patch, posted={}) == [(2, TAG)]
    assert reasons(to_cover, patch, posted={}) == 2 * ["the patch is not as it was in v9"]


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
    assert reasons(mail(TAG, subject=newer, **to)) == ["by its subject it is for v5, not for v4"]


def test_an_answer_to_an_earlier_version_is_for_what_is_the_same():
    earlier = {"v3-0@x": 0, "v3-1@x": 1, "v3-2@x": 2}
    outdated = {key: {2: "v3", 3: "v3"} for key in earlier}
    changed = ["the patch is not as it was in v3"]
    for number, found, refused in (
        (0, [(1, TAG)], 2 * changed),
        (1, [(1, TAG)], []),
        (2, [], changed),
    ):
        answer = mail(TAG, subject="Re: x", In_Reply_To=f"<v3-{number}@x>")
        assert applied(answer, posted=earlier, outdated=outdated) == found
        assert reasons(answer, posted=earlier, outdated=outdated) == refused


def test_a_loop_in_a_thread_ends():
    one = mail(TAG, subject="Re: x", own="a@x", In_Reply_To="<b@x>")
    two = mail("x", subject="Re: x", own="b@x", In_Reply_To="<a@x>")
    assert reasons(one, two) == ["it cannot be told which patch it is for"]


def test_refuses_with_a_reason():
    to = {"In_Reply_To": "<v4-2@example.org>"}
    assert reasons(mail(f"Reviewed-by: {ADA}", **to)) == ["the mail is from bea@example.org"]
    assert reasons(mail("Tested-by: me", **to)) == ["it names no address"]
    assert reasons(mail(f"Signed-off-by: {BEA}", **to)) == ["a reply does not give Signed-off-by"]
    assert reasons(mail(f"Acked-by: {ADA}", sender=ADA, **to)) == ["it is the author's own patch"]
    assert reasons(mail(f"{TAG}\n{TAG}", **to)) == ["it is there already"]
    assert reasons(mail(f"{TAG}\nAcked-by: {BEA}", **to)) == [
        "there is a Reviewed-by of the same person"
    ]


def test_a_review_takes_the_place_of_an_ack():
    there = commits(SUBJECTS, f"Acked-by: {BEA}")
    result = collect(mail(TAG, In_Reply_To="<v4-2@example.org>"), there=there)
    [message] = add_tags(there, result.applied).values()
    assert [str(t) for t in parse_message(message).trailers] == [f"Signed-off-by: {ADA}", TAG]


# --- many answers ----------------------------------------------------------------------------


LETTERS = "abcdeößéçñøůABCÄÉŁ"


def make_box(chance: random.Random, size: int) -> list[dict]:
    """Return what `size` answers say, to whom, and in which form; some answer earlier ones."""
    box: list[dict] = []
    for index in range(size):
        words = ["".join(chance.choices(LETTERS, k=chance.randint(1, 8))) for _ in range(2)]
        answer = {
            "person": " ".join(words),
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
    """Tell whether an answer can be followed by message-ids alone."""
    answer = box[index]
    if answer["by"] == "answer" and answer["above"] is not None:
        return leads_on(answer["above"], box)
    return answer["by"] in ("id", "references")


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_300_answers_no_tag_on_the_wrong_patch_and_none_lost(seed):
    box = make_box(random.Random(seed), 300)
    mails = [build(index, answer) for index, answer in enumerate(box)]
    result = collect(*mails)
    wanted, refused = set(), set()
    for index, answer in enumerate(box):
        number = target(index, box)
        if number < 0 or answer["foreign"]:
            refused.add(index)
        else:
            numbers = range(1, 4) if number == 0 else [number]
            wanted |= {(index, n, answer["key"]) for n in numbers}
    got = {(int(each.reply.name), each.number, each.trailer.key) for each in result.applied}
    assert got == wanted
    assert {int(each.reply.name) for each in result.not_applied} == refused
    assert len(result.applied) == len(wanted)
    messages = add_tags(commits(), result.applied)
    for number in (1, 2, 3):
        people = {t.address for t in parse_message(messages.get(Oid(str(number)), "")).trailers}
        assert people - {"ada@example.org"} == {
            box[index]["address"] for index, n, _ in wanted if n == number
        }
    assert len(result.applied) + len(result.not_applied) >= len(box)
