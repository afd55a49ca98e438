# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of a semantic patch that a message quotes: the rules that make the change."""

from __future__ import annotations

import re

from patchgen.coccinelle import read_header, read_rules
from patchgen.model.smpl import Mode


def excerpt(text: str) -> str:
    """Return a semantic patch without its header, its scripts, and the rules of other modes.

    If nothing would be left, it is returned as a whole.
    """
    modes = {mode.value: mode is Mode.PATCH for mode in Mode}
    kept = [rule for rule in read_rules(text) if not rule.is_script and rule.may_run(modes)]
    if not kept:
        return text.strip("\n")
    is_used = any(Mode.PATCH in rule.depends for rule in kept)
    virtuals = [*([Mode.PATCH] if is_used else []), *read_header(text).virtuals]
    lines = [f"virtual {name}" for name in virtuals]
    lines += [line for rule in kept for line in rule.lines if not line.startswith("//")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
