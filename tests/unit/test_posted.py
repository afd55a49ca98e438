# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a series of mails is whole."""

from __future__ import annotations

import itertools

import pytest

from patchgen.errors import RefusedError
from patchgen.mail import choose_series
from patchgen.model.series import Mail

_count = itertools.count()


def mail(
    label: str, *, to: str = "x", own: str = "", base64: bool = False, answers: str = ""
) -> Mail:
    """Return a patch with a subject "[PATCH LABEL]" that changes the file `to`."""
    number = next(_count)
    body = f"Because.\n---\ndiff --git a/{to} b/{to}\n--- a/{to}\n+++ b/{to}\n@@ -1 +1 @@\n-a\n+b\n"
    if " 0/" in f" {label}":
        body = f"All.\n\nInterdiff:\n{body}"
    head = f"From: a@x.org\nSubject: [PATCH {label}] x: {to}\nMessage-ID: <{own or number}@x>\n"
    if answers:
        head += f"In-Reply-To: <{answers}@x>\n"
    if base64:
        import base64 as coder

        head += "Content-Transfer-Encoding: base64\n"
        body = coder.encodebytes(body.encode()).decode()
    return Mail(f"{number}.patch", f"{head}\n{body}".encode())


def numbers(*mails: Mail, revision: int | None = None) -> list[int | None]:
    return [patch.subject.number for patch in choose_series(mails, "box", revision).patches]


def refusal(*mails: Mail) -> str:
    with pytest.raises(RefusedError) as caught:
        choose_series(mails, "box")
    return caught.value.message


def test_a_series_is_in_order_whatever_the_order_of_its_mails():
    assert numbers(mail("v4 2/3"), mail("v4 3/3"), mail("v4 0/3"), mail("v4 1/3")) == [1, 2, 3]
    assert numbers(mail("v4 1/2"), mail("v4 2/2", base64=True)) == [1, 2]
    assert numbers(mail("v4")) == [None]


def test_a_cover_letter_with_an_interdiff_is_never_a_patch():
    series = choose_series([mail("v4 0/1"), mail("v4 1/1")], "box")
    assert series.cover is not None and len(series.patches) == 1
    assert refusal(mail("v4 0/1")) == "box has no mail with a diff"


def test_a_reply_is_neither_a_patch_nor_the_cover_letter():
    replies = [
        Mail(
            f"r{n}", b"From: b@x.org\nSubject: Re: [PATCH v4 %d/1] x\n\n> diff --git a/x b/x\n" % n
        )
        for n in (0, 1)
    ]
    series = choose_series([*replies, mail("v4 1/1")], "box")
    assert series.cover is None and len(series.patches) == 1


def test_a_series_with_a_gap_is_refused():
    incomplete = refusal(mail("v4 1/3"), mail("v4 2/3"))
    assert "is incomplete: of 3 patches of v4, these are missing: 3" in incomplete
    assert "these are missing: 1" in refusal(mail("v4 0/2"), mail("v4 2/2"))


def test_the_newest_version_is_used_and_never_an_older_one_in_its_place():
    both = [mail("v3 1/1"), mail("v4 1/1")]
    assert choose_series(both, "box").revision == 4
    assert choose_series(both, "box", 3).revision == 3
    assert choose_series(both, "box").versions == (3, 4)
    assert "of v4" in refusal(mail("v3 1/1"), mail("v4 1/2"))


def test_a_copy_of_a_mail_is_ignored_and_another_mail_is_refused():
    one = mail("v4 1/1", own="one")
    assert numbers(one, one) == [1]
    assert numbers(mail("v4 1/1"), mail("v4 1/1")) == [1]
    assert "two patches v4 1/1, and they differ" in refusal(one, mail("v4 1/1", to="y"))
    assert "two mails with the message-id one@x" in refusal(one, mail("v4 1/1", to="y", own="one"))


