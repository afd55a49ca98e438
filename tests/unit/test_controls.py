# SPDX-License-Identifier: GPL-2.0-or-later
"""Control characters are shown, never obeyed."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from patchgen.controls import escape_controls, has_controls


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[33mEve\x1b]0;X\x07", "\\x1b[33mEve\\x1b]0;X\\x07"),
        ("a\r\nBcc: eve@example.org", "a\\x0d\\x0aBcc: eve@example.org"),
        ("\x9b31m", "\\x9b31m"),
        ("\udce4.c", "\\xe4.c"),
        ("if (\u202eyrt)", "if (\\u202eyrt)"),
    ],
)
def test_a_control_character_becomes_a_visible_escape(text: str, shown: str) -> None:
    assert has_controls(text)
    assert escape_controls(text) == shown


RANGES = (
    "\x00\x1f",
    "\x7f\x9f",
    "\u061c\u061c",
    "\u200e\u200f",
    "\u2028\u202e",
    "\u2066\u2069",
    "\ufeff\ufeff",
    "\ud800\udfff",
)


def test_every_control_character_is_found_among_plain_ones() -> None:
    codes = [code for first, last in RANGES for code in range(ord(first), ord(last) + 1)]
    assert [code for code in codes if not has_controls(f"a{chr(code)}b")] == []
    assert [code for code in codes if chr(code) in escape_controls(f"a{chr(code)}b")] == []


def test_plain_text_in_any_script_is_unchanged() -> None:
    text = "Jörg Übergang, 山田太郎, e\u0301"
    assert not has_controls(text)
    assert escape_controls(text) == text


def test_allowed_characters_stay() -> None:
    assert escape_controls("a\tb\n\x07", allow="\t\n") == "a\tb\n\\x07"
    assert not has_controls("a\tb\n", allow="\t\n")


@given(strategies.text(strategies.characters()))
def test_what_is_escaped_has_no_controls_and_is_valid_utf8(text: str) -> None:
    escaped = escape_controls(text)
    assert not has_controls(escaped)
    escaped.encode()
