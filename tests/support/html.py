# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the elements of an HTML page."""

from __future__ import annotations

from html.parser import HTMLParser


class PageReader(HTMLParser):
    """Collects elements and what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.handlers: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.references += [v or "" for name, v in attrs if name in ("src", "href", "xlink:href")]


def read_html(page: str) -> PageReader:
    reader = PageReader()
    reader.feed(page)
    return reader
