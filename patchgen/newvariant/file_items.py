# SPDX-License-Identifier: GPL-2.0-or-later
"""Split a C file into items: functions, declarations, comments and directives."""

from __future__ import annotations

import re
from collections import Counter

from patchgen.ctokens import tokenize

_DEPTH = {b"{": 1, b"(": 1, b"}": -1, b")": -1}
_CONDITION = re.compile(rb"[ \t]*#[ \t]*(if|endif)")
# A new item begins in the first column of a line.
_INDENT = (b" ", b"\t", b"\r", b"\n")


def split_items(content: bytes) -> list[bytes]:
    """Return the items of a file, without the empty lines between them.

    An item ends before an empty line, or after a brace in the first column, unless a brace, a
    parenthesis, a condition (#if) or a comment is open there.
    """
    lines = content.splitlines(keepends=True)
    changes = Counter[int]()
    for token in tokenize(content):
        changes[token.line] += _DEPTH.get(token.text, 0)
    items: list[bytes] = []
    pending: list[bytes] = []
    depth = 0
    is_comment_open = False
    for number, line in enumerate(lines, 1):
        pending.append(line)
        if condition := _CONDITION.match(line):
            depth += 1 if condition[1] == b"if" else -1
        depth += changes[number]
        if (opened := line.rfind(b"/*")) != (closed := line.rfind(b"*/")):
            is_comment_open = opened > closed
        following = lines[number] if number < len(lines) else b"x"
        may_end = not line.strip() or line.startswith(b"}")
        if may_end and depth == 0 and not is_comment_open and not following.startswith(_INDENT):
            items.append(b"".join(pending).strip(b"\r\n"))
            pending = []
    items.append(b"".join(pending).strip(b"\r\n"))
    return list(filter(None, items))
