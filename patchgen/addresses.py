# SPDX-License-Identifier: GPL-2.0-or-later
"""Addresses of people as text: read, check, and encode them for mail servers.

The syntax is that of RFC 5322, 3.4 (names, quoted names, comments, lists, groups). An address has
to be ASCII: `git send-email` does not ask servers for RFC 6531 (SMTPUTF8), so it cannot send to a
local part with other characters. A domain with other characters has an ASCII form (RFC 5890),
which is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from patchgen.controls import escape_controls, has_controls

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LITERAL = re.compile(r"\[[0-9A-Za-z.:]{2,60}\]")
# Python's codec implements RFC 3490, which maps these to other characters, and so to somebody
# else's domain; RFC 5892, appendix F, keeps them.
_DEVIATING = frozenset("ßẞς\u200c\u200d")
_MUST_QUOTE = re.compile(r'[\\"(),:;<>@\[\]]')


class AddressError(ValueError):
    """A text is not an address that mail can be sent to; the message says why."""


@dataclass(frozen=True, slots=True)
class Person:
    """A name ("" if there is none) and an address in ASCII."""

    name: str
    address: str

    def __str__(self) -> str:
        if not self.name:
            return self.address
        name = self.name
        if _MUST_QUOTE.search(name):
            name = '"' + re.sub(r'([\\"])', r"\\\1", name) + '"'
        return f"{name} <{self.address}>"


def parse_person(text: str) -> Person:
    """Read one person: "Name <address>", or an address.

    Raises AddressError unless the text is exactly one person that mail can be sent to.
    """
    people = parse_people(text)
    if len(people) != 1:
        raise AddressError(f"{_show(text)} is not one address")
    return people[0]


def parse_people(text: str, is_alias: Callable[[str], bool] = lambda name: False) -> list[Person]:
    """Read people separated by commas; each member of a group is returned.

    A word without an @ for which `is_alias` is true is returned as an address. Raises AddressError
    for the first person that mail cannot be sent to.
    """
    # White space after a line end makes it a fold in a header (RFC 5322, 2.2.3). Any other line
    # end would start a new header.
    text = " ".join(re.split(r"(?:\r?\n(?=[ \t])|[ \t])+", text.strip()))
    if has_controls(text):
        raise AddressError(f"{_show(text)} has control characters")
    return [_make_person(part, text, is_alias) for part in _split(text)]


def is_word(text: str) -> bool:
    """Return whether a text can be the name of an alias: a single word, not an address."""
    return bool(_LOCAL.fullmatch(text))


def encode_address(address: str) -> str:
    """Return an address in ASCII: a domain with other characters in its xn-- form.

    Raises AddressError for an address that mail cannot be sent to.
    """
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise AddressError(f"{_show(address)} is not an address: expected user@host")
    if not local.isascii():
        raise AddressError(
            f"the part of {_show(address)} before the @ has characters other than ASCII; "
            "git send-email cannot send to it"
        )
    if not _LOCAL.fullmatch(local):
        raise AddressError(f"{_show(address)} is not an address: {_show(local)} before the @")
    return f"{local}@{_encode_domain(domain)}"


def _encode_domain(domain: str) -> str:
    if _LITERAL.fullmatch(domain):
        return domain
    encoded = domain
    if not domain.isascii():
        try:
            if _DEVIATING & set(domain):
                raise UnicodeError
            encoded = domain.encode("idna").decode("ascii")
        except UnicodeError:
            raise AddressError(
                f"the domain {_show(domain)} has no unambiguous ASCII form; write its xn-- form"
            ) from None
    if len(encoded) > 253 or not all(map(_LABEL.fullmatch, encoded.split("."))):
        raise AddressError(f"{_show(domain)} is not a domain")
    return encoded


@dataclass(slots=True)
class _PersonParts:
    """The parts of a person read so far; `address` is the text in angle brackets.

    `name` includes comments before the address: "James (Qian) Wang <user@host>".
    """

    words: str = ""
    name: str = ""
    comment: str = ""
    address: str | None = None
    after: str = ""


_TOKEN = re.compile(
    r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<separator>[,;])|(?P<group>:)|<(?P<address>[^<>]*)>'
    r"|(?P<open>\()|(?P<text>[^\"(),;:<>\\]+)|(?P<odd>.)",
    re.DOTALL,
)


def _split(text: str) -> Iterator[_PersonParts]:
    """Yield the parts of each person in a comma-separated list."""
    parts, at = _PersonParts(), 0
    while match := _TOKEN.match(text, at):
        at = match.end()
        if match["open"]:
            parts.comment, at = _read_comment(text, at)
            parts.name += f"({parts.comment})" if parts.address is None else ""
        elif match["separator"]:
            if parts != _PersonParts():
                yield parts
            parts = _PersonParts()
        elif match["group"] and parts.address is None:
            if "@" in parts.words:
                raise AddressError(f"{_show(text)} is not an address: a comma is missing")
            # Mail is not sent to the name of a group.
            parts = _PersonParts()
        elif match["odd"] or match["group"]:
            raise AddressError(f"{_show(text)} is not an address: it contains {_show(match[0])}")
        elif match["address"] is not None and parts.address is None:
            parts.address = match["address"].strip()
        elif parts.address is not None:
            parts.after += match[0]
        else:
            word = _unquote(match["quoted"]) if match["quoted"] else match["text"] or ""
            parts.words, parts.name = parts.words + word, parts.name + word
    if parts.words.strip() or parts != _PersonParts(parts.words, parts.words):
        yield parts


def _read_comment(text: str, start: int) -> tuple[str, int]:
    """Return a comment, which may contain others, and the index after it."""
    depth = 1
    for match in re.compile(r"\\.|[()]", re.DOTALL).finditer(text, start):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if depth == 0:
            return text[start : match.start()], match.end()
    raise AddressError(f"{_show(text)} is not an address: a parenthesis is not closed")


def _make_person(parts: _PersonParts, text: str, is_alias: Callable[[str], bool]) -> Person:
    words = " ".join(parts.words.split())
    if parts.address is None and is_word(words) and is_alias(words):
        return Person("", words)
    if parts.address is None:
        if "@" not in words:
            raise AddressError(f"{_show(text)} is not an address: it has no @")
        if " " in words:
            raise AddressError(f"{_show(text)} is not an address: expected 'Name <user@host>'")
        return Person(" ".join(parts.comment.split()), encode_address(words))
    if "@" in parts.after:
        raise AddressError(f"{_show(text)} is not an address: a comma is missing")
    return Person(" ".join(parts.name.split()), encode_address(parts.address))


def _unquote(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)


def _show(text: str) -> str:
    """Return a text for a message, quoted and shortened."""
    shown = escape_controls(text)
    return f"'{shown}'" if len(shown) <= 80 else f"'{shown[:77]}...'"
