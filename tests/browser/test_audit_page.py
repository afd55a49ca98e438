# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of an audit in Chromium: searched, folded, read on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from patchgen.audit import render_page
from tests.support.browsing import fits, is_dark, open_page, save_screenshot
from tests.support.hostile_audit import hostile_audit


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "audit.html"
    path.write_text(render_page(hostile_audit()), encoding="utf-8")
    return path


# The right edge of the text of the widest row.
FARTHEST = """Math.max(...Array.from(document.querySelectorAll(".row:not(.away) text"),
    (text) => text.getBoundingClientRect().right))"""
# The rows whose text begins above the end of the row before.
OVERLAPS = """Array.from(document.querySelectorAll(".row:not(.away) text"),
    (text) => [text.textContent, text.getBoundingClientRect()])
    .filter(([, box], at, all) => at && box.top < all[at - 1][1].bottom)
    .map(([name]) => name)"""


def shown(page: Page) -> list[str]:
    """Return the names of the rows that are not folded away."""
    return page.locator(".row:not(.away) .name").all_text_contents()


def test_it_is_searched(browser, page_file):
    page = open_page(browser, page_file)
    page.fill("#search", "middle")
    assert page.inner_text("#hits") == "1 hit"
    assert page.locator(".row.hit .name").all_text_contents() == ["middle()"]
    page.keyboard.press("Enter")
    assert page.inner_text("#hits") == "1 of 1 hit"
    assert page.locator(".row:focus .name").text_content() == "middle()"
    page.fill("#search", "no such function")
    assert page.inner_text("#hits") == "0 hits"
    page.focus("#search")
    page.keyboard.press("Escape")
    assert page.inner_text("#hits") == "" and page.locator(".row.hit").count() == 0
    page.fill("#search", "kvm")
    page.click("#next")
    page.click("#next")
    assert page.inner_text("#hits").startswith("2 of ")
    page.locator("#graph").scroll_into_view_if_needed()
    save_screenshot(page, "audit-searched")
    assert page.reports == []


def test_it_is_folded_by_click_and_by_keys(browser, page_file):
    page = open_page(browser, page_file)
    page.click("#unfold")
    everything = shown(page)
    assert {"platform()", "middle()", "deep()"} <= set(everything)
    row = page.locator(".row", has=page.get_by_text("platform()", exact=True)).first
    row.locator(".name").first.click()
    assert row.get_attribute("aria-expanded") == "false"
    assert "middle()" not in shown(page) and "platform()" in shown(page)
    page.keyboard.press("ArrowRight")
    assert row.get_attribute("aria-expanded") == "true" and shown(page) == everything
    page.keyboard.press("ArrowLeft")
    assert "middle()" not in shown(page)
    # A search unfolds its hits, and folds them again after it.
    page.fill("#search", "deep")
    assert "deep()" in shown(page)
    page.fill("#search", "")
    assert "deep()" not in shown(page)
    save_screenshot(page, "audit-folded")
    assert page.reports == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser, page_file, scheme):
    page = open_page(browser, page_file, width=360, scheme=scheme)
    assert fits(page)
    page.click("#unfold")
    assert fits(page)
    # No row leaves the screen, and its name is complete.
    assert page.evaluate("drawing.scrollWidth <= drawing.clientWidth")
    assert page.evaluate(FARTHEST) <= page.evaluate("drawing.getBoundingClientRect().right")
    assert {"x86_64_start_kernel()", "deep()"} <= set(shown(page))
    page.locator("#graph").scroll_into_view_if_needed()
    save_screenshot(page, f"audit-phone-{scheme}")
    assert is_dark(page) == (scheme == "dark")


def test_rows_are_one_line_again_on_a_wide_screen(browser, page_file):
    page = open_page(browser, page_file, width=360)
    page.click("#unfold")
    narrow = page.evaluate("tree.getBoundingClientRect().height")
    # The page's policy forbids what wait_for_function() evaluates.
    broken = page.locator(".row tspan tspan[dy]").first
    broken.wait_for(state="attached")
    page.set_viewport_size({"width": 1280, "height": 800})
    broken.wait_for(state="detached")
    assert page.evaluate("tree.getBoundingClientRect().height") < narrow
    assert page.evaluate(OVERLAPS) == []
    page.set_viewport_size({"width": 360, "height": 800})
    broken.wait_for(state="attached")
    assert page.evaluate(OVERLAPS) == []
    assert page.reports == []


def test_markup_in_a_name_is_not_executed(browser, page_file):
    page = open_page(browser, page_file)
    assert page.title().startswith("2 early hypercalls bypass the op")
    assert page.locator("img").count() == 0
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=alert(1)>')")
    page.wait_for_timeout(200)
    # The policy that the page states stops what would have been taken for markup.
    assert any("Content Security Policy" in text for text in page.reports)


def test_a_link_to_a_folded_row_unfolds_its_parents(browser, page_file):
    page = open_page(browser, page_file)
    page.locator("a", has_text="in the graph").first.click()
    assert page.locator(".row:focus").count() == 1
    assert page.locator(".row:focus").is_visible()
