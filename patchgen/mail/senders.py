# SPDX-License-Identifier: GPL-2.0-or-later
"""The sender of a mail: the one person in its From, "Bea Bee <bea@example.org>" (RFC 5322, 3.4)."""

from __future__ import annotations

import re
from dataclasses import replace

from patchgen.addresses import AddressError, Person, parse_person
from patchgen.mail.decoding import decode_words

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>|\([^()]*\)')


def parse_sender(text: str) -> Person | None:
    """Return the one person that a From names, None if it names none, several, or a group.

    `text` is the original header, unfolded, with its encoded words: whatever these decode to, it
    is not part of the structure of an address (RFC 2047, 5).
    """
    try:
        person = parse_person(text)
    except AddressError:
        return None
    # The name of a group can be anything: "Content-Type: x <bea@example.org>".
    if ":" in _QUOTED.sub("", text):
        return None
    return replace(person, name=" ".join(decode_words(person.name).split()))
