# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a text names the sender of a mail, who may have several addresses.

Only the address in From is certain. Lists that rewrite it (for DMARC, RFC 7489) put the original
one into Reply-To or X-Original-From, which anybody can write. People also have addresses with a
plus (RFC 5233), or at a subdomain, or several with the same name. A tag with such an address is
listed with this reason.
"""

from __future__ import annotations

import re

from patchgen.addresses import Person
from patchgen.mail import find_name_before_list

# An address in any text.
ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]]+@[^\s<>\"'(),;:\[\]]+")


def find_relation(text: str, sender: Person | None, originals: tuple[str, ...]) -> str:
    """Return how the people in a text relate to the sender: a clause, "" if they do not.

    `originals` are the addresses in Reply-To and X-Original-From, in lower case.
    """
    addresses = {address.lower().rstrip(".") for address in ADDRESS.findall(text)}
    if sender is not None and sender.address.lower() in addresses:
        return "is the sender"
    if addresses & set(originals):
        return "its Reply-To or X-Original-From has that address"
    sender_addresses = [*originals, *([sender.address.lower()] if sender else [])]
    if any(_is_similar(one, other) for one in addresses for other in sender_addresses):
        return "the addresses are similar"
    name = sender.name if sender else ""
    name = (find_name_before_list(name) or name).strip("'\" ").casefold()
    if len(name) > 2 and name in text.casefold():
        return "the name is the same"
    return ""


def _is_similar(one: str, other: str) -> bool:
    """Return whether addresses differ only in a part after a plus, or in a subdomain."""
    (user, _, domain), (other_user, _, other_domain) = one.partition("@"), other.partition("@")
    if user.partition("+")[0] != other_user.partition("+")[0]:
        return False
    short, long = sorted((domain, other_domain), key=len)
    return long == short or ("." in short and long.endswith(f".{short}"))
