# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers with their nouns, for messages."""

from __future__ import annotations


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, in the plural if it is not 1: "2 patches"."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {plural or noun + ('es' if noun.endswith('ch') else 's')}"
