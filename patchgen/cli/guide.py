# SPDX-License-Identifier: GPL-2.0-or-later
"""Format a page of docs/ for a terminal: paragraphs and tables are wrapped, and code is not."""

from __future__ import annotations

import re
import textwrap
from itertools import zip_longest

# Notes for the tests of the pages; a reader does not need them.
_COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)
_CODE_BLOCK = re.compile(r"(^```.*?^```\n)", re.MULTILINE | re.DOTALL)
_LINES = re.compile(r"(?:^.+\n)+", re.MULTILINE)
_NEXT_ITEM = re.compile(r"^(?=- )", re.MULTILINE)
_CELL_END = re.compile(r"(?<!\\)\|")

_GAP = "  "


def format_guide(markdown: str, width: int) -> str:
    """Return a page, wrapped at `width` characters."""
    pieces = _CODE_BLOCK.split(_COMMENT.sub("", markdown))
    pieces[::2] = [_LINES.sub(lambda lines: _wrap(lines[0], width), piece) for piece in pieces[::2]]
    return "".join(pieces)


def _wrap(lines: str, width: int) -> str:
    """Wrap a paragraph, a list or a table."""
    if lines.startswith(("#", "    ")):
        return lines
    if lines.startswith("|"):
        return _wrap_table(lines, width)
    return "".join(_wrap_paragraph(item, width) for item in _NEXT_ITEM.split(lines) if item)


def _wrap_paragraph(text: str, width: int) -> str:
    indent = "  " if text.startswith("- ") else ""
    return "\n".join(_wrap_words(text, width, indent)) + "\n"


def _wrap_words(text: str, width: int, indent: str = "") -> list[str]:
    wrapper = textwrap.TextWrapper(
        width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return wrapper.wrap(" ".join(text.split()))


def _wrap_table(lines: str, width: int) -> str:
    """Wrap the cells of a table; if the longest words do not fit, return its rows as a list."""
    head, _, *rows = [
        [cell.strip().replace("\\|", "|") for cell in _CELL_END.split(line)[1:-1]]
        for line in lines.splitlines()
    ]
    widths = _divide([head, *rows], width)
    if sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        return "".join(_wrap_paragraph(_describe_row(head, row), width) for row in rows)
    ruler = ["─" * column for column in widths]
    return "".join(_format_row(row, widths) for row in (head, ruler, *rows))


def _divide(rows: list[list[str]], width: int) -> list[int]:
    """Return the width of each column: its longest word, and a share of the remaining width."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, " ".join(cells).split()), default=0) for cells in columns]
    needs = [max(map(len, cells)) for cells in columns]
    spare = width - sum(widths) - len(_GAP) * (len(widths) - 1)
    while spare > 0 and widths != needs:
        index = max(range(len(widths)), key=lambda column: needs[column] / (widths[column] or 1))
        widths[index] += 1
        spare -= 1
    return widths


def _format_row(row: list[str], widths: list[int]) -> str:
    wrapped = [_wrap_words(cell, width or 1) for cell, width in zip(row, widths, strict=True)]
    lines = (
        _GAP.join(part.ljust(width) for part, width in zip(parts, widths, strict=True)).rstrip()
        for parts in zip_longest(*wrapped, fillvalue="")
    )
    return "".join(f"{line}\n" for line in lines)


def _describe_row(head: list[str], row: list[str]) -> str:
    return f"- {row[0]}: " + "; ".join(map(" ".join, zip(head[1:], row[1:], strict=True)))
