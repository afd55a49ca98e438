# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages that everybody can read: axe-core checks contrast, names, roles and keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from patchgen.audit import compare_audits, render_diff_page, render_page
from tests.support import hostile_report
from tests.support.browsing import list_findings, open_page, save_screenshot
from tests.support.hostile_audit import hostile_audit
from tests.support.hostile_status import hostile_page
from tests.support.small_kernel import audit_files

PAGES: dict[str, Callable[[], str]] = {
    "audit": lambda: render_page(hostile_audit()),
    "audit-diff": lambda: render_diff_page(compare_audits(audit_files({}), hostile_audit())),
    "report": hostile_report.hostile_page,
    "status": hostile_page,
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_accessibility_faults(
    browser: Browser, tmp_path: Path, name: str, scheme: str
):
    path = tmp_path / f"{name}.html"
    path.write_text(PAGES[name](), encoding="utf-8")
    page = open_page(browser, path, scheme=scheme)
    # What is folded is not checked.
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    save_screenshot(page, f"{name}-{scheme}")
    assert list_findings(page) == []


def test_a_fault_is_found(browser: Browser, tmp_path: Path):
    path = tmp_path / "faulty.html"
    path.write_text("<html lang=en><title>a</title><main><p style='color: #ddd'>pale</main>")
    [finding] = list_findings(open_page(browser, path))
    assert finding.startswith("color-contrast")
