# SPDX-License-Identifier: GPL-2.0-or-later
"""`pip install patchgen` installs what patchgen imports, and nothing else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.support import TOP


def imported_packages(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def normalize(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_dependencies_are_what_patchgen_imports():
    imported = {
        name for path in (TOP / "patchgen").rglob("*.py") for name in imported_packages(path)
    }
    foreign = imported - sys.stdlib_module_names - {"patchgen"}
    origins = packages_distributions()
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *project["optional-dependencies"]["dask"]]
    assert {normalize(origins[name][0]) for name in foreign} == set(map(normalize, declared))
