# SPDX-License-Identifier: GPL-2.0-or-later
"""Add the guides to the wheel, as text for `patchgen help`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GeneratedFiles(BuildHookInterface[Any]):
    """Files of the wheel that are not files of the package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the pages of docs/, but not what builds the site from them."""
        if version == "editable":
            return
        for page in sorted(Path(self.root, "docs").glob("*.md")):
            build_data["force_include"][str(page)] = f"patchgen/data/docs/{page.name}"
