# SPDX-License-Identifier: GPL-2.0-or-later
"""SECURITY.md names the test that checks each promise."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).parents[2]


def test_every_test_that_the_page_names_exists() -> None:
    page = (TOP / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    defined = {
        name
        for path in (TOP / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 30
    assert sorted(named - defined) == []


def test_every_promise_names_a_test() -> None:
    page = (TOP / "SECURITY.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ") and "| --- |" not in line]
    promises = [row for row in rows if "| checked by |" not in row]
    assert promises and all(re.search(r"`test_\w+`", row) for row in promises)
