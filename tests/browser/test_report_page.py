# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a report in Chromium: searched, walked by keys, folded, printed, read on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.browsing import fits, is_dark, open_page, save_screenshot
from tests.support.hostile_report import hostile_page


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(hostile_page(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page whose diffs are folded at first."""
    path = tmp_path_factory.mktemp("page") / "long.html"
    path.write_text(hostile_page(30), encoding="utf-8")
    return path


# The number of pixels by which the widest line of a diff exceeds its box.
WIDEST = """Math.max(...Array.from(document.querySelectorAll(".diff > *"),
    (line) => line.scrollWidth - line.clientWidth))"""


def focused(page: Page) -> str | None:
    """Return the id of the patch whose heading has the focus."""
    return page.evaluate("document.activeElement.closest('.patch')?.id")


def test_keys_move_the_focus_from_patch_to_patch(browser, page_file):
    page = open_page(browser, page_file)
    ids = []
    for key in ("j", "j", "k", "j", "j", "j"):
        page.keyboard.press(key)
        ids.append(focused(page))
    assert ids == ["patch-1", "patch-2", "patch-1", "patch-2", "patch-3", "patch-3"]
    top = page.evaluate("document.activeElement.getBoundingClientRect().top")
    assert 0 <= top < 800
    page.keyboard.press("/")
    page.keyboard.type("rea2@ j")
    assert page.input_value("#search") == "rea2@ j" and page.inner_text("#hits") == "0 of 3"
    assert page.locator("#none").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.type("rea2@")
    assert page.inner_text("#hits") == "1 of 3"
    # Only patches that are shown are walked.
    page.locator("h1").click()
    page.keyboard.press("k")
    assert focused(page) == "patch-2"
    for key in ("j", "k", "/", "Esc"):
        assert page.locator("kbd", has_text=key).first.is_visible()
    save_screenshot(page, "report-searched")
    assert page.reports == []


def test_a_search_unfolds_a_diff_and_folds_it_again(browser, long_file):
    page = open_page(browser, long_file)
    diffs = page.locator(".diff:visible")
    assert diffs.count() == 1  # the range-diff
    page.fill("#search", "new(b); rea7@")
    assert page.inner_text("#hits") == "1 of 30"
    page.locator("#patch-7 .diff").first.wait_for(state="visible")
    page.fill("#search", "")
    assert diffs.count() == 1
    page.click("#unfold")
    assert diffs.count() == 61
    page.click("#fold")
    assert diffs.count() == 1
    assert page.reports == []


def test_folded_parts_are_printed(browser, long_file):
    page = open_page(browser, long_file)
    folded = page.locator("details:not([open])").count()
    assert folded > 90
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator(".tools").is_visible()
    assert page.locator("#patch-30 .diff").first.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == folded


def test_each_line_has_its_number_and_its_rule(browser, page_file):
    page = open_page(browser, page_file)
    assert "all changed lines: rename" in page.inner_text("#patch-1 > p.place")
    assert page.locator("#patch-1 .diff .origin").count() == 0
    assert "edited by hand: code" in page.inner_text("#patch-2 > p.place")
    origins = [text.strip() for text in page.locator("#patch-2 .diff .origin").all_inner_texts()]
    assert origins == ["rename", *["edited by hand"] * 3]
    added = page.locator("#patch-2 .added").first
    assert added.inner_text().strip() == "+new(b);" and added.get_attribute("data-n") == "2"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser, page_file, scheme):
    page = open_page(browser, page_file, width=360, scheme=scheme)
    assert fits(page) and is_dark(page) == (scheme == "dark")
    assert page.evaluate(WIDEST) <= 0
    page.locator("#patch-1").scroll_into_view_if_needed()
    save_screenshot(page, f"report-phone-{scheme}")
    assert page.reports == []


def test_markup_in_code_is_not_executed(browser, page_file):
    page = open_page(browser, page_file)
    assert page.title() == 'treewide: <img src=x onerror="document.title=1">: Rename it – version 2'
    assert page.locator("img").count() == 0
    with page.expect_console_message() as refusal:
        page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=f()>')")
    assert "Content Security Policy" in refusal.value.text
