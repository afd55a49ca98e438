# SPDX-License-Identifier: GPL-2.0-or-later
"""Open an HTML page in a browser, and look at it.

The screenshots are saved in $PATCHGEN_ARTEFACTS, by default `.artefacts` at the project's top.
"""

from __future__ import annotations

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.support import TOP

ARTEFACTS = Path(os.environ.get("PATCHGEN_ARTEFACTS") or TOP / ".artefacts")
_SERIOUS = ("serious", "critical")


def open_page(
    browser: Browser,
    path: Path,
    *,
    width: int = 1280,
    scheme: str = "light",
    folder: Path | None = None,
) -> Page:
    """Return the page; its `reports` are the messages of its console and its failed requests.

    A request for anything but the page itself, or a file in `folder`, fails.
    """

    def is_allowed(address: str) -> bool:
        in_folder = folder is not None and address.startswith(f"{folder.as_uri()}/")
        return in_folder or address == path.as_uri()

    page = browser.new_page(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.set_default_timeout(10_000)
    page.reports = []  # type: ignore[attr-defined]
    page.on("console", lambda message: page.reports.append(message.text))  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.reports.append(str(error)))  # type: ignore[attr-defined]
    page.route(
        "**/*",
        lambda route: route.continue_() if is_allowed(route.request.url) else route.abort(),
    )
    page.on("requestfailed", lambda request: page.reports.append(request.url))  # type: ignore[attr-defined]
    page.goto(path.as_uri())
    return page


def save_screenshot(page: Page, name: str) -> None:
    """Save a screenshot; an empty window would make a smaller file."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    path = ARTEFACTS / f"{name}.png"
    page.screenshot(path=path)
    assert path.stat().st_size > 5_000


def is_dark(page: Page) -> bool:
    """Return whether the text is lighter than its background."""
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    return _sum_up(ink) > _sum_up(paper)


def fits(page: Page) -> bool:
    """Return whether the page is not wider than the window."""
    return bool(page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"))


def list_findings(page: Page) -> list[str]:
    """Return the serious findings of axe-core, each with the elements that have it."""
    response = Axe().run(page).response
    assert response["passes"], "axe-core did not check anything"
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]}: {node['failureSummary']}"
        for violation in response["violations"]
        if violation["impact"] in _SERIOUS
        for node in violation["nodes"]
    ]


def _sum_up(color: str) -> int:
    return sum(int(part) for part in color[4:-1].split(","))
