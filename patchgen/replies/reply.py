# SPDX-License-Identifier: GPL-2.0-or-later
"""A reply: its sender, the mails that it answers, and the tags in its own text.

Its own text is what the sender wrote: not quotes, not the text below a signature, not a mail that
is answered at the top, and not the lines of a diff.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from patchgen.mail import ReadableMail
from patchgen.odb.difftext import Kind, classify_lines, has_diff
from patchgen.replies.sender import find_relation
from patchgen.replies.tags import REPLY_TAGS, FoundTag, find_mentions, find_tags

_LINE_END = re.compile(r"\r\n|\n|\r")
_QUOTED = re.compile(r"^[ \t]*[>|]")
_QUOTE_MARK = re.compile(r"^(?:[ \t]*>)+ ?")
# The signature, or the answered mail, begins here.
_END = re.compile(r"^(-- |-- ?$|-{3,} ?Original Message ?-{3,}|_{20,}$)", re.IGNORECASE)
_OUTLOOK = re.compile(r"^(From|Von|De): .*\S")
_OUTLOOK_NEXT = re.compile(r"^(Sent|Date|To|Gesendet|An|Envoyé|À): ")


@dataclass(frozen=True, slots=True)
class Reply:
    """A mail read as a reply: the tags in its own text, and the quoted text without marks."""

    mail: ReadableMail
    tags: tuple[FoundTag, ...]
    quoted: str

    @property
    def sender(self) -> str:
        """The sender's address in lower case, "" if there is none."""
        return self.mail.sender.address.lower() if self.mail.sender else ""

    def relate(self, text: str) -> str:
        """Return how the people in a text relate to the sender, "" if they do not."""
        return find_relation(text, self.mail.sender, self.mail.original_senders)

    def names_sender(self, text: str) -> bool:
        """Return whether a text names the sender, perhaps with another address."""
        return bool(self.relate(text))

    @property
    def own_diff(self) -> str:
        """A text with the diffs that are not quoted, "" if it has none."""
        body = self.mail.body
        text = body.everything if body.everything.strip() else body.html
        return text if has_diff(text) else ""

    @property
    def is_post(self) -> bool:
        """Whether it is a posted patch or cover letter, and not an answer to one."""
        subject = self.mail.subject
        if subject.is_reply or not subject.is_patch:
            return False
        return self.mail.body.has_diff or subject.number == 0

    def __str__(self) -> str:
        return f'{self.mail.name} ({self.sender or "no sender"}, "{self.mail.subject.text}")'


def parse_reply(mail: ReadableMail) -> Reply:
    """Parse a mail as a reply."""
    lines = _LINE_END.split(mail.body.unfold().removeprefix("\ufeff"))
    quoted = "\n".join(_QUOTE_MARK.sub("", line) for line in lines if _QUOTED.match(line))
    reply = Reply(mail, (), quoted)
    own_lines = list(_own_lines(lines))
    prose, context_lines = _separate_diffs(own_lines)
    tags = (
        *find_tags(prose, follows_diff=prose != own_lines),
        *find_mentions(prose, reply.names_sender),
        *(replace(tag, problem="it is inside of a diff") for tag in find_tags(context_lines)),
        *_find_uncertain(lines[len(own_lines) :], reply, "it is below the signature"),
        *_find_uncertain(
            _LINE_END.split(mail.body.everything[len(mail.body.text) :]),
            reply,
            "it is in another part of the mail than the text",
        ),
        *_find_in_html(reply),
    )
    return replace(reply, tags=tags)


def _find_uncertain(lines: Sequence[str], reply: Reply, problem: str) -> Iterator[FoundTag]:
    """Yield the sender's tags in lines that other people may have written; they are only listed."""
    unquoted = ["" if _QUOTED.match(line) else line for line in lines]
    for tag in (*find_tags(unquoted), *find_mentions(unquoted, reply.names_sender)):
        if tag.trailer.key in REPLY_TAGS and reply.names_sender(tag.trailer.value):
            yield replace(tag, problem=problem)


def _find_in_html(reply: Reply) -> Iterator[FoundTag]:
    """Yield the tags in HTML, which are listed and not added.

    If the mail has plain text, too, only the sender's are listed. Mailers write the same text in
    both forms, so a tag that the plain text has, perhaps in a quote, is left out.
    """
    body = reply.mail.body
    plain = find_tags([_QUOTE_MARK.sub("", line) for line in _LINE_END.split(body.everything)])
    present = {(tag.trailer.key, tag.trailer.address) for tag in plain}
    lines = list(_own_lines(body.html.split("\n")))
    for tag in (*find_tags(lines), *find_mentions(lines, reply.names_sender)):
        is_own = reply.names_sender(tag.trailer.value)
        if (tag.trailer.key, tag.trailer.address) in present or not (is_own or not body.text):
            continue
        problem = "it is in HTML, where a quote may not be recognised" if is_own else ""
        yield replace(tag, problem=tag.problem or problem)


def _own_lines(lines: Sequence[str]) -> Iterator[str]:
    """Yield the sender's own lines, with an empty line in place of each quoted one."""
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if _END.match(line) or (_OUTLOOK.match(line) and _OUTLOOK_NEXT.match(following)):
            return
        yield "" if _QUOTED.match(line) else line.replace("\u00a0", " ")


def _separate_diffs(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the lines outside of diffs, and the diffs' context lines, which may be miscounted."""
    prose: list[str] = []
    context_lines: list[str] = []
    for kind, line in classify_lines(lines):
        prose.append(line if kind is Kind.TEXT else "")
        if kind is Kind.HUNK and line.startswith(" "):
            context_lines.append(line)
    return prose, context_lines
