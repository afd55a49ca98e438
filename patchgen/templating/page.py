# SPDX-License-Identifier: GPL-2.0-or-later
"""Render self-contained HTML pages.

A page loads nothing. Its content security policy allows only its own script and style, by their
digests, so that text from a hostile tree could not run even if a browser read it as markup.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from patchgen.controls import escape_controls
from patchgen.sourcefolder import SourceFolder
from patchgen.templating.environment import render_html

_FRAME = Path(__file__).with_name("pages")


def render_html_page(folder: Path, context: Mapping[str, Any], *, search: bool = False) -> str:
    """Return the page of a folder with page.html.j2, page.css and page.js.

    The template extends frame.html.j2, whose style comes before that of the page. With `search`,
    search.js comes before the script of the page.
    """
    styles = (_FRAME / "frame.css", folder / "page.css")
    style = "".join(path.read_text("utf-8") for path in styles)
    scripts = (*((_FRAME / "search.js",) if search else ()), folder / "page.js")
    script = "".join(path.read_text("utf-8") for path in scripts)
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)};"
        " base-uri 'none'; form-action 'none'"
    )
    folders = [SourceFolder(folder), SourceFolder(_FRAME)]
    assets = {"script": script, "style": style, "policy": policy}
    page = render_html("page.html.j2", folders, {**context, **assets})
    return escape_controls(page, allow="\t\n")


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
