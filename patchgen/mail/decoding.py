# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes of a mail to text: declared charsets that are wrong, missing or unknown, RFC 2047 words.

Nothing here guesses a character and nothing raises: a byte that cannot be decoded becomes a lone
surrogate (PEP 383), which `patchgen.controls.has_controls` finds.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re

# Their bytes are valid UTF-8 and mean something else, so the declaration has to come first.
_STATEFUL = re.compile(r"utf-?(7|16|32)|iso-?2022|hz", re.IGNORECASE)
# Mailers declare the first and send the second, a superset: https://encoding.spec.whatwg.org/
_SUPERSETS = {
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}
_WORD = re.compile(r"=\?([^\s?*]{1,40})(?:\*[^\s?]*)?\?([bqBQ])\?([^\s?]*)\?=")
_BETWEEN = re.compile(r"(?<=\?=)\s+(?==\?[^\s?]{1,60}\?[bqBQ]\?)")


def decode_bytes(content: bytes, charset: str) -> str:
    """Return the text of bytes: UTF-8 where it is that, else in the declared charset.

    UTF-8 comes first because a mail that is valid UTF-8 and declares another charset was declared
    wrongly: accented text in a one-byte charset is practically never valid UTF-8.
    """
    declared = _find_charset(charset)
    order = ["utf-8", declared]
    if declared and _STATEFUL.match(declared):
        order.reverse()
    for name in filter(None, order):
        try:
            return content.decode(name)
        except (UnicodeError, ValueError):
            continue
    return content.decode("utf-8", "surrogateescape")


def is_known_charset(charset: str) -> bool:
    """Return whether a declared charset is one that Python can decode."""
    return bool(_find_charset(charset))


def decode_words(text: str) -> str:
    """Return a header's text with its encoded words (RFC 2047) decoded.

    A word in an unknown charset or with broken base64 stays as it is written.
    """
    return _WORD.sub(_decode_word, _BETWEEN.sub("", text))


def has_garbled_name(text: str) -> bool:
    """Return whether a text lost characters on its way: U+FFFD, undecoded bytes or words, mojibake.

    Mojibake is UTF-8 that some program read as Windows-1252: "BÃ©a" for "Béa".
    """
    if "\ufffd" in text or "=?" in text or any("\ud800" <= each <= "\udfff" for each in text):
        return True
    if text.isascii():
        return False
    for charset in ("cp1252", "latin-1"):
        try:
            text.encode(charset).decode("utf-8")
        except UnicodeError:
            continue
        return True
    return False


def _find_charset(charset: str) -> str:
    """Return Python's name of a charset, "" where it has none or where it is not one of text."""
    try:
        found = codecs.lookup(charset)
        # Codecs as "hex" and "rot13" turn bytes into bytes or text into text.
        "".encode(found.name)
        b"".decode(found.name)
    except (LookupError, ValueError, UnicodeError, TypeError, AssertionError):
        return ""
    if found.name in ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"):
        return ""
    return _SUPERSETS.get(found.name, found.name)


def _decode_word(match: re.Match[str]) -> str:
    charset, encoding, text = match.groups()
    if not is_known_charset(charset):
        return match[0]
    try:
        raw = text.encode("ascii")
        if encoding in "bB":
            content = base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
        else:
            content = quopri.decodestring(raw, header=True)
    except (UnicodeError, binascii.Error, ValueError):
        return match[0]
    return decode_bytes(content, charset)
