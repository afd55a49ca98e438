# SPDX-License-Identifier: GPL-2.0-or-later
"""One person in a header or a tag: "Bea Bee <bea@example.org>" (RFC 5322, 3.4, `mailbox`).

Python's `email.utils.parseaddr` is not used for who sent a mail: it reads a name that looks like an
address as the address, depends on the Python release for malformed input, and recurses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from patchgen.mail.decoding import decode_words

_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]+@[^\s<>()\[\],;:\"\\@]+")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>|[()]|\\.|[^"<()\\]+|.', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Person:
    """A person's name, decoded, "" where there is none, and address as it is written."""

    name: str
    address: str

    @property
    def has_misleading_name(self) -> bool:
        """Whether the name holds an address that is not the person's."""
        found = re.findall(r"[^\s<>\"'(),;]+@[^\s<>\"'(),;]+", self.name)
        return any(each.lower() != self.address.lower() for each in found)


def parse_person(text: str) -> Person | None:
    """Return the one person that a header names, None where it names none, several, or a group.

    `text` is the header as it came, unfolded and with its encoded words: these cannot hold the
    structure of an address, whatever they decode to.
    """
    split = _split_comments(text)
    if split is None:
        return None
    tokens, comments = split
    angles = [token for token in tokens if token.startswith("<")]
    if len(angles) > 1 or any(map(_is_misplaced, tokens)):
        return None
    if angles:
        before = tokens[: tokens.index(angles[0])]
        if any(token.strip() for token in tokens[len(before) + 1 :]):
            return None
        name, address = "".join(map(_unquote, before)), angles[0][1:-1].strip()
    else:
        name, address = "".join(comments), "".join(tokens).strip()
    if not _ADDRESS.fullmatch(address):
        return None
    return Person(" ".join(decode_words(name).split()), address)


def _split_comments(text: str) -> tuple[list[str], list[str]] | None:
    """Return the tokens outside and inside of comments, None where these are not balanced."""
    tokens: list[str] = []
    comments: list[str] = []
    depth = 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in "()":
            depth += 1 if token == "(" else -1
            if depth < 0:
                return None
        else:
            (comments if depth else tokens).append(token)
    return None if depth else (tokens, comments)


def _is_misplaced(token: str) -> bool:
    """Return whether a token outside of quotes and brackets belongs to a list or a group."""
    return not re.match(r'"(?=.)|<.', token, re.DOTALL) and bool(re.search(r'[,;:"<]', token))


def _unquote(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token.startswith('"') else token
