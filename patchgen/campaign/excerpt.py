# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of a semantic patch that a message quotes: the rules that make the change."""

from __future__ import annotations

import re

from patchgen.coccinelle import read_rules
from patchgen.model.smpl import Mode

_VIRTUAL = re.compile(r"^virtual\b[^\n]*\n", re.MULTILINE)
_DEPENDS = re.compile(r"\bdepends\s+on\b([^@]*)")
_OTHERS = frozenset(mode.value for mode in Mode) - {Mode.PATCH.value}
_COMMENT = re.compile(r"^//[^\n]*(?:\n|\Z)", re.MULTILINE)


def excerpt(text: str) -> str:
    """Return a semantic patch without its header, its scripts, and the rules of other modes.

    If nothing would be left, it is returned as a whole.
    """
    lines = text.split("\n")
    rules = read_rules(text)
    kept = [
        "\n".join(lines[rule.start - 1 : rule.end - 1])
        for rule in rules
        if not rule.is_script
        and not _is_of_other_mode("\n".join(lines[rule.start - 1 : rule.body]))
    ]
    if not kept:
        return text.strip("\n")
    before = "\n".join(lines[: rules[0].start - 1])
    modes = {mode.value for mode in Mode}
    virtuals = [
        line
        for line in _VIRTUAL.findall(before + "\n")
        if not set(re.findall(r"\w+", line)) <= modes | {"virtual"}
    ]
    if any("patch" in re.findall(r"\w+", clause) for clause in _DEPENDS.findall("\n".join(kept))):
        virtuals.insert(0, "virtual patch\n")
    rest = _COMMENT.sub("", "\n".join(kept) + "\n")
    return re.sub(r"\n{3,}", "\n\n", "".join(virtuals) + rest).strip("\n")


def _is_of_other_mode(header: str) -> bool:
    """Return whether a rule depends on a mode other than patch."""
    depends = _DEPENDS.search(header)
    words = set(re.findall(r"!?\w+", depends[1])) if depends else set()
    return "patch" not in words and ("!patch" in words or bool(words & _OTHERS))
