# SPDX-License-Identifier: GPL-2.0-or-later
"""Pages that everybody can read: axe-core checks contrast, names, roles and keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from patchgen.audit import compare_audits, render_diff_page, render_page
from tests.support.browsing import open_page, save_screenshot
from tests.support.hostile_audit import hostile_audit
from tests.support.hostile_status import hostile_page
from tests.support.small_kernel import audit_files

PAGES: dict[str, Callable[[], str]] = {
    "audit": lambda: render_page(hostile_audit()),
    "audit-diff": lambda: render_diff_page(compare_audits(audit_files({}), hostile_audit())),
    "status": hostile_page,
}
SERIOUS = ("serious", "critical")


def list_findings(page: Page) -> list[str]:
    """Return the serious findings of axe-core, each with the elements that have it."""
    response = Axe().run(page).response
    assert response["passes"], "axe-core did not check anything"
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]}: {node['failureSummary']}"
        for violation in response["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_a_page(browser: Browser, tmp_path: Path, name: str, scheme: str):
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
