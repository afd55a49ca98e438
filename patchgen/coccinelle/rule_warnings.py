# SPDX-License-Identifier: GPL-2.0-or-later
"""What spatch remarks about the rules themselves when it reads them, at the author's lines.

Its forms, in 1.1.1 and 1.3.1 (parse_cocci.ml, check_meta.ml):

    warning: line 4: should flags be a metavariable?
    warning: RULE: metavariable NAME not used in the - or context code
"""

from __future__ import annotations

import re

from patchgen.coccinelle.rules import read_rules
from patchgen.model.smpl import SemanticPatch

_WARNING = re.compile(r"^warning: (?P<text>.*)$", re.MULTILINE)
_LINE = re.compile(r"line (?P<line>\d+): (?P<text>.*)")
_RULE = re.compile(r"(?P<rule>\w+|rule starting on line \d+): (?P<text>.*)")
_METAVARIABLE = re.compile(r"\bmetavariable (?P<name>\w+)")


def read_rule_warnings(output: str, patch: SemanticPatch) -> tuple[str, ...]:
    """Return spatch's warnings about a semantic patch, each once, with file and line."""
    found = (_place(warning["text"].strip(), patch) for warning in _WARNING.finditer(output))
    return tuple(dict.fromkeys(found))


def _place(text: str, patch: SemanticPatch) -> str:
    if (by_line := _LINE.fullmatch(text)) is not None:
        return _at(patch, int(by_line["line"]), by_line["text"])
    by_rule = _RULE.fullmatch(text)
    rules = read_rules(patch.text) if by_rule else ()
    for rule in rules:
        if by_rule is not None and rule.traced_name == by_rule["rule"]:
            named = _METAVARIABLE.search(by_rule["text"])
            lines = rule.head_lines if named else ()
            declared = (
                rule.start + number
                for number, line in enumerate(lines)
                if named and number and re.search(rf"\b{named['name']}\b", line)
            )
            return _at(patch, next(declared, rule.start), f"{rule.label}: {by_rule['text']}")
    return f"{patch.name}: {text}"


def _at(patch: SemanticPatch, line: int, text: str) -> str:
    place = patch.place(line)
    return f"{place.file}:{place.line}: {text}"