def test_mails_that_contradict_each_other_are_refused():
    assert "do not agree on how many" in refusal(mail("v4 1/2"), mail("v4 2/3"))
    assert "a patch without a number" in refusal(mail("v4 1/1"), mail("v4", to="y"))
    assert "2 cover letters of v4" in refusal(mail("v4 0/1"), mail("v4 0/1"), mail("v4 1/1"))
    assert "has a patch v4 3/2" in refusal(mail("v4 1/2"), mail("v4 2/2"), mail("v4 3/2"))


def test_mails_of_two_series_are_not_read_as_one():
    one, other = mail("v4 1/2", answers="a"), mail("v4 2/2", answers="b")
    assert "two threads" in refusal(one, other)
    assert "two threads" in refusal(mail("v4 0/2", own="a"), one, other)
    # Not a thread; each an answer to the one before it; all of them answers to the version before.
    assert numbers(mail("v4 1/2"), mail("v4 2/2")) == [1, 2]
    assert numbers(mail("v4 1/2", own="p"), mail("v4 2/2", answers="p")) == [1, 2]
    assert numbers(mail("v4 0/2", answers="a"), one, mail("v4 2/2", answers="a")) == [1, 2]


def test_patches_without_numbers_are_not_assumed_to_be_complete():
    assert "patches without numbers" in refusal(mail("v4 0/4"), mail("v4"), mail("v4", to="y"))
    assert numbers(mail("v4"), mail("v4", to="y")) == [None, None]


def test_a_series_of_more_than_9999_patches_has_numbers():
    assert "of 12345 patches" in refusal(mail("v4 00001/12345"), mail("v4 12345/12345"))
    message = refusal(mail("v4 1/999999999"))
    assert "these are missing: 2, 3, 4" in message and len(message) < 200
    assert numbers(mail("v4 00000/1"), mail("v4 00001/00001")) == [1]


def test_an_unreadable_or_damaged_patch_is_named():
    odd = Mail(
        "odd.patch", b"From: a: b <c@x.org>\nSubject: [PATCH v4 2/2] x\n\ndiff --git a/x b/x\n"
    )
    message = refusal(mail("v4 1/2"), odd)
    assert "these are missing: 2" in message and "odd.patch cannot be read: its From" in message
    cut = mail("v4 2/2", base64=True)
    damaged = Mail("cut.patch", cut.content[:-8])
    assert "cut.patch: its base64 is damaged" in refusal(mail("v4 1/2"), damaged)


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"+b\n", b"+b\n_______\nlist mailing list\nhttp://x.org\n"),
        (b"+b\n", b"+b\n--\nTo unsubscribe\n"),
        (b"Because.", b"CAUTION: external\n\nBecause."),
        (b"Because.", b"From: A <a@x.org>\n\nBecause."),
        (b"Because.\n", b"Because. \n"),
        (b"From: a@x.org", b"From: A via List <list@x.org>\nReply-To: a@x.org"),
    ],
)
def test_what_a_list_adds_makes_no_other_patch(old, new, is_reversed):
    first = mail("v4 1/1", own="one")
    copy = Mail("copy.patch", first.content.replace(old, new))
    assert copy.content != first.content
    box = [copy, first] if is_reversed else [first, copy]
    series = choose_series(box, "box")
    assert [patch.name for patch in series.patches] == [first.file_name] or b". " in new
    for change in ((b"+b", b"+c"), (b"Because", b"Never")):
        other = Mail("copy.patch", first.content.replace(*change))
        assert "with the message-id one@x, and they differ" in refusal(first, other)


def test_a_cover_letter_without_its_patches_is_not_replaced_by_an_older_version():
    box = [mail("v3 1/1"), mail("v4 0/2")]
    assert "the cover letter of v4" in refusal(*box) and "none of its patches" in refusal(*box)
    assert numbers(*box, revision=3) == [1]
    assert numbers(mail("v4 1/1"), mail("v3 0/2")) == [1]
