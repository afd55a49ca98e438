# SPDX-License-Identifier: GPL-2.0-or-later
"""pip and the Debian package install what patchgen imports, and nothing else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support import TOP

# pydantic requires one exact version of it, and documents types that only it has.
PARTS_OF_OTHERS = {"pydantic-core": "pydantic"}


def imported_packages(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def locked_versions(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w-]+)==([\w.]+)", (TOP / lock).read_text(), re.MULTILINE))


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
    used = {normalize(origins[name][0]) for name in foreign}
    used = {PARTS_OF_OTHERS.get(name, name) for name in used}
    assert used == set(map(normalize, declared))


@pytest.mark.parametrize("lock", ["requirements.lock", "build-requirements.lock"])
def test_a_lock_file_has_hashes_and_no_addresses(lock):
    text = (TOP / lock).read_text()
    for entry in re.split(r"\n(?! )", text.strip()):
        name, *hashes = entry.split(" \\\n    ")
        assert re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; [^/\\]+)?", name)
        assert hashes
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", text) for text in hashes)


@pytest.mark.parametrize("lock", ["requirements.lock", "build-requirements.lock"])
def test_a_lock_file_has_what_pyproject_toml_requires(lock):
    tables = tomllib.loads((TOP / "pyproject.toml").read_text())
    required = (
        tables["project"]["dependencies"]
        if lock == "requirements.lock"
        else tables["build-system"]["requires"]
    )
    locked = locked_versions(lock)
    for requirement in map(Requirement, required):
        assert locked[normalize(requirement.name)] in requirement.specifier


def test_the_debian_copyright_names_the_licence_of_each_locked_package():
    text = (TOP / "debian/copyright").read_text()
    names = re.findall(r"^  ([a-z0-9-]+): \S", text, re.MULTILINE)
    assert names == sorted(locked_versions("requirements.lock"))
