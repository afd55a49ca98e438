# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package and the container have the programs that patchgen runs."""

from __future__ import annotations

import re

import pytest

from patchgen.cli.doctor import examine
from tests.support import TOP


@pytest.fixture
def remedies(tmp_path, monkeypatch) -> dict[bool, set[str]]:
    """Return the packages that `doctor` names on an empty machine: needed ones and others."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SPATCH", raising=False)
    packages: dict[bool, set[str]] = {True: set(), False: set()}
    for status in examine():
        packages[status.needed].update(re.findall(r"^apt-get install (\S+)$", status.remedy))
    return packages


def read_control(field: str) -> set[str]:
    text = (TOP / "debian/control").read_text()
    [value] = re.findall(rf"^{field}:\n((?: .*\n)+)", text, re.MULTILINE)
    return set(re.findall(r"^ ([\w.+-]+)", value, re.MULTILINE))


def test_the_debian_package_depends_on_what_apply_needs(remedies):
    assert {"git", "coccinelle"} <= remedies[True] <= read_control("Depends")


def test_the_debian_package_names_all_other_packages(remedies):
    assert {"bison", "libio-socket-ssl-perl"} <= remedies[False]
    named = set.union(*map(read_control, ("Depends", "Recommends", "Suggests")))
    assert remedies[False] <= named


def test_the_container_has_all_packages(remedies):
    installed = set((TOP / "Dockerfile").read_text().split()) | read_control("Depends")
    assert remedies[True] | remedies[False] <= installed
