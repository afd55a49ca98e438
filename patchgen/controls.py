# SPDX-License-Identifier: GPL-2.0-or-later
"""Control characters in text that came from a tree, a mail, a variant or another program.

A terminal obeys escape sequences (ECMA-48), a mail reader obeys line ends in a header, and
characters that reorder a line mislead a reviewer (Unicode Technical Standard 55, the bidirectional
formatting characters). Everything that patchgen prints, and everything that it writes into a
header, a trailer or a file name, goes through this module.
"""

from __future__ import annotations

import re

# C0 (with tab and newline), DEL, C1; the Unicode line and paragraph separators; bidirectional
# formatting; the byte order mark; surrogates, which stand for bytes that are not UTF-8 (PEP 383).
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def has_controls(text: str, *, allow: str = "") -> bool:
    """Return whether a text has control characters other than those in `allow`.

    A header, a trailer or a person's name must have none.
    """
    # No control character is printable; this test is much faster than the search.
    if text.isprintable():
        return False
    return any(match[0] not in allow for match in _CONTROLS.finditer(text))


def escape_controls(text: str, *, allow: str = "") -> str:
    r"""Return a text with its control characters, except those in `allow`, as visible escapes.

    ESC becomes the four characters ``\x1b``, a byte that is not UTF-8 becomes ``\xNN``. Text
    without control characters is returned unchanged.
    """
    if not has_controls(text, allow=allow):
        return text
    return _CONTROLS.sub(lambda match: match[0] if match[0] in allow else _escape(match[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
