# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the scripts of a semantic patch that can run.

In one mode most cannot: `@script:python depends on report@` does not run in patch mode. The output
of such scripts need not be read, and they keep no state between files.
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
    """Return the scripts that may run if exactly the `defined` virtual rules are defined."""
    values = {name: name in defined for name in virtuals}
    lines = text.split("\n")
    found = []
    for rule in read_rules(text):
        head = _HEAD.match("\n".join(lines[rule.start - 1 : rule.body - 1]))
        if rule.is_script and head is not None and may_hold(head["dependency"] or "", values):
            body = "\n".join(lines[rule.body - 1 : rule.end - 1])
            # SmPL comments may stand between rules.
            body = re.sub(r"^//.*", "", body, flags=re.MULTILINE)
            found.append(Script(head["kind"], head["language"], body))
    return found


_HEAD = re.compile(
    r"@\s*(?P<kind>script|initialize|finalize)\s*:\s*(?P<language>\w+)"
    r"(?:[^@]*?\bdepends\s+on\b(?P<dependency>[^@]*))?[^@]*@"
)
