# SPDX-License-Identifier: GPL-2.0-or-later
"""Generate the versions of a series, the replies to them, and the truth about each tag.

The truth comes from how a thread is made: a reviewer reads one patch of one version, and the
branch's patch for the same purpose has either that code or other code. This module reads no mails.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from tests.support.mail_forms import Form, add_footer, choose_form, write_mail, write_mbox
from tests.support.posted_versions import COVER, Posted, Version, VersionMaker, make_diff
from tests.support.review_text import TRAP, Doubt, choose_doubt, write_end, write_quote, write_tags

AUTHOR = "Ada Übergang <ada@example.org>"
CHANGE_ID = "2026-do-it"
_NAMES = (
    "Bea Bärtsch", "Cy Cee", "Łukasz Żak", "Иван Петров", "李 明", "山田 太郎", "김 철수",
    "Ångström", "D. O'Dea", "Jörg M. van der Berg",
)  # fmt: skip
_KEYS = ("Reviewed-by", "Acked-by", "Tested-by")
_LIST = "list@lists.example.org"
# Mails that cannot be read, and one of a machine.
_ODD = (
    b"From: a@example.org\nFrom: b@example.org\nSubject: two\n\nAcked-by: A <a@example.org>\n",
    b"From: undisclosed-recipients:;\nSubject: none\n\nx\n",
    b"From: bot <bot@example.org>\nMessage-ID: <bot@example.org>\nSubject: Re: x\n\nBuild: ok\n",
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A tag in a reply. Only the patches in `permitted` may get it.

    `read` are the patches with the code that the reviewer read, `meant` those for the same purpose
    with any code. A tag that `is_certain` is free of doubts: all permitted patches must get
    it.
    """

    mail_id: str
    key: str
    person: str
    permitted: frozenset[int]
    read: frozenset[int]
    meant: frozenset[int]
    is_certain: bool

    @property
    def line(self) -> str:
        """The tag in a commit message."""
        return f"{self.key}: {self.person}"


@dataclass(frozen=True, slots=True)
class Thread:
    """All posted versions, with that of the branch (`current`), and a mailbox with replies."""

    current: Version
    versions: tuple[Version, ...]
    box: bytes
    statements: tuple[Statement, ...]


@dataclass(slots=True)
class _Reply:
    """A reply while it is written.

    `ids` are the mails above it, the oldest first; they lead to the patch if `is_known`. It
    `is_aside` if it, or a mail above it, proposes another diff.
    """

    message_id: str
    to: Posted
    ids: tuple[str, ...]
    is_known: bool
    person: str
    is_aside: bool = False
    statements: list[Statement] = field(default_factory=list)


def make_thread(seed: int, size: int) -> Thread:
    """Return a thread with `size` replies."""
    return _Maker(random.Random(seed)).make(size)


