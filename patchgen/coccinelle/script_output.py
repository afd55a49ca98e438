# SPDX-License-Identifier: GPL-2.0-or-later
"""The output of Python rules, by file and by rule.

It is written to a file in which each line names the files that spatch is processing, because the
buffers of spatch and of Python would interleave their lines. A rule added before all others
redirects the output, and a line added before each script names the rule that it reports on.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from patchgen.coccinelle.reports import mark_rule
from patchgen.coccinelle.rules import Rule, read_rules
from patchgen.coccinelle.witness import PreparedText

_OUTPUT = "patchgen-output"
# `cocci.files()` are the files that spatch is processing.
_LISTENER = f"""@initialize:python@
@@
import json as pg_json, sys as pg_sys
class PgOutput:
    def __init__(self):
        self.out = open("../{_OUTPUT}", "a", buffering=1)
        self.ended = False
        self.rule = ""
    def write(self, text):
        files = [] if self.ended else cocci.files()
        self.out.write(pg_json.dumps([files, self.rule, text]) + "\\n")
        return len(text)
    def flush(self):
        pass
    def isatty(self):
        return False
pg_output = pg_sys.stdout = PgOutput()
@finalize:python@
@@
pg_output.ended = True
"""
# `print_report(p2[0], ...)`: the position that is reported.
_REPORT_CALL = re.compile(r"\bprint_\w+\s*\(\s*(?P<variable>\w+)\b")


def capture_output(prepared: PreparedText) -> PreparedText:
    """Return the semantic patch with added code that captures the output of its Python rules."""
    lines = prepared.text.split("\n")
    first = next((at for at, line in enumerate(lines) if line.startswith("@")), len(lines))
    added = {first: _LISTENER.rstrip("\n").split("\n")}
    for rule in read_rules(prepared.text):
        if (rule.kind, rule.language) == ("script", "python"):
            code = next((at for at, line in enumerate(rule.body_lines) if line.strip()), None)
            if code is not None:
                line = rule.body_lines[code]
                indent = line[: len(line) - len(line.lstrip())]
                reported = _find_reported_rule(rule)
                added[rule.body - 1 + code] = [f"{indent}pg_output.rule = {reported!r}"]
    return prepared.insert(added)


def _find_reported_rule(rule: Rule) -> str:
    """Return the rule that a script reports on, "" if it reads none."""
    read = dict(rule.reads)
    reported = [
        read[variable]
        for variable in _REPORT_CALL.findall("\n".join(rule.body_lines))
        if variable in read
    ]
    return next(iter([*reported, *read.values()]), "")


def read_printed(scratch: Path) -> tuple[dict[str, str], str]:
    """Return the output of scripts for each file, and their output at the end.

    A mark precedes the text wherever another rule is reported on.
    """
    printed: dict[str, str] = {}
    rules: dict[str, str] = {}
    path = scratch / _OUTPUT
    if not path.exists():
        return printed, ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        files, rule, text = json.loads(line)
        name = files[0] if files else ""
        if rules.get(name, "") != rule:
            rules[name] = rule
            text = mark_rule(rule) + text
        printed[name] = printed.get(name, "") + text
    return printed, printed.pop("", "")
