# SPDX-License-Identifier: GPL-2.0-or-later
"""The subject of a mail: the version and number in its brackets, and the text after them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BRACKETS = re.compile(r"\s*\[(?P<inside>[^\[\]]*)\]\s*")
# "Re:" and "Fwd:" as mailers in other languages write them, also with a number: "Re[2]:", "Re^2:".
# A single letter, as in Italian, means a reply only before a bracket.
_REPLY = re.compile(
    r"\s*(?:re|aw|antw(?:ort)?|sv|vs|vá|odp|odg|odpoved|res|resp|ref|réf|rv|tr|wg|wl|fwd?|fs|vl|vb"
    r"|ynt|ilt|rif|ang|atb|ats|bls|yrt|doorst|enc|pd|на|отв|ответ|απ|σχετ|רד|תגובה|رد"
    r"|回复|答复|回覆|回信|返信|转发|轉寄|답장|회신|[ri](?=\s*[:：]\s*\[))\.?"
    r"\s*(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3}|\*\d{1,3})?\s*[:：]\s*",
    re.IGNORECASE,
)
# Companies' mail servers mark mails from outside with these.
_EXTERNAL = re.compile(r"\s*(?:ext|extern|external|caution|spam)\s*:\s*", re.IGNORECASE)
# git writes at least four digits, and more for a series of more than 9,999 patches.
_NUMBER = re.compile(r"(?<![\d/])(\d{1,9})(?:\s?/\s?|\s?of\s?)(\d{1,9})(?![\d/])", re.IGNORECASE)
# "v3", "PATCHv3", "RFC-V3"; "v6.1" is a version of the kernel.
_VERSION = re.compile(r"(?:(?<![^\W_])|(?<=PATCH)|(?<=RFC))V(\d{1,4})(?![\w.]{0,8}[^\W_])")
_PATCH = re.compile(r"PATCH|RFC")


@dataclass(frozen=True, slots=True)
class Subject:
    """A mail's subject: "Re: [PATCH v4 2/6] x86: Do it" is (text "x86: Do it", 4, 2, 6, reply).

    `revision`, `number` and `total` are None if the brackets do not have them; a patch without
    a version is version 1.
    """

    text: str
    revision: int | None = None
    number: int | None = None
    total: int | None = None
    is_reply: bool = False
    is_patch: bool = False

    @property
    def label(self) -> str:
        """The version and number for a message: "v4 2/6"."""
        version = f"v{self.revision}" if self.revision is not None else ""
        number = f"{self.number}/{self.total}" if self.number is not None else ""
        return " ".join(filter(None, (version, number)))


def parse_subject(subject: str) -> Subject:
    """Parse a subject, which may be folded over lines."""
    text = " ".join(subject.split())
    is_reply = False
    inside = ""
    start = 0
    while True:
        if match := _REPLY.match(text, start):
            is_reply = True
        elif match := _BRACKETS.match(text, start):
            inside += f" {match['inside']}"
        elif match := _EXTERNAL.match(text, start):
            pass
        else:
            break
        start = match.end()
    number, version = _NUMBER.search(inside), _VERSION.search(inside.upper())
    is_patch = bool(_PATCH.search(inside.upper()) or number or version)
    return Subject(
        text[start:].removeprefix(": ") if inside else text[start:],
        int(version[1]) if version else (1 if is_patch else None),
        int(number[1]) if number else None,
        int(number[2]) if number else None,
        is_reply,
        is_patch,
    )