class _Maker:
    def __init__(self, chance: random.Random):
        self.chance = chance
        maker = VersionMaker(chance)
        self.revision = maker.revision
        self.versions = maker.make_versions()
        self.replies: list[_Reply] = []
        self.mails: list[bytes] = []

    def happens(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.chance.random() < probability

    def make(self, size: int) -> Thread:
        """Return a thread with `size` replies."""
        current = next(one for one in self.versions if one.number == self.revision)
        for version in self.versions:
            for posted in version.mails:
                if posted.number in version.in_box:
                    self._add_mail(self._write_posted(posted, version))
        for index in range(size):
            self._add_reply(index)
        self.mails += [odd for odd in _ODD if self.happens(0.1)]
        self.chance.shuffle(self.mails)
        statements = tuple(one for reply in self.replies for one in reply.statements)
        return Thread(current, tuple(self.versions), write_mbox(self.mails), statements)

    # --- mails -----------------------------------------------------------------------------------

    def _write_posted(self, posted: Posted, version: Version) -> bytes:
        headers = {
            "From": "Eve Else <eve@example.com>" if version.is_foreign else AUTHOR,
            "Subject": f"{posted.brackets} {posted.subject}",
            "Message-ID": f"<{posted.message_id}>",
        }
        if posted.number != COVER:
            headers["In-Reply-To"] = f"<{version.mails[0].message_id}>"
        text = f"Because.\n\nSigned-off-by: {AUTHOR}\nReviewed-by: {TRAP}\n---\n"
        if posted.number == COVER:
            text += f"change-id: {'foreign' if version.is_foreign else CHANGE_ID}\n"
        form = replace(choose_form(self.chance, text), structure="plain")
        return write_mail(headers, f"{text}{posted.diff}\n-- \n2.39\n", form)

    def _add_mail(self, content: bytes) -> None:
        """Add a mail to the box, perhaps with a second copy from a list."""
        self.mails.append(content)
        if self.happens(0.2):
            self.mails.append(add_footer(content) if self.happens(0.5) else content)

    def _add_reply(self, index: int) -> None:
        reply = self._begin_reply(index)
        link = self._choose_link(reply)
        headers, is_certain = self._write_link(reply, link)
        is_html = self.happens(0.06)
        lines = write_quote(self.chance, reply.to.diff, is_whole=link == "quote")
        lines += self._write_own_text(reply, is_certain=is_certain and not is_html)
        text = "\n".join([*lines, *write_end(self.chance)]) + "\n"
        form = choose_form(self.chance, f"{text}{reply.person}")
        form = replace(form, structure="html") if is_html else form
        reply.is_known &= link in ("both", "answers", "references")
        self.replies.append(reply)
        self._deliver(headers, text, form, reply)

    def _deliver(self, headers: dict[str, str], text: str, form: Form, reply: _Reply) -> None:
        """Add the mail, the same by a list that puts its own address into From, or both."""
        by_list = self.happens(0.1)
        if by_list:
            name = reply.person.partition(" <")[0]
            rewritten = {"From": f"{name} via Kernel <{_LIST}>", "Reply-To": headers["From"]}
            self._add_mail(write_mail({**headers, **rewritten}, text, form))
        if by_list and self.happens(0.5):
            reply.statements = [
                replace(one, permitted=frozenset[int](), is_certain=False)
                for one in reply.statements
            ]
        else:
            self._add_mail(write_mail(headers, text, form))

    # --- what a reply is about -------------------------------------------------------------------

    def _begin_reply(self, index: int) -> _Reply:
        """Return an empty reply to a patch, a cover letter, or to another reply."""
        person = f"{self.chance.choice(_NAMES)} <p{index}@example.org>"
        if self.replies and self.happens(0.15):
            person = self.chance.choice(self.replies).person
        message_id = f"r{index}@example.org"
        if self.replies and self.happens(0.3):
            above = self.chance.choice(self.replies)
            ids = (*above.ids, above.message_id)
            return _Reply(message_id, above.to, ids, above.is_known, person, above.is_aside)
        current = [one for one in self.versions if one.number == self.revision]
        version = self.chance.choice(self.versions + 2 * current)
        to = self.chance.choice(version.mails)
        ids = tuple(dict.fromkeys((version.mails[0].message_id, to.message_id)))
        return _Reply(message_id, to, ids, version.leads_to(to), person, version.is_foreign)

    def _choose_link(self, reply: _Reply) -> str:
        """Return how the mail identifies what it is about.

        A reply to a foreign patch does so by message-id: the branch has the same subjects.
        """
        kinds = ["both", "answers"] if reply.is_aside else ["both"] * 3 + ["answers", "references"]
        others = [] if reply.is_aside else ["subject", "lost", *(["quote"] * bool(reply.to.number))]
        return self.chance.choice([*kinds, *others])

    def _write_link(self, reply: _Reply, link: str) -> tuple[dict[str, str], bool]:
        """Return the headers, and whether they identify the patch, with a quote of all of it."""
        to = reply.to
        prefix = self.chance.choice(["Re: ", "RE: ", "Re: Re: ", "AW: "])
        is_renamed = link == "quote" or (
            reply.is_known and link not in ("subject", "lost") and self.happens(0.1)
        )
        subject = "Re: something else" if is_renamed else f"{prefix}{to.brackets} {to.subject}"
        headers = {"From": reply.person, "Subject": subject, "Message-ID": f"<{reply.message_id}>"}
        if link in ("both", "answers"):
            headers["In-Reply-To"] = f"<{reply.ids[-1]}>"
        if link in ("both", "references"):
            headers["References"] = " ".join(f"<{message_id}>" for message_id in reply.ids)
        if link == "lost":
            headers["In-Reply-To"] = f"<{self.chance.randrange(10**6)}@exchange.example.com>"
        if link in ("subject", "lost", "quote"):
            is_current = to.version == self.revision
            return headers, (link == "subject" and is_current) or (link == "quote" and to.is_same)
        return headers, reply.is_known and not reply.is_aside

    # --- its statements --------------------------------------------------------------------------

    def _write_own_text(self, reply: _Reply, *, is_certain: bool) -> list[str]:
        """Return the sender's own lines, and record what they state."""
        keys = self.chance.sample(_KEYS, self.chance.choice([0, 1, 1, 1, 2]))
        lines = [self.chance.choice(["Looks good to me.", "Fine.", "Nice work!", "I like it."]), ""]
        if not keys and reply.to.number and self.happens(0.4):
            reply.is_aside = True
            return [*lines, "How about this:", "", *make_diff(8, reply.message_id).splitlines(), ""]
        doubt = choose_doubt(self.chance, reply.to.number, reply.to.total)
        person = self._choose_person(reply, doubt)
        read, meant = self._list_patches(reply, doubt.places)
        permitted = read if doubt.kind in ("", "scope", "form") else frozenset()
        certain = is_certain and not doubt.kind
        reply.statements = [
            Statement(reply.message_id, key, person, permitted, read, meant, certain)
            for key in keys
        ]
        tags = write_tags(self.chance, keys, person, doubt)
        return [*lines, doubt.wording, *tags, ""]

    def _choose_person(self, reply: _Reply, doubt: Doubt) -> str:
        return {
            "other": "Boss <boss@example.org>",
            "author": AUTHOR,
            "similar": reply.person.replace("@", "+kernel@"),
        }.get(doubt.kind, reply.person)

    def _list_patches(
        self, reply: _Reply, places: frozenset[int]
    ) -> tuple[frozenset[int], frozenset[int]]:
        """Return the branch's patches with the code that was read, and those with its purpose.

        `places` are the numbers to which the text restricts a tag, none if it does not.
        """
        to = reply.to
        version = next(one for one in self.versions if to in one.mails)
        patches = version.patches if to.number == COVER else (to,)
        chosen = [patch for patch in patches if not places or patch.number in places]
        same = frozenset(patch.patch for patch in chosen if patch.patch and patch.is_same)
        meant = frozenset(patch.patch for patch in chosen if patch.patch)
        return frozenset() if reply.is_aside else same, meant
