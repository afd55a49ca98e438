# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests that need a program or a package: skipped without it, unless the run requires them.

`PATCHGEN_REQUIRE=kernel,b4,chromium,deb,shells,manual` names the kinds of tests that must run.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

REQUIRED = frozenset(filter(None, os.environ.get("PATCHGEN_REQUIRE", "").split(",")))


def skip(kind: str, reason: str) -> NoReturn:
    """Skip a test with `KIND TEST NOT RUN: reason`; fail it if the run requires its kind."""
    text = f"{kind.upper()} TEST NOT RUN: {reason}"
    if kind in REQUIRED:
        pytest.fail(f"{text} (PATCHGEN_REQUIRE names {kind})")
    pytest.skip(text)
