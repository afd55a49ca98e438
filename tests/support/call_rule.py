# SPDX-License-Identifier: GPL-2.0-or-later
"""A small change for tests of campaigns: a semantic patch, and a function that it changes."""

from __future__ import annotations

_PURPOSE = """\
/// Use new_call(), which takes a lock.
//# The callers all hold it.
"""
_RULE = """\
@@
@@
- old_call();
+ new_call();
"""


def format_rule(options: str = "") -> str:
    """Return the semantic patch, with a line of options."""
    return _PURPOSE + options + _RULE


def format_function(name: str) -> str:
    """Return a function that the semantic patch changes; a header may define it, too."""
    return f"static inline void {name}(void)\n{{\n\told_call();\n}}\n"
