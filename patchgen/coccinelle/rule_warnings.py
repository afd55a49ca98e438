# SPDX-License-Identifier: GPL-2.0-or-later
"""What spatch remarks about the rules themselves when it reads them, at the author's lines.

Its forms, in 1.1.1 and 1.3.1 (parse_cocci.ml, check_meta.ml):

    warning: line 4: should flags be a metavariable?
    warning: RULE: metavariable NAME not used in the - or context code
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from patchgen.coccinelle.rules import Rule, read_rules
from patchgen.model.smpl import SemanticPatch

_WARNING = re.compile(r"^warning: (?P<text>.*)$", re.MULTILINE)
_LINE = re.compile(r"line (?P<line>\d+): (?P<text>.*)")
_RULE = re.compile(r"(?P<rule>\w+|rule starting on line \d+): (?P<text>.*)")
_NAMED_WORD = re.compile(r"should (?P<word>\w+) be a metavariable")
_METAVARIABLE = re.compile(r"\bmetavariable (?P<name>\w+)")


def read_rule_warnings(
    output: str, patch: SemanticPatch, companions: Mapping[str, str]
) -> tuple[str, ...]:
    """Return spatch's warnings about a semantic patch, each once, with file and line.

    `companions` are the files that it includes.
    """
    others = {name: text for name, text in companions.items() if name.endswith(".cocci")}
    found = (_place(match["text"].strip(), patch, others) for match in _WARNING.finditer(output))
    return tuple(dict.fromkeys(found))


def _place(text: str, patch: SemanticPatch, others: Mapping[str, str]) -> str:
    if (by_line := _LINE.fullmatch(text)) is not None:
        line, text = int(by_line["line"]), by_line["text"]
        return _at(patch, line, text) if not others else _find_word(text, patch, others)
    by_rule = _RULE.fullmatch(text)
    if by_rule is None:
        return f"{patch.name}: {text}"
    for name, smpl in {patch.name: patch.text, **others}.items():
        for rule in read_rules(smpl):
            if rule.traced_name == by_rule["rule"]:
                line, text = _find_declaration(rule, by_rule["text"]), by_rule["text"]
                own = patch if name == patch.name else SemanticPatch(name, smpl)
                return _at(own, line, f"{rule.label}: {text}")
    return f"{patch.name}: {text}"


def _find_word(text: str, patch: SemanticPatch, others: Mapping[str, str]) -> str:
    """Return a warning with the only line that has its word.

    With #include, spatch counts the lines of all files together.
    """
    named = _NAMED_WORD.match(text)
    found = [
        f"{name}:{number}"
        for name, smpl in {patch.name: patch.text, **others}.items()
        for number, line in enumerate(smpl.split("\n"), 1)
        if named and re.search(rf"\b{named['word']}\b", line)
    ]
    return f"{found[0] if len(found) == 1 else patch.name}: {text}"


def _find_declaration(rule: Rule, text: str) -> int:
    """Return the line that declares the metavariable of a warning, or that of the rule."""
    named = _METAVARIABLE.search(text)
    lines = enumerate(rule.head_lines if named else (), rule.start)
    return next(
        (
            number
            for number, line in lines
            if named and number > rule.start and re.search(rf"\b{named['name']}\b", line)
        ),
        rule.start,
    )


def _at(patch: SemanticPatch, line: int, text: str) -> str:
    place = patch.place(line)
    return f"{place.file}:{place.line}: {text}"
