"""Parts of a text, by where they begin and end: left out, or with something else in their place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """A part of a text, from one offset to before another one."""

    begin: int
    end: int


def replace_spans(text: bytes, spans: Sequence[Span], replace: Callable[[int], bytes]) -> bytes:
    """Return a text with something else in the place of each span, by its number.

    Spans are in order and do not overlap.
    """
    pieces = []
    at = 0
    for number, span in enumerate(spans):
        pieces += [text[at : span.begin], replace(number)]
        at = span.end
    return b"".join([*pieces, text[at:]])


def without(text: bytes, spans: Sequence[Span]) -> bytes:
    """Return a text without some parts of it."""
    return replace_spans(text, spans, lambda _: b"")
