# SPDX-License-Identifier: GPL-2.0-or-later
"""Add the manual pages to the wheel, and the guides as text for `patchgen help`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GeneratedFiles(BuildHookInterface[Any]):
    """Files of the wheel that are not files of the package."""

    _folder: tempfile.TemporaryDirectory[str]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the manual pages; add them, and the pages of docs/.

        An editable install shows those of docs/, and has no manual pages.
        """
        self._folder = tempfile.TemporaryDirectory()
        if version == "editable":
            return
        for page in sorted(Path(self.root, "docs").glob("*.md")):
            build_data["force_include"][str(page)] = f"patchgen/data/docs/{page.name}"
        for name, source in self._make_man_pages().items():
            page = Path(self._folder.name, name)
            page.write_text(source, encoding="utf-8")
            build_data["shared_data"][str(page)] = f"share/man/man1/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the manual pages, which the wheel has now."""
        self._folder.cleanup()

    def _make_man_pages(self) -> dict[str, str]:
        # The package of this source, not one that is installed.
        sys.path.insert(0, self.root)
        try:
            from tools.manual import find_source_date, make_man_pages

            return make_man_pages(self.metadata.version, find_source_date())
        finally:
            sys.path.remove(self.root)
