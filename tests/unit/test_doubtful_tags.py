# SPDX-License-Identifier: GPL-2.0-or-later
"""Tags in doubt: text about several tags, numbers of patches of other versions, HTML."""

from __future__ import annotations

import pytest

from patchgen.mail import Subject
from patchgen.mail.html_text import read_html
from patchgen.model.series import Mail
from patchgen.replies.patches import OtherVersion
from tests.unit.test_replies import (
    BEA,
    SUBJECTS,
    TAG,
    applied,
    collect,
    diff,
    mail,
    other,
    patches,
    quote,
    reasons,
)

ACK = f"Acked-by: {BEA}"
TO_PATCH = {"In_Reply_To": "<v4-2@example.org>"}
TO_COVER = {"In_Reply_To": "<v4-0@example.org>"}


@pytest.mark.parametrize(
    "body",
    [
        "Once that is renamed:\nReviewed-by: Bea Bärtsch\n  <bea@example.org>\n{}\n",
        "Once that is renamed:\n\nReviewed-by: Bea Bärtsch\n  <bea@example.org>\n\n{}\n",
        "Once that is renamed:\n{}\nThanks!\n{}\n",
        "With the comment fixed:\n\n{}\n(for drm)\nThanks\n{}\n",
        "{}\nThanks!\n{}\nprovided that it boots\n",
        "{}\n[for drm]\n{}\nif it boots.\n",
    ],
)
def test_a_condition_is_about_all_tags_of_a_block(body):
    reply = mail(body.format(f"Tested-by: {BEA}", ACK), **TO_PATCH)
    assert applied(reply) == []
    assert len(reasons(reply)) == 2 and all("has a condition" in why for why in reasons(reply))


@pytest.mark.parametrize(
    "text",
    [
        "I withdraw my tag:",
        "I have to take back my",
        "Please do not add my",
        "Don't add this yet:",
        "I can't give my",
        "This no longer stands:",
        "Not yet:",
        "NACK. I'm retracting the",
    ],
)
def test_a_tag_that_is_taken_back_is_not_added(text):
    for body in (f"{text}\n{TAG}\n", f"{text}\n\n{TAG}\n"):
        assert applied(mail(body, **TO_PATCH)) == [] and len(reasons(mail(body, **TO_PATCH))) == 1
    body = f"I can no longer reproduce the hang, and do not see others.\n\n{TAG}\n"
    assert len(applied(mail(body, **TO_PATCH))) == 1


@pytest.mark.parametrize("text", ["NAK. Nacked-by: {}", "So it is nacked by {}"])
def test_a_refusal_is_not_read_as_the_tag_that_its_name_ends_with(text):
    reply = mail(f"{text.format(BEA)}\n", **TO_PATCH)
    assert applied(reply) == [] and reasons(reply) == []


def test_a_condition_ends_at_an_empty_line_below_other_text():
    body = f"With the comment fixed:\n{TAG}\n\nI booted it.\nTested-by: {BEA}\n"
    assert applied(mail(body, **TO_PATCH)) == [(2, f"Tested-by: {BEA}")]


@pytest.mark.parametrize(
    ("wording", "count"),
    [
        ("With that:", 1),
        ("With this,", 1),
        ("And with the above...", 1),
        ("with those", 1),
        ("With that folded in:", 0),
        ("With this change:", 0),
        ("With the above applied", 0),
        ("If that works for you:", 0),
    ],
)
def test_after_a_diff_a_bare_reference_to_it_is_not_a_condition(wording, count):
    body = f"How about:\n\n{other(2)}\n{wording}\n\n{TAG}\n"
    assert len(applied(mail(body, **TO_PATCH))) == count
    assert len(reasons(mail(body, **TO_PATCH))) == 1 - count
    # Without a diff, it refers to a demand in the text.
    assert applied(mail(f"Rename it.\n\n{wording}\n\n{TAG}\n", **TO_PATCH)) == []


def test_a_scope_is_about_all_tags_of_a_block_without_another():
    body = f"For patch 1:\n{TAG}\nThanks!\n{ACK}\nFor patch 2:\nTested-by: {BEA}\n"
    listed = collect(mail(body, **TO_COVER)).not_applied
    assert [(tag.trailer.key, tag.targets) for tag in listed] == [
        ("Reviewed-by", (1,)),
        ("Acked-by", (1,)),
        ("Tested-by", (2,)),
    ]


# --- other versions ----------------------------------------------------------------------------

