# SPDX-License-Identifier: GPL-2.0-or-later
"""The script of README.md's pictures works, and the pictures are small."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from tests.support import TOP

SVG = "{http://www.w3.org/2000/svg}"
LARGEST = 150_000


def read_rows(path: Path) -> list[str]:
    """Return the texts of the terminal's rows."""
    root = ElementTree.parse(path).getroot()
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    return [text.replace("\xa0", " ") for text in texts]


def test_the_pictures_are_made_from_runs(browser, tmp_path):
    script = TOP / "tools/pictures.py"
    result = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["campaign.png", "terminal.svg"]
    assert (tmp_path / "campaign.png").read_bytes().startswith(b"\x89PNG")
    rows = read_rows(tmp_path / "terminal.svg")
    assert any(row.startswith("$ patchgen apply") for row in rows)
    assert any("1/4 x86/paravirt: Add an op" in row for row in rows)
    assert any("draft" in row for row in rows)
    # A picture in a README must not load anything.
    assert "url(http" not in (tmp_path / "terminal.svg").read_text()


def test_the_pictures_of_the_readme_exist_and_are_small():
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    pictures = list((TOP / "docs/pictures").iterdir())
    assert {path.name for path in pictures} == {"audit.png", "campaign.png", "terminal.svg"}
    for path in pictures:
        assert f"docs/pictures/{path.name}" in readme
        assert path.stat().st_size < LARGEST
    assert read_rows(TOP / "docs/pictures/terminal.svg")
