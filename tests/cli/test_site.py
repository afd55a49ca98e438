# SPDX-License-Identifier: GPL-2.0-or-later
"""`make docs` has no warning; the site has all pages, and needs no network."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from tests.support import TOP
from tests.support.commands import read_commands
from tests.support.documents import PAGES
from tests.support.site import build_site

# Attributes with an address that a browser loads; that of <a> is only followed by a click.
LOADED = re.compile(r"<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)=\"([^#\"][^\"]*)")


@pytest.fixture(scope="module")
def site(prepared) -> Path:
    return build_site(prepared)


def test_the_site_has_each_page_and_each_command(site: Path):
    guides = {f"{page.stem}.html" for page in PAGES if page.parent.name == "docs"}
    assert guides <= {path.name for path in site.iterdir()}
    for name, command in read_commands().items():
        page = (site / "reference" / f"patchgen-{name}.html").read_text(encoding="utf-8")
        text = html.unescape(re.sub(r"<[^>]+>", "", page))
        for part in (*command.examples, *command.examples.values(), "--help"):
            assert part in text


def test_links_to_the_readme_lead_to_its_page(site: Path):
    index = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="reference/readme.html"' in index and 'href="reference/security.html"' in index
    readme = (site / "reference" / "readme.html").read_text(encoding="utf-8")
    assert 'href="../first-series.html"' in readme and 'href="security.html"' in readme


def test_a_page_loads_only_files_of_the_site(site: Path):
    addresses = set()
    for page in site.rglob("*.html"):
        for address in LOADED.findall(page.read_text(encoding="utf-8")):
            file = (page.parent / address.partition("?")[0].partition("#")[0]).resolve()
            assert file.is_file() and file.is_relative_to(site.resolve()), (page, address)
            addresses.add(file.name)
    assert {"furo.css", "search.js", "sections.js"} <= addresses
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", style.read_text())


def test_a_semantic_patch_is_coloured_as_one(site: Path):
    page = (site / "reference" / "readme.html").read_text(encoding="utf-8")
    assert re.search(r'<span class="gu">@drop_check@\s*</span>', page)
    assert re.search(r'<span class="gd">-if \(dev != NULL\)\s*</span>', page)


def test_the_search_has_each_section_and_each_option_with_its_anchor(site: Path):
    script = (site / "sections.js").read_text(encoding="utf-8")
    sections = json.loads(script.removeprefix("setSections(").removesuffix(");\n"))
    for page, anchor, *_ in sections:
        source = (site / f"{page}.html").read_text(encoding="utf-8")
        assert not anchor or f'id="{anchor}"' in source, (page, anchor)
    found = {(page, title) for page, _, _, title, _ in sections}
    codes = re.findall(r"^### (.+)", (TOP / "docs/messages.md").read_text(encoding="utf-8"), re.M)
    assert {("messages", code) for code in codes} < found
    for name, command in read_commands().items():
        options = {title for page, title in found if page == f"reference/patchgen-{name}"}
        assert options > {"Description", "Options"}
        for option in command.params:
            if option.param_type_name == "option" and not option.hidden:
                assert any(option.opts[-1] in title for title in options), (name, option.opts)


def test_the_search_has_each_text_once(site: Path):
    script = (site / "sections.js").read_text(encoding="utf-8")
    assert script.count("Ignore cached results.") == 1
    # Comments are for tests of the pages.
    assert "SPDX" in script and "tree: toy" not in script
