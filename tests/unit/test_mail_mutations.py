# SPDX-License-Identifier: GPL-2.0-or-later
"""Mails with random changes: each is read, or listed with a reason, and none stops the others."""

from __future__ import annotations

import io
import random
from functools import cache

from hypothesis import given, strategies as st

from patchgen.errors import RefusedError
from patchgen.mail import ReadableMail, read_mail, read_stream
from patchgen.replies.collect import match_tags
from tests.support import TOP
from tests.support.examples import examples
from tests.support.review_threads import make_thread
from tests.unit.test_review_threads import describe_branch

# Of 100 mutations each.
_SEEDS = 1000
_THREAD = make_thread(seed=5, size=80)
_TRICKS = [
    b"\0", b"\r", b"\n\n", b"From ", b"=?y?b?!!?=", b"boundary=", b"Content-Type: multipart/x;",
    b"\xff\xfe", b"(" * 300, b'"', b"charset*0*=utf-8''%", b";", b":", b"<", b">", b"base64",
    b"=\n", b"=\r\n", b"Content-Type: message/rfc822\n", b"Content-Transfer-Encoding: ",
    b"\xed\xb2\x80", b"\xe2\x80\x8b", b"\xef\xbc\x9a", b"\x1b[1m", b"Content-Type: text/html\n",
    b"<!--", b"&#x110000;", b"--=-one\n", b"format=flowed", b"charset=utf-7", b"charset=utf-16",
    b"Reviewed-by: ", b"For patches 1-999999999:\n", b"@@ -1,999999999 +1,999999999 @@\n",
    # Long repetitions, in which a pattern may take quadratic time.
    *(text * 1500 for text in (
        b">", b"\n", b" ", b"\t", b"-", b"_", b"[", b"<", b"# ", b"a@", b"<x@y> ", b"(for ",
        b"Re: ", b"[PATCH", b"1/2, ", b"with , ", b"Bea via ", b"reviewed", b"Reviewed-by: ",
        b"patch 1 and ", b"<blockquote>", b"=?utf-8?q?=C3=A9?= ", b"diff --git a/x b/x\n",
        b"Acked-by: B <b@x.org>\n", b"--- a/x\n+++ b/x\n", b"patches 1, 2 and 3\n",
    )),
]  # fmt: skip


@cache
def corpus() -> list[bytes]:
    """Return the small mails of tests/data/mail, and those of a generated thread."""
    files = sorted((TOP / "tests" / "data" / "mail").glob("*/*"))
    small = [path.read_bytes() for path in files if path.suffix in (".mbox", ".patch")]
    thread = [mail.content for mail in read_stream(io.BytesIO(_THREAD.box), "box")]
    return [*(content for content in small if len(content) < 5000), *thread]


def mutate(chance: random.Random) -> bytes:
    """Return a mail of the corpus with a few bytes changed, doubled, cut or swapped for tricks."""
    content = bytearray(chance.choice(corpus()))
    for _ in range(chance.randint(1, 8)):
        start = chance.randrange(len(content) + 1)
        end = min(len(content), start + chance.choice([0, 1, 5, 50]))
        new = chance.choice([b"", chance.choice(_TRICKS), bytes(content[start:end]) * 2])
        content[start:end] = new
    return bytes(content)


@examples(_SEEDS, part=3)
@given(st.integers(0, 2**32))
def test_any_mail_is_readable_or_has_a_reason(seed):
    commits, patches = describe_branch(_THREAD)
    chance = random.Random(seed)
    for _ in range(100):
        try:
            mails = read_stream(io.BytesIO(mutate(chance)), "box")
        except RefusedError as err:
            assert "box" in err.message
            continue
        results = [read_mail(mail) for mail in mails]
        unreadable = [result for result in results if not isinstance(result, ReadableMail)]
        assert all(result.reason for result in unreadable)
        assert not any("fails on it" in result.reason for result in unreadable)
        tags = match_tags(mails, commits, patches)
        assert tags.unreadable == unreadable
