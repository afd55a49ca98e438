# SPDX-License-Identifier: GPL-2.0-or-later
"""One name, one thing: no two classes of the package have the same name."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "patchgen"


def test_each_name_of_a_class_is_used_once() -> None:
    names = [
        node.name
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    assert len(names) > 300
    assert [name for name, count in Counter(names).items() if count > 1] == []
