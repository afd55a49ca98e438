# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths as C strings, as git reads and writes them (quote_c_style() in git's quote.c)."""

from __future__ import annotations

import os
import re
from pathlib import PurePath

_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_LETTERS |= {b"v": b"\v"}
_SPECIAL = re.compile(rb'[\x00-\x1f"\\\x7f]')
_ESCAPES = {bytes([code]): b"\\%03o" % code for code in (*range(0x20), 0x7F)}
_ESCAPES |= {byte: b"\\" + letter for letter, byte in _LETTERS.items()}
_ESCAPES |= {byte: b"\\" + byte for byte in (b'"', b"\\")}


def quote_path(path: PurePath | str) -> bytes:
    """Return a path as a C string, whatever bytes are in it."""
    return b'"' + _SPECIAL.sub(lambda byte: _ESCAPES[byte[0]], os.fsencode(path)) + b'"'


def quote_name(name: str) -> str:
    """Return a file's name as it is written in diffs (git-config(1), core.quotePath=false)."""
    return os.fsdecode(quote_path(name)) if _SPECIAL.search(os.fsencode(name)) else name


def unquote_path(text: bytes) -> bytes:
    """Return the path that git wrote; text that is not a C string is the path itself."""
    if not (text.startswith(b'"') and text.endswith(b'"') and len(text) > 1):
        return text
    return _ESCAPE.sub(_replace_escape, text[1:-1])


def unquote_name(text: str) -> str:
    """Return the name that git wrote in a diff; bytes that are not UTF-8 are surrogates.

    Other surrogates, which UTF-7 can express, are in no name: such a text is returned unchanged.
    """
    try:
        return os.fsdecode(unquote_path(os.fsencode(text)))
    except UnicodeEncodeError:
        return text


def _replace_escape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) == 3 else _LETTERS.get(code, code)
