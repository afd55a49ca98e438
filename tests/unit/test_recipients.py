# SPDX-License-Identifier: GPL-2.0-or-later
"""Names and addresses on their way through headers."""

from __future__ import annotations

import email
import email.policy

import pytest

from patchgen.controls import has_controls
from patchgen.errors import RefusedError, UsageError
from patchgen.mail import (
    SeriesRecipients,
    add_recipients,
    edit_recipients,
    follow_cover,
    join_list,
    list_recipients,
    map_recipients,
    redirect_mail,
    replace_sender,
    split_people,
)
from patchgen.mail.headers import check_headers, encode_address
from patchgen.model.series import Mail, Recipients

HEAD = b"From: Ada <ada@a.org>\nSubject: [PATCH] x\n\n"
DIFF = b"\n---\ndiff --git a/x b/x\n"
PEOPLE = (
    "a@b.org",
    "H. Peter Anvin <hpa@b.org>",
    '"Last, First" <lf@b.org>',
    '"Müller, Jörg (x86)" <jm@b.org>',
    'Zoë "Z" Q <z@b.org>',
    "Very " * 20 + "Long Ö <long@b.org>",
)


def test_names_survive_being_written_and_read_again():
    mail = Mail("x.patch", HEAD)
    for person in PEOPLE:
        mail = add_recipients(mail, Recipients(split_people([person])))
    head = mail.content.partition(b"\n\n")[0]
    assert head.isascii()
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert [person.addr_spec for person in message["To"].addresses] == [
        person.rpartition("<")[2].rstrip(">") for person in PEOPLE
    ]
    shown = list_recipients(mail).to
    assert shown[:4] == PEOPLE[:4]
    assert split_people(shown) == shown


A, B, C, D = (f"{name} <{name.lower()}@b.org>" for name in ("A", "B", "C", "D"))


def test_nobody_is_added_to_a_mail_twice():
    mail = add_recipients(Mail("x.patch", HEAD), Recipients((A,), (B,)))
    more = add_recipients(mail, Recipients((C, "B <B@b.org>"), ("a@b.org", "c <C@b.org>", D, D)))
    assert list_recipients(more) == Recipients((A, C), (B, D))
    assert add_recipients(more, Recipients((B,), (A,))) is more


def test_nobody_is_added_to_a_series_twice():
    recipients = SeriesRecipients(
        Recipients((A,), (B, C)), (Recipients((A,), (B,)), Recipients((), (C,)))
    )
    added = Recipients(("c@b.org", D, "d <D@b.org>"), (D, B, "b@b.org"))
    edited = edit_recipients(recipients, added, Recipients())
    everybody = Recipients((A, "c@b.org", D), (B,))
    assert edited.cover == edited.patches[0] == everybody
    assert edited.patches[1] == Recipients(("c@b.org", D), (B,))


def test_a_removed_person_gets_no_mail_unless_also_added():
    recipients = SeriesRecipients(Recipients((A,), (B,)), (Recipients((A,), (B,)),))
    edited = edit_recipients(
        recipients, Recipients((), (C, D)), Recipients(("A@b.org",), (C, "b@b.org"))
    )
    assert edited.cover == edited.patches[0] == Recipients((), (C, D))


def test_a_person_is_in_the_header_that_they_were_added_to():
    recipients = SeriesRecipients(Recipients((A,), (B,)), (Recipients((A,), (B,)),))
    edited = edit_recipients(recipients, Recipients(("b@b.org",), ("a@b.org",)), Recipients())
    assert edited.cover == edited.patches[0] == Recipients(("b@b.org",), ("a@b.org",))


def test_a_list_joins_an_alias_once():
    recipients = SeriesRecipients(
        Recipients((A,), (B,)), (Recipients((A,)), Recipients((A,), ("D@b.org",)), Recipients((C,)))
    )
    joined = join_list(recipients, "a@b.org", "d@b.org")
    assert joined.cover == Recipients((A,), (B, "d@b.org"))
    assert joined.patches == (Recipients((A,), ("d@b.org",)), *recipients.patches[1:])


def test_two_names_that_become_one_are_one():
    recipients = SeriesRecipients(Recipients((A, B), (C, D)), (Recipients((A,), (B, C)),))
    asked: list[list[str]] = []

    def rename(names) -> list[str]:
        asked.append(list(names))
        return [{B: A, C: "a@b.org"}.get(name, name) for name in names]

    mapped = map_recipients(recipients, rename)
    assert mapped == SeriesRecipients(Recipients((A,), (D,)), (Recipients((A,)),))
    assert asked == [[A, B, C, D]]