# v3 had the patches in another order, and the third one with other code.
V3 = OtherVersion("v3", {1: 2, 2: 1, 3: 3}, {3: "the patch has changed since v3"})
IDS = {"v3-0@x": 0, "v3-1@x": 2, "v3-2@x": 1, "v3-3@x": 3}
RECORDED = {"posted": IDS, "versions": dict.fromkeys(IDS, V3)}


def test_numbers_in_a_text_are_those_of_the_version_that_it_is_about():
    to_cover = mail(f"For patches 1 and 3:\n{TAG}", subject="Re: x", In_Reply_To="<v3-0@x>")
    assert applied(to_cover, **RECORDED) == []
    [skipped] = collect(to_cover, **RECORDED).not_applied
    assert skipped.reason.startswith('the text next to it restricts it to "patches 1 and 3:" of v3')
    assert skipped.reason.endswith("; patch 3: the patch has changed since v3")
    assert applied(to_cover, accepted=[1], **RECORDED) == [(2, TAG)]
    # The number is that of v3's first patch, which is the second one now.
    for number, expected in ((1, [(2, TAG)]), (2, [])):
        reply = mail(f"{TAG} # patch {number}", subject="Re: x", In_Reply_To="<v3-1@x>")
        assert [(n, tag.partition(" #")[0]) for n, tag in applied(reply, **RECORDED)] == expected


def test_a_tag_in_doubt_is_not_accepted_for_code_that_its_sender_has_not_read():
    sender = "Bea Bärtsch <bea@work.com>"
    reply = mail(TAG, sender=sender, subject="Re: x", In_Reply_To="<v3-0@x>")
    assert applied(reply, accepted=[1], **RECORDED) == [(1, TAG), (2, TAG)]
    reply = mail(TAG, sender=sender, subject="Re: x", In_Reply_To="<v3-3@x>")
    [skipped] = collect(reply, **RECORDED).not_applied
    assert skipped.targets == () and "since v3" in skipped.reason


def test_a_review_of_a_version_without_the_patch_is_not_accepted_for_it():
    series = patches({"v3-0@x": 0})
    subjects = {1: Subject("x86: Do two"), 2: Subject("x86: Do  three"), 3: Subject("x86: Other")}
    v3 = series.compare("v3", subjects, {1: 2})
    assert (v3.numbers, list(v3.outdated)) == ({1: 2, 2: 3}, [1, 3])
    series.versions_by_mail["v3-0@x"] = v3
    reply = mail(TAG, subject="Re: x", In_Reply_To="<v3-0@x>")
    assert applied(reply, series=series) == [(2, TAG)]
    assert [(tag.number, tag.targets) for tag in collect(reply, series=series).not_applied] == [
        (1, ()),
        (3, (3,)),
    ]


def test_numbers_in_a_reply_that_only_quotes_a_patch_are_of_an_unknown_version():
    body = f"{quote(diff(2))}\n{TAG} # patch 2\n"
    reply = mail(body, subject="Re: x")
    assert applied(reply) == []
    assert reasons(reply) == ['the text next to it restricts it to "patch 2" of an unknown version']
    assert len(applied(mail(body))) == 1


def test_a_thread_in_the_box_has_its_own_numbers():
    order = [2, 1]
    box = [
        mail(
            f"x\n---\n{diff(patch)}",
            subject=f"[PATCH v3 {number}/2] {SUBJECTS[patch - 1]}",
            own=f"p{number}@x",
            In_Reply_To="<p0@x>",
        )
        for number, patch in enumerate(order, 1)
    ]
    reply = mail(f"For patch 1:\n{TAG}", subject="Re: x", own="r@x", In_Reply_To="<p0@x>")
    assert applied(reply, *box, accepted=[1]) == [(2, TAG)]


def test_a_quote_does_not_hide_that_the_answered_mail_has_other_code():
    proposal = mail(f"How about:\n\n{other(2)}", own="h@x", **TO_PATCH)
    reply = mail(f"{quote(diff(2))}\n{TAG}", own="r@x", In_Reply_To="<h@x>", subject="Re: x")
    assert reasons(reply, proposal) == ["it answers 0001-reply.patch, which has another diff"]


# --- HTML --------------------------------------------------------------------------------------


