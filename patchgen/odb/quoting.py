# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths as C strings, as git reads and writes them (quote_c_style() in git's quote.c)."""

from __future__ import annotations

import os
import re
from pathlib import PurePath

_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_LETTERS |= {b"v": b"\v"}


def quote_path(path: PurePath) -> bytes:
    """Return a path as a C string, whatever bytes are in it."""
    escaped = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    for letter, byte in _LETTERS.items():
        escaped = escaped.replace(byte, b"\\" + letter)
    return b'"' + escaped + b'"'


def unquote_path(text: bytes) -> bytes:
    """Return the path that git wrote; text that is not a C string is the path itself."""
    if not (text.startswith(b'"') and text.endswith(b'"') and len(text) > 1):
        return text
    return _ESCAPE.sub(_replace_escape, text[1:-1])


def _replace_escape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _LETTERS.get(code, code)
