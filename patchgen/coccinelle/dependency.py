# SPDX-License-Identifier: GPL-2.0-or-later
"""Evaluate the dependencies of rules (`depends on patch && !(r || s)`): can they hold?"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Words that may follow a dependency in a header (manual, "The SmPL grammar") are excluded.
_CLAUSE = re.compile(
    r"\bdepends\s+on\b(?P<dependency>(?:\s*(?:&&|\|\||[!()]|"
    r"\b(?!(?:exists|forall|disable|using|extends|expression|identifier|type)\b)\w+\b))+)"
)


def drop_dependency(header: str, virtuals: Mapping[str, bool]) -> str:
    """Return a rule's header with its dependency blanked, if that may hold; line breaks stay.

    `virtuals` maps each virtual rule to whether it is defined.
    """

    def drop(clause: re.Match[str]) -> str:
        if not may_hold(clause["dependency"], virtuals):
            return clause[0]
        return re.sub(r"[^\n]", " ", clause[0])

    return _CLAUSE.sub(drop, header)


_TOKEN = re.compile(r"\s*(?:(?P<word>\w+)|(?P<operator>&&|\|\||[!()]))")


def may_hold(dependency: str, values: Mapping[str, bool]) -> bool:
    """Return whether a dependency can hold; for ordinary rules nothing is known beforehand.

    A dependency that cannot be parsed may hold.
    """
    tokens = []
    at = 0
    text = dependency.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            return True
        tokens.append(found["word"] or found["operator"])
        at = found.end()
    if not tokens:
        return True
    reader = _ConditionReader(tokens, values)
    try:
        value = reader.read_or()
    except RecursionError:
        return True
    return value is not False or reader.left()


class _ConditionReader:
    """Evaluates `a && !(b || c)` with three values: True, False, and None for unknown."""

    def __init__(self, tokens: list[str], values: Mapping[str, bool]):
        self._tokens = [*tokens, ""]
        self._values = values
        self._at = 0

    def left(self) -> bool:
        """Return whether tokens are left."""
        return self._tokens[self._at] != ""

    def read_or(self) -> bool | None:
        value = self._read_and()
        while self._take("||"):
            other = self._read_and()
            value = True if value or other else False if value == other else None
        return value

    def _read_and(self) -> bool | None:
        value = self._read_one()
        while self._take("&&"):
            other = self._read_one()
            value = False if False in (value, other) else True if value and other else None
        return value

    def _read_one(self) -> bool | None:
        if self._take("!"):
            value = self._read_one()
            return None if value is None else not value
        if self._take("("):
            value = self.read_or()
            return value if self._take(")") else None
        word = self._tokens[self._at]
        self._at += 1 if word else 0
        return self._values.get(word)

    def _take(self, token: str) -> bool:
        if self._tokens[self._at] != token:
            return False
        self._at += 1
        return True
