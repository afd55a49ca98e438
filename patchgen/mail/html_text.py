# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of HTML: one line for each block, with ">" before the lines of block quotes.

Malformed HTML is read in linear time, which html.parser does not guarantee (CVE-2025-6069).
"""

from __future__ import annotations

import html
import re

# A tag that is not closed extends to the next "<". An address in angle brackets is not a tag.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<[!?][^>]*>?"
    r"|<(?P<close>/?)(?P<name>[a-z][a-z0-9:-]*)(?=[\s/>]|\Z)[^<>]*>?"
    r"|(?P<text>[^<]+|<)",
    re.IGNORECASE | re.DOTALL,
)
_HIDDEN = frozenset({"style", "script", "title", "template"})
# Elements that begin a line and end it.
_BLOCKS = frozenset({
    "address", "article", "blockquote", "body", "br", "center", "dd", "div", "dl", "dt", "footer",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "ol", "p", "pre", "section",
    "table", "tbody", "td", "th", "tr", "ul",
})  # fmt: skip


def read_html(source: str) -> str:
    """Return the text of HTML, without empty lines."""
    reader = _Reader()
    for match in _TOKEN.finditer(source):
        if match["name"]:
            reader.read_tag(match["name"].lower(), is_end=bool(match["close"]))
        elif match["text"]:
            reader.read_text(html.unescape(match["text"]))
    reader.end_line()
    return "\n".join(reader.lines)


class _Reader:
    """Collects lines. `depth` is the number of open block quotes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0
        self._hidden = ""
        self._is_verbatim = False

    def read_tag(self, name: str, *, is_end: bool) -> None:
        """Read a start tag or an end tag."""
        if self._hidden:
            self._hidden = "" if is_end and name == self._hidden else self._hidden
            return
        if name in _HIDDEN and not is_end:
            self._hidden = name
        if name in _BLOCKS:
            self.end_line()
        if name == "blockquote":
            self._depth = max(0, self._depth + (-1 if is_end else 1))
        if name == "pre":
            self._is_verbatim = not is_end

    def read_text(self, text: str) -> None:
        """Read the text between two tags."""
        if self._hidden:
            return
        if not self._is_verbatim:
            self._line.append(re.sub(r"[ \t\r\n\f]+", " ", text))
            return
        first, *others = text.split("\n")
        self._line.append(first)
        for line in others:
            self.end_line()
            self._line.append(line)

    def end_line(self) -> None:
        """End a line, unless it is empty."""
        line = "".join(self._line).strip()
        if line:
            self.lines.append(f"> {line}" if self._depth else line)
        self._line.clear()
