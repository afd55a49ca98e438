"""The scripts of a semantic patch: which of them can run at all.

In one mode most do not: `@script:python depends on report@` has no part in a patch. What cannot run
need not be listened to, and keeps nothing from file to file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from patchgen.coccinelle import read_rules


@dataclass(frozen=True, slots=True)
class Script:
    """A script rule: `kind` is script, initialize or finalize."""

    kind: str
    language: str
    body: str


def list_scripts(text: str, virtuals: Collection[str], defined: Collection[str]) -> list[Script]:
    """Return the scripts that may run where these of the virtual rules are defined."""
    values = {name: name in defined for name in virtuals}
    lines = text.split("\n")
    found = []
    for rule in read_rules(text):
        head = _HEAD.match("\n".join(lines[rule.start - 1 : rule.body - 1]))
        if rule.is_script and head is not None and _may_hold(head["dependency"] or "", values):
            body = "\n".join(lines[rule.body - 1 : rule.end - 1])
            # Between rules there may be comments, in SmPL's way of writing them.
            body = re.sub(r"^//.*", "", body, flags=re.MULTILINE)
            found.append(Script(head["kind"], head["language"], body))
    return found


_HEAD = re.compile(
    r"@\s*(?P<kind>script|initialize|finalize)\s*:\s*(?P<language>\w+)"
    r"(?:[^@]*?\bdepends\s+on\b(?P<dependency>[^@]*))?[^@]*@"
)
_TOKEN = re.compile(r"\s*(?:(?P<word>\w+)|(?P<sign>&&|\|\||[!()]))")


def _may_hold(dependency: str, values: Mapping[str, bool]) -> bool:
    """Tell whether a dependency can be satisfied; of other rules nothing is known beforehand.

    What is not understood may hold.
    """
    tokens = []
    at = 0
    text = dependency.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            return True
        tokens.append(found["word"] or found["sign"])
        at = found.end()
    if not tokens:
        return True
    reader = _Reader(tokens, values)
    value = reader.read_or()
    return value is not False or reader.left()


class _Reader:
    """Reads `a && !(b || c)` with three values: True, False, and None for what is not known."""

    def __init__(self, tokens: list[str], values: Mapping[str, bool]):
        self._tokens = [*tokens, ""]
        self._values = values
        self._at = 0

    def left(self) -> bool:
        """Tell whether not all has been read."""
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

    def _take(self, sign: str) -> bool:
        if self._tokens[self._at] != sign:
            return False
        self._at += 1
        return True
