# SPDX-License-Identifier: GPL-2.0-or-later
"""Audits of real kernels, made once in a test run by the program itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tests.support import TOP
from tests.support.kernels import CACHE


@cache
def audit_kernel(tree: Path, *args: str) -> dict[str, Any]:
    """Return the document of `patchgen audit --json`."""
    result = subprocess.run(
        [sys.executable, "-m", "patchgen", "audit", "--tree", str(tree), "--json", *args],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(CACHE),
            "XDG_CACHE_HOME": str(CACHE),
            "LC_ALL": "C",
            "PYTHONPATH": str(TOP),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
        },
    )
    assert result.returncode == 0, result.stderr[-3000:]
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def list_early(document: dict[str, Any]) -> set[str]:
    """Return the names of all functions in the window of an audit."""
    return {name for names in document["window"]["functions"].values() for name in names}
