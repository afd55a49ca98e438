"""Names and addresses on their way through headers."""

from __future__ import annotations

import email
import email.policy

import pytest

from patchgen.errors import UsageError
from patchgen.mail import (
    add_recipients,
    list_recipients,
    redirect_mail,
    replace_sender,
    split_people,
)
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
    assert [each.addr_spec for each in message["To"].addresses] == [
        each.rpartition("<")[2].rstrip(">") for each in PEOPLE
    ]
    shown = list_recipients(mail).to
    assert shown[:4] == PEOPLE[:4]
    assert split_people(shown) == shown


def test_people_in_one_option():
    assert split_people(["a@b.org, C <c@d.org>", "A@b.org", "list"]) == (
        "a@b.org",
        "C <c@d.org>",
        "list",
    )
    with pytest.raises(UsageError, match="other characters than ASCII"):
        split_people(["jörg@müller.example"])


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
