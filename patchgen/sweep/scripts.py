"""The scripts of a semantic patch: which of them can run at all.

In one mode most do not: `@script:python depends on report@` has no part in a patch. What cannot run
need not be listened to, and keeps nothing from file to file.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from patchgen.coccinelle import may_hold, read_rules


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
        if rule.is_script and head is not None and may_hold(head["dependency"] or "", values):
            body = "\n".join(lines[rule.body - 1 : rule.end - 1])
            # Between rules there may be comments, in SmPL's way of writing them.
            body = re.sub(r"^//.*", "", body, flags=re.MULTILINE)
            found.append(Script(head["kind"], head["language"], body))
    return found


_HEAD = re.compile(
    r"@\s*(?P<kind>script|initialize|finalize)\s*:\s*(?P<language>\w+)"
    r"(?:[^@]*?\bdepends\s+on\b(?P<dependency>[^@]*))?[^@]*@"
)
