# SPDX-License-Identifier: GPL-2.0-or-later
"""Build the site of docs/, once per test run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import TOP
from tests.support.prepared import Prepared


def build_site(prepared: Prepared) -> Path:
    """Return the folder of the site; a warning of Sphinx is an error."""
    return prepared.make_once("site", _build) / "html"


def _build(folder: Path) -> None:
    """Build the site of a copy of docs/: conf.py writes pages there."""
    ignored = shutil.ignore_patterns("reference", "__pycache__")
    shutil.copytree(TOP / "docs", folder / "docs", ignore=ignored)
    for name in ("README.md", "SECURITY.md", "patchgen", "semantic-patches", "tools"):
        (folder / name).symlink_to(TOP / name)
    result = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", "html"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
