# SPDX-License-Identifier: GPL-2.0-or-later
"""Who sent a mail: the one person in its From, "Bea Bee <bea@example.org>" (RFC 5322, 3.4)."""

from __future__ import annotations

import re
from dataclasses import replace

from patchgen.addresses import AddressError, Person, parse_person
from patchgen.mail.decoding import decode_words

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>|\([^()]*\)')


def parse_sender(text: str) -> Person | None:
    """Return the one person that a From names, None where it names none, several, or a group.

    `text` is the header as it came, unfolded and with its encoded words: these cannot hold the
    structure of an address, whatever they decode to (RFC 2047, 5).
    """
    try:
        person = parse_person(text)
    except AddressError:
        return None
    # The name of a group could be anything: "Content-Type: x <bea@example.org>".
    if ":" in _QUOTED.sub("", text):
        return None
    return replace(person, name=" ".join(decode_words(person.name).split()))
