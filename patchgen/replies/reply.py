"""One answer: who wrote it, what it answers, and the tags that its own words give.

Tags are lines "Reviewed-by: Name <address>" that the sender wrote: not what is quoted, not what is
below a signature or in the mail that is answered at the top.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage

from patchgen.mail import Subject, parse_mail, parse_subject, read_header, read_message_id
from patchgen.model.series import Mail
from patchgen.series.trailers import Trailer

_TAG = re.compile(r"^[ \t]*(?P<key>[A-Za-z]+(?:-[A-Za-z]+)*-by)[ \t]*:[ \t]*(?P<value>.*?)[ \t]*$")
_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")
_QUOTED = re.compile(r"^[ \t]*[>|]")
_IDS = re.compile(r"<([^<>\s]+)>")
# From here on it is the signature, or the mail that is answered.
_END = re.compile(r"^(-- |-- ?$|-{3,} ?Original Message ?-{3,}|_{20,}$|diff --git )", re.IGNORECASE)
_OUTLOOK = re.compile(r"^(From|Von|De): .*\S")
_OUTLOOK_NEXT = re.compile(r"^(Sent|Date|To|Gesendet|An|Envoyé|À): ")
_QUOTE_MARK = re.compile(r"^(?:[ \t]*>)+ ?")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `name` says which mail it is, for messages. `sender` is an address.

    `answers` are the message-ids that it may answer, the likeliest first. `tags` were found in its
    own words; `quoted` is what it quotes, without the marks. `problem` says why its text cannot be
    read, "" where it can.
    """

    name: str
    message_id: str
    sender: str
    subject: Subject
    answers: tuple[str, ...]
    tags: tuple[Trailer, ...]
    quoted: str
    problem: str = ""

    def __str__(self) -> str:
        return f'{self.name} ({self.sender or "no sender"}, "{self.subject.text}")'


def parse_reply(mail: Mail) -> Reply:
    """Read a mail as an answer. Never raises: what cannot be read is said in `problem`."""
    message = parse_mail(mail)
    text, problem = _read_text(message)
    lines = text.splitlines()
    quoted = "\n".join(
        _QUOTE_MARK.sub("", line).rstrip("\r") for line in lines if _QUOTED.match(line)
    )
    return Reply(
        name=mail.file_name,
        message_id=read_message_id(message),
        sender=email.utils.parseaddr(read_header(message, "From"))[1].lower(),
        subject=parse_subject(read_header(message, "Subject")),
        answers=read_answers(message),
        tags=tuple(_find_tags(list(_own_lines(lines)))),
        quoted=quoted,
        problem=problem,
    )


def read_answers(message: EmailMessage) -> tuple[str, ...]:
    """Return the message-ids that a mail may answer, the likeliest first."""
    direct = _IDS.findall(read_header(message, "In-Reply-To"))
    above = _IDS.findall(read_header(message, "References"))
    return tuple(dict.fromkeys([*direct, *reversed(above)]))


def _read_text(message: EmailMessage) -> tuple[str, str]:
    """Return the plain text of a mail, and what is wrong with it."""
    try:
        body = message.get_body(("plain",))
    except (AttributeError, KeyError, ValueError):
        body = None
    if body is None:
        return "", "has no plain text"
    try:
        return str(body.get_content()), ""
    except (LookupError, ValueError, AssertionError):
        # A charset that Python does not know: tags are ASCII but for the name.
        payload = body.get_payload(decode=True)
        text = payload.decode("latin-1") if isinstance(payload, bytes) else str(payload)
        return text, f"has a charset that is not known ({body.get_content_charset()})"


def _own_lines(lines: list[str]) -> Iterator[str]:
    """Yield what the sender wrote, with an empty line for each that is quoted."""
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if _END.match(line) or (_OUTLOOK.match(line) and _OUTLOOK_NEXT.match(following)):
            return
        yield "" if _QUOTED.match(line) else line.replace("\u00a0", " ").rstrip("\r")


def _find_tags(lines: list[str]) -> Iterator[Trailer]:
    for number, line in enumerate(lines):
        match = _TAG.match(line)
        if match is None:
            continue
        value = match["value"]
        following = lines[number + 1].strip() if number + 1 < len(lines) else ""
        # A mailer that wraps puts the address on a line of its own.
        if not _ADDRESS.search(value) and _ADDRESS.search(following) and not _TAG.match(following):
            value = f"{value} {following}".strip()
        yield Trailer(_capitalize(match["key"]), " ".join(value.split()))


def _capitalize(key: str) -> str:
    """Return a key as people write it: "reviewed-BY" is "Reviewed-by"."""
    return key[:1].upper() + key[1:].lower()
