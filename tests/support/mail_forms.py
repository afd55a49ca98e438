# SPDX-License-Identifier: GPL-2.0-or-later
"""Write one mail in the forms that mailers, servers and lists give it.

All forms of a mail have the same headers, and the same lines of text.
"""

from __future__ import annotations

import base64
import email.header
import html
import quopri
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

CHARSETS = (
    "utf-8", "iso-8859-1", "windows-1252", "iso-8859-2", "iso-8859-15", "koi8-r", "gb2312",
    "gb18030", "shift_jis", "iso-2022-jp", "euc-kr",
)  # fmt: skip
_DATED = b"From mboxrd@z Thu Jan  1 00:00:00 1970\n"
_FOOTER = "_______________________________________________\nA list\nhttps://lists.example.org/a\n"


@dataclass(frozen=True, slots=True)
class Form:
    """How a mail is written. `charset` "" declares none, and the text is UTF-8."""

    charset: str = "utf-8"
    transfer: str = "8bit"
    structure: str = "plain"
    is_folded: bool = False
    is_crlf: bool = False
    is_raw: bool = False


def choose_form(chance: random.Random, text: str) -> Form:
    """Return a form that can express a text."""
    charset = chance.choice([*(name for name in CHARSETS if _can_encode(text, name)), ""])
    transfers = ["quoted-printable", "base64", "8bit"]
    structures = ["plain", "plain", "flowed", "delsp", "alternative", "mixed", "signed", "nested"]
    return Form(
        charset,
        chance.choice(transfers),
        chance.choice(structures),
        is_folded=chance.random() < 0.5,
        is_crlf=chance.random() < 0.2,
        is_raw=chance.random() < 0.2,
    )


def write_mail(headers: Mapping[str, str], text: str, form: Form) -> bytes:
    """Return a mail. Addresses and message-ids in its headers are not encoded."""
    kind, body = _write_body(text, form)
    head = b"".join(_write_header(name, value, form) for name, value in headers.items())
    content = head + b"MIME-Version: 1.0\n" + kind + b"\n" + body
    return content.replace(b"\n", b"\r\n") if form.is_crlf else content


def add_footer(content: bytes) -> bytes:
    """Return a mail as a list delivers it: with a footer below its text."""
    line_end = b"\r\n" if b"\r\n" in content.partition(b"\n\n")[0] else b"\n"
    return content + line_end + _FOOTER.encode().replace(b"\n", line_end)


def write_mbox(mails: list[bytes]) -> bytes:
    """Return an mboxrd of mails."""
    escaped = (re.sub(rb"^(>*From )", rb">\1", mail, flags=re.MULTILINE) for mail in mails)
    return b"".join(_DATED + mail + b"\n" for mail in escaped)


def _can_encode(text: str, charset: str) -> bool:
    try:
        return text.encode(charset).decode(charset) == text
    except UnicodeError:
        return False


def _write_header(name: str, value: str, form: Form) -> bytes:
    if not value.isascii() and not form.is_raw:
        charset = form.charset if form.charset and _can_encode(value, form.charset) else "utf-8"
        text, mark, address = value.partition(" <") if name == "From" else (value, "", "")
        value = email.header.Header(text, charset, header_name=name).encode() + mark + address
    if form.is_folded:
        value = re.sub(r" (?=<)", "\n\t", value)
        value = f"\n {value}" if name == "Message-ID" else value
        value = value.replace(" ", "\n ", 1) if name == "Subject" else value
    return f"{name}: {value}\n".encode()


def _write_body(text: str, form: Form) -> tuple[bytes, bytes]:
    """Return the headers of the content, and the content."""
    if form.structure in ("flowed", "delsp"):
        return _write_part("plain", _flow(text, delsp=form.structure == "delsp"), form)
    if form.structure == "html":
        return _write_part("html", write_html(text), form)
    if form.structure == "plain":
        return _write_part("plain", text, form)
    others = {"mixed": [("plain", _FOOTER)], "signed": []}
    parts = [("plain", text), *others.get(form.structure, [("html", write_html(text))])]
    written = [b"\n".join(_write_part(*part, form)) for part in parts]
    if form.structure == "signed":
        signature = b"-----BEGIN PGP SIGNATURE-----\n\niQIz\n-----END PGP SIGNATURE-----\n"
        written.append(b"Content-Type: application/pgp-signature\n\n" + signature)
    kind = {"nested": "alternative"}.get(form.structure, form.structure)
    kind_line, body = _write_multipart(kind, written, "one")
    if form.structure == "nested":
        kind_line, body = _write_multipart("mixed", [kind_line + b"\n" + body], "two")
    return kind_line, body


def _write_multipart(kind: str, parts: list[bytes], name: str) -> tuple[bytes, bytes]:
    boundary = f"=-{name}".encode()
    body = b"".join(b"--" + boundary + b"\n" + part + b"\n" for part in parts)
    kind_line = f'Content-Type: multipart/{kind};\n boundary="=-{name}"\n'.encode()
    return kind_line, body + b"--" + boundary + b"--\n"


def _write_part(kind: str, text: str, form: Form) -> tuple[bytes, bytes]:
    raw = text.encode(form.charset or "utf-8")
    parameters = f'; charset="{form.charset}"' if form.charset else ""
    if form.structure in ("flowed", "delsp"):
        parameters += "; format=flowed" + ("; delsp=yes" if form.structure == "delsp" else "")
    head = f"Content-Type: text/{kind}{parameters}\nContent-Transfer-Encoding: {form.transfer}\n"
    if form.transfer == "base64":
        raw = base64.encodebytes(raw)
    elif form.transfer == "quoted-printable":
        raw = quopri.encodestring(raw)
    return head.encode(), raw


def _flow(text: str, *, delsp: bool) -> str:
    """Return a text as format=flowed: long lines are broken at a space (RFC 3676)."""
    lines = []
    for plain in text.split("\n"):
        line = f" {plain}" if plain.startswith((" ", "From ")) else plain
        middle = line.find(" ", 30)
        if 0 < middle < len(line) - 1 and line[0] not in ">+-@":
            lines += [line[:middle] + ("  " if delsp else " "), line[middle + 1 :]]
        else:
            lines.append(line)
    return "\n".join(lines)


def write_html(text: str) -> str:
    """Return a text as HTML, with its quoted lines in block quotes."""
    lines = ["<html><head><style>p { margin: 0 }</style></head><body>"]
    for line in text.split("\n"):
        escaped = html.escape(line.removeprefix("> "), quote=False)
        quoted = line.startswith(">")
        lines.append(f"<blockquote>{escaped}</blockquote>" if quoted else f"<div>{escaped}</div>")
    return "\n".join([*lines, "</body></html>", ""])
