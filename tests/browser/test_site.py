# SPDX-License-Identifier: GPL-2.0-or-later
"""The site of docs/ from the disk, as a reader without a network opens it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import fits, is_dark, list_findings, open_page, save_screenshot
from tests.support.site import build_site


@pytest.fixture(scope="module")
def site(prepared) -> Path:
    return build_site(prepared)


def test_the_search_works_without_a_server(browser: Browser, site: Path):
    page = open_page(browser, site / "index.html", folder=site)
    page.get_by_role("textbox", name="Search").fill("conflicts")
    page.keyboard.press("Enter")
    result = page.locator("ul.search").get_by_role("link", name="patchgen reroll", exact=True)
    result.click()
    page.wait_for_url(f"{(site / 'reference/patchgen-reroll.html').as_uri()}*")
    page.go_back()
    result.wait_for()
    save_screenshot(page, "site-search")
    assert page.reports == []


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
