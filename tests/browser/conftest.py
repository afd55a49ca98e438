# SPDX-License-Identifier: GPL-2.0-or-later
"""Chromium, which opens the pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.required import skip

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        skip("chromium", "apt-get install chromium")
    with sync_playwright() as playwright:
        # Chromium's sandbox does not start for root, which CI is; the page is our own.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()
