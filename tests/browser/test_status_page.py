# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a campaign in Chromium: searched, filtered by stage, read on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from patchgen.status import Stage
from tests.support.browsing import fits, is_dark, open_page, save_screenshot
from tests.support.hostile_status import hostile_page


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "status.html"
    path.write_text(hostile_page(), encoding="utf-8")
    return path


def shown(page: Page) -> list[str]:
    """Return the stages of the patches that are shown."""
    rows = page.locator(".patches tbody tr:visible")
    return [row.get_attribute("data-stage") or "" for row in rows.all()]


def test_it_is_searched(browser, page_file):
    page = open_page(browser, page_file)
    assert shown(page) == [stage.value for stage in Stage]
    assert page.inner_text("#hits") == ""
    page.fill("#search", "NET: sent:")
    assert shown(page) == ["sent"] and page.inner_text("#hits") == "1 of 6"
    # A person whose name is folded, with the address, is found and unfolded.
    page.fill("#search", "eve@example.org")
    assert shown(page) == ["acked", "needed", "gone"]
    assert page.get_by_text("Eve Maintainer").first.is_visible()
    assert not page.get_by_text("drivers/acked/").first.is_visible()
    save_screenshot(page, "status-searched")
    page.fill("#search", "zoe")
    assert shown(page) == ["acked", "sent"]
    assert page.get_by_text("Zoe", exact=True).first.is_visible()
    page.fill("#search", "no such patch")
    assert shown(page) == [] and page.locator("#none").is_visible()
    page.focus("#search")
    page.keyboard.press("Escape")
    assert len(shown(page)) == 6 and not page.locator("#none").is_visible()
    assert not page.get_by_text("Eve Maintainer").first.is_visible()
    assert page.reports == []


def test_the_stages_are_chosen_by_click_and_by_keys(browser, page_file):
    page = open_page(browser, page_file)
    page.get_by_role("button", name="conflicts").click()
    assert shown(page) == ["conflicts"] and page.inner_text("#hits") == "1 of 6"
    page.get_by_role("button", name="acked").focus()
    page.keyboard.press("Space")
    assert shown(page) == ["acked", "conflicts"]
    page.fill("#search", "acked-by")
    assert shown(page) == ["acked"]
    page.get_by_role("button", name="acked").click()
    page.get_by_role("button", name="conflicts").click()
    page.fill("#search", "")
    assert len(shown(page)) == 6
    assert page.reports == []


def test_the_bar_has_a_part_for_each_stage(browser, page_file):
    page = open_page(browser, page_file)
    widths = [part.bounding_box()["width"] for part in page.locator(".bar rect").all()]
    assert len(widths) == len(Stage) and max(widths) - min(widths) < 1
    colors = page.evaluate(
        "Array.from(document.querySelectorAll('.bar rect'), (e) => getComputedStyle(e).fill)"
    )
    assert len(set(colors)) == len(Stage)


@pytest.mark.parametrize("width", range(320, 600, 20))
def test_a_number_in_the_title_is_on_the_line_of_its_noun(browser, page_file, width):
    page = open_page(browser, page_file, width=width)
    tops = page.evaluate(
        """() => {
            const text = document.querySelector("h1 .second").firstChild;
            return [0, text.length - 1].map((at) => {
                const range = document.createRange();
                range.setStart(text, at);
                range.setEnd(text, at + 1);
                return range.getBoundingClientRect().top;
            });
        }"""
    )
    assert tops[0] == tops[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser, page_file, scheme):
    page = open_page(browser, page_file, width=360, scheme=scheme)
    assert fits(page) and is_dark(page) == (scheme == "dark")
    for fold in page.locator("summary").all():
        fold.click()
    assert fits(page) and page.get_by_text("drivers/gone/").last.is_visible()
    page.fill("#search", "acked")
    save_screenshot(page, f"status-phone-{scheme}")
    # What a patch does not have takes no place.
    assert page.locator("td:empty:visible").count() == 0
    assert page.reports == []


def test_markup_in_a_name_is_not_executed(browser, page_file):
    page = open_page(browser, page_file)
    assert (
        page.title()
        == 'treewide: <img src=x onerror="document.title=1">: Rename it – 1 of 6 applied'
    )
    assert page.locator("img").count() == 0
    links = [link.get_attribute("href") or "" for link in page.locator("a").all()]
    assert all(link.startswith(("#", "https://lore.kernel.org/r/")) for link in links)
    assert len(links) == 5 and not any(set(link) & set('<>" ') for link in links)
    # The policy stops what a browser would read as markup.
    with page.expect_console_message() as refusal:
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=f()>')")
    assert "Content Security Policy" in refusal.value.text
