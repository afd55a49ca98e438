# SPDX-License-Identifier: GPL-2.0-or-later
"""Spans of a text: remove or replace them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """A part of a text: its begin, and the offset after its end."""

    begin: int
    end: int


def replace_spans(text: bytes, spans: Sequence[Span], replace: Callable[[int], bytes]) -> bytes:
    """Return a text with each span replaced by the result of `replace` for its number.

    Spans must be in order and must not overlap.
    """
    pieces = []
    at = 0
    for number, span in enumerate(spans):
        pieces += [text[at : span.begin], replace(number)]
        at = span.end
    return b"".join([*pieces, text[at:]])


def without(text: bytes, spans: Sequence[Span]) -> bytes:
    """Return a text without these spans."""
    return replace_spans(text, spans, lambda _: b"")
