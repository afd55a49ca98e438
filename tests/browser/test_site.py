# SPDX-License-Identifier: GPL-2.0-or-later
"""The site of docs/ from the disk, as a reader without a network opens it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsing import fits, is_dark, list_findings, open_page, save_screenshot
from tests.support.site import build_site


@pytest.fixture(scope="module")
def site(prepared) -> Path:
    return build_site(prepared)


def search(browser: Browser, site: Path, words: str, **window: Any) -> Page:
    """Return the search page after somebody typed these words on it."""
    page = open_page(browser, site / "search.html", folder=site, **window)
    page.get_by_role("searchbox").fill(words)
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    return page


def list_results(page: Page) -> list[str]:
    return page.locator("ul.search a").all_inner_texts()


def test_a_search_leads_to_a_page_without_a_server(browser: Browser, site: Path):
    page = open_page(browser, site / "index.html", folder=site)
    page.get_by_role("textbox", name="Search").fill("reroll")
    page.keyboard.press("Enter")
    result = page.locator("ul.search").get_by_role("link", name="patchgen reroll", exact=True)
    result.click()
    page.wait_for_url(f"{(site / 'reference/patchgen-reroll.html').as_uri()}*")
    page.go_back()
    result.wait_for()
    save_screenshot(page, "site-search")
    assert page.reports == []


def test_a_result_is_a_section_with_an_excerpt_around_the_words(browser: Browser, site: Path):
    page = search(browser, site, "typedef")
    result = page.locator("ul.search li").filter(has_text="A first treewide change › Traps of SmPL")
    excerpt = result.locator("p").inner_text()
    assert "(typedef " in excerpt
    assert excerpt.startswith("… ") and excerpt.endswith(" …") and len(excerpt) < 300
    assert set(result.locator("mark").all_inner_texts()) == {"typedef"}
    result.get_by_role("link").click()
    page.wait_for_url("**/first-treewide-change.html#traps-of-smpl")
    assert page.locator("#traps-of-smpl .highlighted").first.inner_text() == "typedef"
    assert page.reports == []


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("[not-a-repository]", "Messages explained › not-a-repository"),
        ("--no-cache", "patchgen run › --no-cache"),
        ("run --SPLIT", "patchgen run › --split [tree|maintainer|subsystem|directory|file|none]"),
        ("review tag", "From v4 to merged › Collect review tags"),
        ("renames a call", "SmPL cookbook › Rename a call"),
        ("what is left", "A first treewide change › Find what is left"),
    ],
)
def test_the_best_result_is_first(browser: Browser, site: Path, words: str, first: str):
    assert list_results(search(browser, site, words))[0] == first


def test_a_word_with_another_ending_is_marked_as_a_whole(browser: Browser, site: Path):
    page = search(browser, site, "bare repositories")
    result = page.locator("ul.search li").first
    assert result.get_by_role("link").inner_text() == "Messages explained › bare-repository"
    assert set(result.locator("mark").all_inner_texts()) == {"bare", "repository"}


def test_a_word_that_no_page_has_is_named(browser: Browser, site: Path):
    page = search(browser, site, "frobnicate typedef")
    assert re.fullmatch(
        r"\d+ sections? (was|were) found\. No page has: frobnicate\.",
        page.get_by_role("status").inner_text(),
    )
    nothing = search(browser, site, "<frobnicate>()")
    assert nothing.get_by_role("status").inner_text() == (
        "Nothing was found. No page has: frobnicate."
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_results_can_be_read_by_everybody(browser: Browser, site: Path, scheme: str):
    page = search(browser, site, "--split", scheme=scheme, width=390)
    assert is_dark(page) == (scheme == "dark")
    assert fits(page)
    assert list_findings(page) == []
    save_screenshot(page, f"site-search-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["first-treewide-change", "reference/patchgen-run"])
def test_a_page_has_no_accessibility_faults(browser: Browser, site: Path, name: str, scheme: str):
    page = open_page(browser, site / f"{name}.html", scheme=scheme, folder=site)
    assert list_findings(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_site_follows_the_colour_scheme_and_fits_a_phone(
    browser: Browser, site: Path, scheme: str
):
    page = open_page(
        browser, site / "reference/patchgen-run.html", width=390, scheme=scheme, folder=site
    )
    assert is_dark(page) == (scheme == "dark")
    assert fits(page)
    save_screenshot(page, f"site-{scheme}")
    assert page.reports == []
