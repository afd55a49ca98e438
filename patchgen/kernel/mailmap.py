# SPDX-License-Identifier: GPL-2.0-or-later
"""Rename the people of MAINTAINERS by .mailmap.

The rules are those of scripts/get_maintainer.pl (Linux 6.1 to 6.12) for .mailmap (gitmailmap(5)):
unlike git it compares addresses case-sensitively, and an entry with an old name applies only to
exactly that name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from patchgen.addresses import AddressError, encode_address
from patchgen.controls import has_controls
from patchgen.model.base import TreeReader

_FILE = ".mailmap"
_PLAIN = re.compile(r"[A-Za-z0-9_ -]*")
# New name, new address, old name, old address.
_ENTRY = re.compile(r"([^<]*)<([^>]+)>(?:\s*([^<]*)<([^>]+)>)?")


@dataclass(frozen=True, slots=True)
class Mailmap:
    """New names and addresses, keyed by the old "Name <address>" or by the old address."""

    names: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def rename(self, name: str, address: str) -> tuple[str, str]:
        """Return the current name and address of a person."""
        whole = format_recipient(name, address)
        key = whole if whole in self.names or whole in self.addresses else address
        return self.names.get(key, name), self.addresses.get(key, address)


def read_mailmap(tree: TreeReader) -> Mailmap:
    """Return the .mailmap of a tree, without entries that make an address unusable."""
    files = tree.find([_FILE])
    return parse_mailmap(tree.read(files[0]).decode("utf-8", "surrogateescape") if files else "")


def parse_mailmap(text: str) -> Mailmap:
    """Parse the text of a .mailmap. Lines that are not entries are ignored."""
    mailmap = Mailmap()
    for line in text.split("\n"):
        entry = line.partition("#")[0].strip()
        match = _ENTRY.fullmatch(entry)
        if match is None or has_controls(entry, allow="\t"):
            continue
        try:
            new_name, new_address = clean_name(match[1]), encode_address(match[2].strip())
        except AddressError:
            continue
        if match[4] is None:
            mailmap.names[new_address] = new_name
            continue
        old = match[4]
        if old_name := clean_name(match[3]):
            old = format_recipient(old_name, old.strip())
        if new_name:
            mailmap.names[old] = new_name
        mailmap.addresses[old] = new_address
    return mailmap


def clean_name(name: str) -> str:
    """Return a name without surrounding quotes, and with escaped quotes unescaped."""
    name = name.strip().removeprefix('"').removesuffix('"')
    return re.sub(r'\\(["\\])', r"\1", name)


def format_recipient(name: str, address: str) -> str:
    """Return "Name <address>" as the script prints it.

    It quotes names with characters other than ASCII letters, digits, spaces, `_` and `-`.
    """
    if not name:
        return address
    if not _PLAIN.fullmatch(name):
        name = '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'
    return f"{name} <{address}>"
