# SPDX-License-Identifier: GPL-2.0-or-later
"""Tags in doubt: what the text says about several tags, numbers of other versions, HTML."""

from __future__ import annotations

import pytest

from patchgen.mail.html_text import read_html
from patchgen.model.series import Mail
from tests.unit.test_replies import (
    BEA,
    TAG,
    applied,
    collect,
    mail,
    other,
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


def test_a_condition_ends_at_an_empty_line_below_other_text():
    body = f"With the comment fixed:\n{TAG}\n\nI booted it.\nTested-by: {BEA}\n"
    assert applied(mail(body, **TO_PATCH)) == [(2, f"Tested-by: {BEA}")]


def test_a_scope_is_about_all_tags_of_a_block_without_another():
    body = f"For patch 1:\n{TAG}\nThanks!\n{ACK}\nFor patch 2:\nTested-by: {BEA}\n"
    listed = collect(mail(body, **TO_COVER)).not_applied
    assert [(tag.trailer.key, tag.targets) for tag in listed] == [
        ("Reviewed-by", (1,)),
        ("Acked-by", (1,)),
        ("Tested-by", (2,)),
    ]


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


def test_in_html_without_plain_text_the_tag_of_anybody_is_listed():
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
