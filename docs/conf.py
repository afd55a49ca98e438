# SPDX-License-Identifier: GPL-2.0-or-later
"""Sphinx's configuration of the site: `make docs` builds it.

The pages of docs/ are read on git hosts, too, so their links to README.md and SECURITY.md are those
of the repository. The site has these two, and the command reference, as pages in docs/reference,
which are written here.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from pygments.lexer import RegexLexer
from pygments.token import Comment, Generic, Text
from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent
TOP = DOCS.parent
sys.path.insert(0, str(TOP))

from patchgen.version import find_version  # noqa: E402
from tools.manual import make_reference  # noqa: E402
from tools.site_search import connect_search  # noqa: E402

project = "patchgen"
version = release = find_version()
extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
# They would turn the two hyphens of an option into a dash.
smartquotes = False
exclude_patterns = ["pictures"]
templates_path = ["site"]
html_static_path = ["site/search.js"]
html_theme = "furo"
html_title = f"patchgen {release.partition('+')[0]}"
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False


class SmplLexer(RegexLexer):
    """A semantic patch: what it adds, what it removes, and where its rules begin."""

    name = "SmPL"
    tokens = {  # noqa: RUF012 (RegexLexer's type)
        "root": [
            (r"[ \t]*//.*\n", Comment),
            (r"@.*\n", Generic.Subheading),
            (r"\+.*\n", Generic.Inserted),
            (r"-.*\n", Generic.Deleted),
            (r".*\n", Text),
        ]
    }


def write_reference(app: Sphinx) -> None:
    """Write the pages of docs/reference; those that did not change keep their time."""
    folder = DOCS / "reference"
    folder.mkdir(exist_ok=True)
    pages = make_reference()
    for name in ("README.md", "SECURITY.md"):
        text = (TOP / name).read_text(encoding="utf-8").replace("](docs/", "](../")
        pages[name.lower()] = text.replace("](SECURITY.md", "](security.md")
    # Three pages would have the title patchgen.
    pages["readme.md"] = pages["readme.md"].replace("# patchgen\n", "# README\n", 1)
    for name, text in pages.items():
        page = folder / name
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def redirect_links(app: Sphinx, name: str, source: list[str]) -> None:
    """Let links to README.md and SECURITY.md lead to their pages on the site."""
    if "/" not in name:
        target = re.compile(r"\]\(\.\./(README|SECURITY)\.md")
        source[0] = target.sub(lambda match: f"](reference/{match[1].lower()}.md", source[0])


def complete_roles(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Add what readers without a mouse or a screen need, and Sphinx and Furo leave out."""
    if "body" in context:
        # A wide block is scrolled with the keys when it has the focus.
        context["body"] = context["body"].replace("<pre>", '<pre tabindex="0">')
    context["furo_navigation_tree"] = context["furo_navigation_tree"].replace(
        ' role="heading"', ' role="heading" aria-level="2"'
    )


def setup(app: Sphinx) -> None:
    """Let Sphinx call these functions."""
    app.add_lexer("smpl", SmplLexer)
    connect_search(app)
    app.connect("builder-inited", write_reference)
    app.connect("source-read", redirect_links)
    # After Furo, which makes the navigation tree.
    app.connect("html-page-context", complete_roles, priority=900)
