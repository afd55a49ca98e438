# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of a mail: its plain-text parts, decoded, and the problems in decoding them.

The text of HTML parts is separate, since a quote in HTML is not always recognised.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from patchgen.mail.decoding import decode_bytes, is_known_charset
from patchgen.mail.html_text import read_html
from patchgen.odb.difftext import has_diff

_TAG_START = re.compile(r"[ \t]*[A-Za-z-]{2,40}-by[ \t]*:", re.IGNORECASE)
# Other types of text (text/markdown, text/x-patch) are read as plain text.
_NO_TEXT = frozenset(
    {"html", "rtf", "richtext", "calendar", "vcard", "x-vcard", "css", "x-amp-html"}
)
_QUOTES = re.compile(r">*")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")
# A line of base64 in the alphabet for URLs; a link in a footer has other characters.
_ODD_BASE64 = re.compile(rb"(?=.*[A-Za-z0-9])[A-Za-z0-9+/_=-]{50,}")


@dataclass(frozen=True, slots=True)
class MailText:
    """The text of a mail. `text` is its first plain part, `everything` that and those after it.

    Parts that contain only white space before it are left out.

    `is_flowed` is set if `text` is format=flowed, `deletes_spaces` by its DelSp (RFC 3676).
    `problems` describe what could not be read ("it has no plain text"). `is_damaged` is set if text
    is missing. `html` is the text of the HTML parts.
    """

    text: str
    everything: str
    is_flowed: bool = False
    deletes_spaces: bool = False
    problems: tuple[str, ...] = ()
    is_damaged: bool = False
    html: str = ""

    @property
    def has_diff(self) -> bool:
        """Whether it contains a diff that is not quoted."""
        return has_diff(self.everything)

    def unfold(self) -> str:
        """Return `text` with lines joined that format=flowed has broken (RFC 3676, 4.1)."""
        return _unflow(self.text, self.deletes_spaces) if self.is_flowed else self.text


def read_body(message: Message) -> MailText:
    """Return the text of a mail that was parsed as Latin-1, so that each character is a byte."""
    parts = list(_plain_parts(message))
    html = _read_html_parts(message)
    if not parts:
        kinds = sorted({part.get_content_type() for part in message.walk()} - {"multipart/mixed"})
        problem = f"it has no plain text, only {', '.join(kinds)}"[:200]
        return MailText("", "", problems=(problem,), html=html)
    texts: list[str] = []
    problems: list[str] = []
    is_damaged = False
    for part in parts:
        content, problem = _decode_transfer(part)
        charset = _parameter(part, "charset")
        if charset and not is_known_charset(charset):
            problems.append(f"its charset {charset!r} is unknown")
        texts.append(decode_bytes(content, charset))
        if problem:
            problems.append(problem)
            is_damaged = True
    chosen = next((number for number, text in enumerate(texts) if text.strip()), 0)
    first = parts[chosen]
    if html and not texts[chosen].strip():
        problems.append("its plain text is empty, and it has HTML")
    return MailText(
        texts[chosen],
        "\n".join(texts[chosen:]),
        is_flowed=_parameter(first, "format").lower() == "flowed",
        deletes_spaces=_parameter(first, "delsp").lower() == "yes",
        problems=tuple(dict.fromkeys(problems)),
        is_damaged=is_damaged,
        html=html,
    )


def read_footer(text: str, key: str) -> str:
    """Return a value at the end of a cover letter, such as "change-id: ID"; "" if it has none.

    The text above may quote such lines, so the last one is used.
    """
    found = re.findall(rf"^{key}:[ \t]*(\S+)[ \t\r]*$", text, re.MULTILINE | re.IGNORECASE)
    return str(found[-1]) if found else ""


def _plain_parts(message: Message) -> Iterator[Message]:
    """Yield the text parts that are not HTML, including attached patches."""
    for part in message.walk():
        kind = part.get_content_type()
        # The parser does not split a multipart without a boundary.
        main, _, subtype = kind.partition("/")
        is_text = main == "multipart" or (main == "text" and subtype not in _NO_TEXT)
        if is_text and not part.is_multipart():
            yield part


def _read_html_parts(message: Message) -> str:
    parts = [part for part in message.walk() if part.get_content_type() == "text/html"]
    contents = ((_decode_transfer(part)[0], _parameter(part, "charset")) for part in parts)
    return "\n".join(read_html(decode_bytes(*content)) for content in contents)


def _parameter(part: Message, name: str) -> str:
    """Return a parameter of Content-Type, "" if it is missing."""
    value = part.get_param(name, "")
    # A parameter in RFC 2231 form is a tuple (charset, language, value).
    return str(value[2] if isinstance(value, tuple) else value).strip()


def _decode_transfer(part: Message) -> tuple[bytes, str]:
    """Return the bytes of a part without their transfer encoding, and the problem with it."""
    raw = str(part.get_payload()).encode("latin-1")
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding == "base64":
        return _decode_base64(raw)
    if encoding == "quoted-printable":
        return quopri.decodestring(raw), ""
    if encoding in ("", "7bit", "8bit", "binary"):
        return raw, ""
    return raw, f"its transfer encoding {encoding[:40]!r} is unknown"


def _decode_base64(raw: bytes) -> tuple[bytes, str]:
    """Decode base64 up to its end; a mailing list may have appended a footer in plain text."""
    lines = [line.strip() for line in raw.split(b"\n")]
    good = list(itertools.takewhile(_BASE64.fullmatch, lines))
    joined = b"".join(good)
    following = lines[len(good) :]
    is_damaged = any(map(_ODD_BASE64.fullmatch, following)) or (not joined and any(following))
    if is_damaged and not joined:
        return raw, "its base64 is damaged"
    try:
        content = base64.b64decode(joined, validate=True)
        return content, "its base64 is damaged" if is_damaged else ""
    except (binascii.Error, ValueError):
        whole = joined.partition(b"=")[0]
        return base64.b64decode(whole[: len(whole) // 4 * 4]), "its base64 is damaged"


def _unflow(text: str, deletes_spaces: bool) -> str:
    """Join flowed lines, except where a line begins with a tag or ends with that of a person."""
    joined: list[list[str]] = []
    last_mark = ""
    is_open = False
    for line in text.split("\n"):
        mark = _QUOTES.match(line)[0]  # type: ignore[index]  # it also matches nothing
        content = line[len(mark) :].rstrip("\r").removeprefix(" ")
        is_signature = content == "-- "
        if is_open and mark == last_mark and not is_signature and not _TAG_START.match(content):
            joined[-1].append(content)
        else:
            joined.append([f"{mark} {content}" if mark else content])
        is_open = content.endswith(" ") and not is_signature
        if is_open and content.rstrip().endswith(">"):
            is_open = not _TAG_START.match("".join(joined[-1]))
        if is_open and deletes_spaces:
            joined[-1][-1] = joined[-1][-1][:-1]
        last_mark = mark
    return "\n".join("".join(parts) for parts in joined)