def test_the_recipients_of_the_cover_letter_decide_who_gets_the_patches():
    recipients = SeriesRecipients(
        Recipients((A,), (B, C)), (Recipients((A,), (B,)), Recipients((), (C,)), Recipients())
    )
    # Somebody took B and C out, and added D.
    cover = Recipients(("a@b.org",), (D,))
    assert follow_cover(recipients, cover) == SeriesRecipients(
        cover, (Recipients((A,), (D,)), Recipients((), (D,)), Recipients((), (D,)))
    )
    # Somebody took A out.
    assert follow_cover(recipients, Recipients((D,), (B,))).patches[0] == Recipients((D,), (B,))
    # Nobody that the letter names gets the second and third patch: all of them do.
    fewer = Recipients((A,), (B,))
    assert follow_cover(recipients, fewer).patches == (Recipients((A,), (B,)), fewer, fewer)
    # And who is in Cc of the letter stays in To of a patch.
    moved = Recipients((D,), (A, C))
    assert follow_cover(recipients, moved).patches == (
        Recipients((A, D)),
        Recipients((D,), (C,)),
        Recipients((D,)),
    )


def test_people_in_one_option():
    assert split_people(["a@b.org, C <c@d.org>", "A@b.org", "list"]) == (
        "a@b.org",
        "C <c@d.org>",
        "list",
    )
    for wrong in ("jörg@müller.example", "Foo x@y", "a b", "E\x1bve <e@b.org>"):
        with pytest.raises(UsageError):
            split_people([wrong])
    with pytest.raises(UsageError, match="'list' is not an address"):
        split_people(["list"], lambda name: False)


@pytest.mark.parametrize(
    "header",
    [
        b"Subject: [PATCH] ring \x07",
        b"Subject: =?utf-8?q?=1B=5B1m?=",
        b"Subject: =?utf-8?q?x=E2=80=AEy?=",
        b"From: E\xffve <e@b.org>",
        b"X-Other: a\x0bb",
    ],
)
def test_a_header_with_control_characters_never_becomes_a_mail(header):
    with pytest.raises(RefusedError, match="control characters") as caught:
        check_headers(Mail("x.patch", header + b"\nTo: a@b.org\n\nText.\n"))
    assert not has_controls(str(caught.value), allow="\n")


def test_headers_with_folds_and_names_in_all_letters_are_fine():
    head = "Subject: [PATCH]\n =?utf-8?q?J=C3=B6rg?=\nFrom: J\u00f6rg <j@b.org>\n".encode()
    check_headers(Mail("x.patch", head + b"\nBody with \x07.\n"))


def test_an_address_of_an_old_cover_letter_that_no_mail_can_have_is_refused():
    with pytest.raises(RefusedError, match="is invalid"):
        encode_address("J\u00f6rg <j\u00f6rg@b.org>")
    assert encode_address("M <m@ex\u00e4mple.org>") == "M <m@xn--exmple-cua.org>"


def test_headers_of_a_mail_to_oneself_are_not_too_long():
    everybody = tuple(f"somebody.number.{n}@some.long.domain.example.org" for n in range(60))
    mail = redirect_mail(Mail("x.patch", HEAD), "me@b.org")
    assert b"X-Original" not in mail.content
    mail = add_recipients(Mail("x.patch", HEAD), Recipients(everybody))
    mail = redirect_mail(mail, "me@b.org")
    assert max(map(len, mail.content.split(b"\n"))) < 900
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert ", ".join(message.get_all("X-Original-To")) == ", ".join(everybody)


@pytest.mark.parametrize(
    ("body", "sender"),
    [
        (b"A cover letter.\n", "Ada Wörk <work@a.org>"),
        (b"From: Bea <b@b.org>\n\nText." + DIFF, "Ada Wörk <work@a.org>"),
        # Here git puts the author into the body.
        (b"Text." + DIFF, "Ada <ada@a.org>"),
    ],
)
def test_another_sender_does_not_hide_the_author(body, sender):
    mail = replace_sender(Mail("x.patch", HEAD + body), "Ada Wörk <work@a.org>")
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert str(message["From"]) == sender
    assert mail.content.endswith(b"\n\n" + body)
