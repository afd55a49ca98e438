# SPDX-License-Identifier: GPL-2.0-or-later
"""Decode the bytes of a mail: wrong, missing or unknown charsets, and RFC 2047 words.

No function guesses a character or raises an error: a byte that cannot be decoded becomes a lone
surrogate (PEP 383), which `patchgen.controls.has_controls` finds.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from collections.abc import Sequence

# Their bytes are also valid UTF-8, with another meaning, so the declaration is tried first.
_STATEFUL = re.compile(r"utf-?(7|16|32)|iso-?2022|hz", re.IGNORECASE)
# Mailers declare the former and send the latter, a superset: https://encoding.spec.whatwg.org/
_SUPERSETS = {
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
}
_WORD = re.compile(r"=\?([^\s?*]{1,40})(?:\*[^\s?]*)?\?([bqBQ])\?([^\s?]*)\?=")
_BETWEEN = re.compile(r"(?<=\?=)\s+(?==\?[^\s?]{1,60}\?[bqBQ]\?)")

_UNDECODED = re.compile(r"(?:=[89A-F][0-9A-F]){2}|&(?:#x?[0-9a-f]{1,6}|[a-z]{2,8});|\w\?+\w", re.I)
# Charsets as which programs misread UTF-8: on Windows, on Unix, in a terminal, on a Mac. For part
# of a text, the result must be accented Latin letters, and the part must not be letters only,
# because any two letters may be the bytes of another one.
_LATIN = re.compile(r"[\u00c0-\u017f]+")
_WINDOWS = ("cp1252", "latin-1")
_ONE_BYTE = (
    "cp1252",
    "latin-1",
    "cp1250",
    "iso8859-2",
    "iso8859-15",
    "cp850",
    "cp437",
    "mac_roman",
)


def decode_bytes(content: bytes, charset: str) -> str:
    """Return the text of bytes: decoded as UTF-8 if valid, else by the declared charset.

    UTF-8 comes first because a mail that is valid UTF-8 but declares another charset declares it
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
    """Return whether Python can decode a declared charset."""
    return bool(_find_charset(charset))


def decode_words(text: str) -> str:
    """Return a header's text with its encoded words (RFC 2047) decoded.

    A word in an unknown charset or with broken base64 stays encoded.
    """
    return _WORD.sub(_decode_word, _BETWEEN.sub("", text))


def has_garbled_name(text: str) -> bool:
    """Return whether a text lost characters on its way: U+FFFD, undecoded bytes or words, mojibake.

    Mojibake is UTF-8 that some program read in a one-byte charset: "BÃ©a" for "Béa". Undecoded text
    includes quoted-printable, "B=C3=A9a", and HTML entities, "B&#233;a"; a program that writes only
    ASCII leaves "B?a".
    """
    if (
        "\ufffd" in text
        or "=?" in text
        or any("\ud800" <= character <= "\udfff" for character in text)
    ):
        return True
    if _UNDECODED.search(text):
        return True
    if _is_mojibake(text, _WINDOWS):
        return True
    runs = re.findall(r"[^\x00-\x7f]+", text)
    return any(
        not run.isalpha() and _LATIN.fullmatch(_undo(run, charset))
        for run in runs
        for charset in _ONE_BYTE
    )


def _is_mojibake(text: str, charsets: Sequence[str]) -> bool:
    """Return whether a text is UTF-8 that was read in one of the charsets; not if it is ASCII."""
    return not text.isascii() and any(_undo(text, charset) for charset in charsets)


def _undo(text: str, charset: str) -> str:
    """Return the UTF-8 text that was misread in a one-byte charset, "" if it is not UTF-8."""
    try:
        return text.encode(charset).decode("utf-8")
    except UnicodeError:
        return ""


def _find_charset(charset: str) -> str:
    """Return Python's name of a charset, "" if it has none or the codec is not for text."""
    try:
        found = codecs.lookup(charset)
        # Codecs such as "hex" and "rot13" map bytes to bytes or text to text.
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
