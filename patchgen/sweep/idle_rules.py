# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules and scripts of a semantic patch that cannot apply in a run, and what follows from that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from patchgen.coccinelle import (
    RunnableSmpl,
    may_iterate,
    read_header,
    read_rules,
)
from patchgen.errors import ErrorPlace, SpecError, UsageError

if TYPE_CHECKING:
    from patchgen.sweep.cocci_file import CocciFile

# `@script:python NAME depends on ...@`: other rules may inherit from it.
_SCRIPT_NAME = re.compile(r"\s*script\s*:\s*\w+\s+(?!depends\b)(\w+)")


def without_idle_scripts(cocci: CocciFile, program: RunnableSmpl) -> str:
    """Return the text with empty lines in place of scripts that cannot run in the requested mode.

    So spatch never sees their code. All scripts remain if another rule names one of those, or if
    there are options between their lines.
    """
    running = {rule.begin for rule in program.scripts}
    lines = cocci.text.split("\n")
    idle = [rule for rule in read_rules(cocci.text) if rule.is_script and rule.begin not in running]
    for rule in idle:
        lines[rule.start - 1 : rule.end - 1] = [""] * (rule.end - rule.start)
    text = "\n".join(lines)
    names = {named[1] for rule in idle if (named := _SCRIPT_NAME.match(rule.header))}
    if any(re.search(rf"\b{name}\b", text) for name in names):
        return cocci.text
    header = read_header(text)
    is_same = (header.options, header.own_options) == (
        cocci.header.options,
        cocci.header.own_options,
    )
    return text if is_same else cocci.text


def check_rules(cocci: CocciFile, program: RunnableSmpl) -> list[str]:
    """Return notes about rules that do not apply because an identifier has no value.

    Raises UsageError if no rule can apply for that reason, SpecError if none can for others.
    """
    dead = program.dead_rules
    unset = list(dict.fromkeys(name for entry in dead for name in entry.unset))
    dead_names = {entry.rule.traced_name for entry in dead}
    rules = [rule for text in cocci.texts for rule in read_rules(text)]
    may_gain = any(may_iterate(script) for script in program.scripts)
    has_script = any(
        script.kind == "script" and dead_names.isdisjoint(name for _, name in script.reads)
        for script in program.scripts
    )
    changes = any(rule.modifies and rule.traced_name not in dead_names for rule in rules)
    if not (may_gain or has_script or changes):
        if unset:
            raise UsageError(
                f"{cocci.name} needs a value for {', '.join(unset)}",
                code="definition-missing",
                hint="give " + " and ".join(f"{name}=VALUE" for name in unset),
                parameters=("definitions",),
            )
        reasons = [f"{entry.rule.label}: {entry.why}" for entry in dead if entry.rule.modifies]
        if reasons:
            raise SpecError(
                f"{cocci.name}: no rule can apply in this run: {'; '.join(reasons)}",
                code="no-rule-applies",
                place=ErrorPlace(cocci.name, dead[0].rule.start),
            )
    until = " in the first pass" if may_gain else ""
    return [
        f"{entry.rule.label} does not apply{until}: {entry.why}" for entry in dead if entry.unset
    ]