def html_mail(body: str, plain: str | None = None, sender: str = BEA, own: str = "h@x") -> Mail:
    """Return a reply with HTML, and perhaps with plain text."""
    message = f"From: {sender}\nSubject: Re: x\nMessage-ID: <{own}>\n"
    message += "In-Reply-To: <v4-2@example.org>\nMIME-Version: 1.0\n"
    part = f"Content-Type: text/html; charset=utf-8\n\n{body}\n"
    if plain is not None:
        part = (
            "Content-Type: multipart/alternative; boundary=B\n\n"
            f"--B\nContent-Type: text/plain; charset=utf-8\n\n{plain}\n--B\n{part}--B--\n"
        )
    return Mail("h.eml", (message + part).encode())


HTML_TAG = "Reviewed-by: Bea B&auml;rtsch &lt;bea@example.org&gt;"
IN_HTML = "it is in HTML, where a quote may not be recognised"


@pytest.mark.parametrize(
    "body",
    [
        f"<html><body><p>Fine.</p><p>{HTML_TAG}</p></body></html>",
        f"<div>Fine.<br>{HTML_TAG}<br></div>",
        f"<pre>Fine.\n{HTML_TAG}\n</pre>",
        f"<P CLASS='x>y'>Fine.<TABLE><TR><TD>{HTML_TAG}</TABLE>",
        '<div>Reviewed-by: Bea B&auml;rtsch\n&lt;<a href="mailto:bea@example.org">'
        "bea@example.org</a>&gt;</div>",
        f"<style>a {{}}</style>{HTML_TAG}<blockquote>Acked-by: Eve &lt;e@x.org&gt;</blockquote>",
        "Reviewed-by: Bea Bärtsch <bea@example.org><br>",
    ],
)
@pytest.mark.parametrize("plain", [None, "", "This mail is HTML."])
def test_a_tag_in_html_is_listed_and_can_be_accepted(body, plain):
    reply = html_mail(body, plain)
    assert applied(reply) == []
    assert reasons(reply) == [IN_HTML]
    assert applied(reply, accepted=[1]) == [(2, TAG)]


def test_a_tag_in_html_and_in_plain_text_is_one():
    assert applied(html_mail(f"<p>{HTML_TAG}</p>", TAG)) == [(2, TAG)]
    assert reasons(html_mail(f"<p>{HTML_TAG}</p>", TAG)) == []
    # The plain text shows that it is a quote.
    assert reasons(html_mail(f"<div class=q>{HTML_TAG}</div>", f"> {TAG}")) == []


def test_in_html_without_plain_text_the_tags_of_all_people_are_listed():
    acked = "Acked-by: Eve &lt;eve@x.org&gt;"
    assert reasons(html_mail(f"<p>{acked}</p>")) == ["the mail is from bea@example.org"]
    assert reasons(html_mail(f"<p>{acked}</p>", "Fine.")) == []
    conditional = html_mail(f"<p>Once it boots:</p><p>{HTML_TAG}</p>")
    assert reasons(conditional) == ['the text above it has a condition: "Once it boots:"']


def test_a_mail_with_html_only_is_remarked_on_even_without_a_tag():
    for plain, remark in (
        (None, "it has no plain text, only text/html"),
        (" \n", "its plain text is empty, and it has HTML"),
    ):
        assert remark in collect(html_mail("<p>Nice.</p>", plain)).remarks[0]


def test_a_diff_in_html_is_a_proposal():
    proposal = html_mail(f"<pre>How about:\n{other(2)}</pre>")
    reply = mail(TAG, own="r@x", In_Reply_To="<h@x>", subject="Re: x")
    assert applied(reply, proposal) == []


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<br>b<div>c</div>d", "a\nb\nc\nd"),
        ("<p> a\n b&nbsp;&amp; <b>c</b> </p>", "a b\xa0& c"),
        ("a<!-- <p>b</p> -->c<!-- d", "ac"),
        ("<script>if (a<b) x</script>a<title>b</title>", "a"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\n> b\nc"),
        ("</blockquote>a<p", "a"),
        ("1 < 2 <3 a<a@b.org> &bogus;", "1 < 2 <3 a<a@b.org> &bogus;"),
        ("<pre>a  b\n\nc</pre>", "a  b\nc"),
    ],
)
def test_html_becomes_lines(source, text):
    assert read_html(source) == text


@pytest.mark.parametrize("source", ["<!--", "<a ", "<", "<a href='", "<blockquote>x", "<!", "&#"])
def test_html_without_ends_takes_linear_time(source):
    assert isinstance(read_html(source * 100_000), str)
