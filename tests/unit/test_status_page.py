# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a series is one file, is reproducible, and escapes text from the tree."""

from __future__ import annotations

from tests.support import TOP
from tests.support.hostile_status import MARKUP, hostile_page
from tests.support.html import read_html


def test_names_from_the_tree_are_never_markup():
    page = hostile_page()
    reader = read_html(page)
    assert MARKUP not in page and page.count("&lt;img src=x") > 20
    assert reader.tags.count("script") == 1 and "img" not in reader.tags
    assert reader.handlers == []


def test_it_needs_nothing_but_itself():
    reader = read_html(hostile_page())
    archive = "https://lore.kernel.org/r/"
    assert all(reference.startswith(("#", archive)) for reference in reader.references)
    mails = [reference for reference in reader.references if reference.startswith(archive)]
    quoted = "%3Cimg%20src%3Dx%20onerror%3D%22document.title%3D1%22%3E@example.org"
    assert mails == [f"{archive}1-{quoted}", f"{archive}2@example.org", *[f"{archive}{quoted}"] * 2]
    assert not {"link", "iframe", "object", "embed"} & set(reader.tags)
    assert "url(" not in (TOP / "patchgen/status/templates/page.css").read_text()


def test_the_same_status_gives_the_same_page():
    assert hostile_page() == hostile_page()
