# SPDX-License-Identifier: GPL-2.0-or-later
"""Place the syntax errors of templates at the tag that has the mistake.

Jinja2 reports the line of the token that it did not expect. After a tag without its end, that token
is on any later line, and at the end of the file if a block is not ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import FrameType
from typing import NamedTuple

import jinja2
from jinja2.lexer import Token, newline_re
from jinja2.parser import Parser

_STRING = r"\"(?:\\.|[^\"\\\n])*+\"|'(?:\\.|[^'\\\n])*+'"
_TAGS = frozenset({"variable_begin", "block_begin"})


class _Delimiters(NamedTuple):
    """The beginnings and ends of tags, as patterns."""

    comment: str
    comment_end: str
    begin: str
    end: str


def place_at_tag(
    error: jinja2.TemplateSyntaxError,
    environment: jinja2.Environment,
    source: str,
    name: str | None,
    filename: str | None,
) -> jinja2.TemplateSyntaxError:
    """Return the error of a parser at its tag, if that tag or its block is not ended.

    The error must have the parser's traceback. The template's name is given, since some errors of
    Jinja2 have the path in its place.
    """
    frames = list(_list_frames(error))
    tag = _find_tag(frames)
    message, line = error.message or "", error.lineno
    if tag is None:
        return jinja2.TemplateSyntaxError(message, line, name, filename)
    delimiters = _read_delimiters(environment)
    if (begin := _find_unended(source, tag.lineno, delimiters)) is not None:
        ends = environment.block_end_string, environment.variable_end_string
        end = ends[begin.startswith(environment.variable_start_string)]
        message, line = f"the tag {begin} has no {end}", tag.lineno
    elif any(frame.f_code.co_name == "fail_eof" for frame in frames):
        line = tag.lineno
    return jinja2.TemplateSyntaxError(message, line, name, filename)


def _list_frames(error: BaseException) -> Iterator[FrameType]:
    """Yield the frames of an error, the innermost last."""
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _find_tag(frames: list[FrameType]) -> Token | None:
    """Return the token that begins the tag, or the block, which the parser was reading."""
    for frame in reversed(frames):
        if frame.f_code.co_name == "subparse" and isinstance(frame.f_locals.get("self"), Parser):
            token = frame.f_locals.get("token")
            return token if isinstance(token, Token) and token.type in _TAGS else None
    return None


def _read_delimiters(environment: jinja2.Environment) -> _Delimiters:
    def either(*texts: str) -> str:
        # Of two beginnings, one may be the beginning of the other.
        return "|".join(map(re.escape, sorted(texts, key=len, reverse=True)))

    return _Delimiters(
        re.escape(environment.comment_start_string),
        re.escape(environment.comment_end_string),
        either(environment.variable_start_string, environment.block_start_string),
        either(environment.variable_end_string, environment.block_end_string),
    )


def _find_unended(source: str, line: int, delimiters: _Delimiters) -> str | None:
    """Return the first beginning on a line whose tag does not end before another tag begins."""
    text = "\n".join(newline_re.split(source)[::2][line - 1 :])
    outside = re.compile(
        f"(?P<comment>{delimiters.comment})|(?P<begin>{delimiters.begin})|(?P<line>\n)"
    )
    inside = re.compile(f"{_STRING}|(?P<end>{delimiters.end})|{delimiters.begin}")
    comment_end = re.compile(delimiters.comment_end)
    at = 0
    while (found := outside.search(text, at)) is not None and found["line"] is None:
        if found["comment"]:
            end = comment_end.search(text, found.end())
        else:
            end = next(
                (m for m in inside.finditer(text, found.end()) if m[0][0] not in "\"'"), None
            )
            if end is None or end["end"] is None:
                return found["begin"]
        if end is None:
            return None
        at = end.end()
    return None
