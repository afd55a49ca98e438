# SPDX-License-Identifier: GPL-2.0-or-later
"""A guide is shown as text that fits the terminal, and loses nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from patchgen.cli.guide import format_guide
from tests.support.documents import PAGES

PAGE = """\
<!-- SPDX-License-Identifier: GPL-2.0-or-later -->
# A page with a title that is not wrapped

A paragraph that is longer than one line, with `--an-option` and
a second line.

- An item that is longer than one line.
- Another one.

<!-- not run: a note
of two lines -->
```console
$ a command that is longer than one line, and stays as it is
| not a table
- not a list
```

    indented code that is longer than one line

| key | value |
| --- | --- |
| `a\\|b` | a text that is longer than one cell |

| what | of whom | on |
| --- | --- | --- |
| `a-long-word` | Ada | `the-12345` |
"""
SHOWN = """\
# A page with a title that is not wrapped

A paragraph that is longer
than one line, with
`--an-option` and a second
line.

- An item that is longer
  than one line.
- Another one.

```console
$ a command that is longer than one line, and stays as it is
| not a table
- not a list
```

    indented code that is longer than one line

key    value
─────  ─────────────────────
`a|b`  a text that is longer
       than one cell

- `a-long-word`: of whom
  Ada; on `the-12345`
"""


def test_text_is_wrapped_and_code_is_not():
    assert format_guide(PAGE, 28) == SHOWN


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_fits_the_terminal_and_loses_no_word(page: Path):
    text = re.sub(r"^<!--.*?-->\n", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    shown = format_guide(text, 78)
    prose = re.sub(r"^```.*?^```$|^    .*$|^#.*$", "", shown, flags=re.MULTILINE | re.DOTALL)
    for line in prose.splitlines():
        assert len(line) <= 78 or len(line.split()) == 1, line
    words = set(re.sub(r"^\|.*\|$", _read_row, text, flags=re.MULTILINE).split())
    assert words <= {part for word in shown.split() for part in (word, word.rstrip(":;"))}


def _read_row(row: re.Match[str]) -> str:
    """Return the words of a row's cells after the first: a list has no room for the first head."""
    if set(row[0]) <= set("|- "):
        return ""
    return " ".join(row[0].replace("\\|", "\0").split("|")[2:]).replace("\0", "|")
