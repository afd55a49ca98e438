# SPDX-License-Identifier: GPL-2.0-or-later
"""The version follows from git's tags, in checkouts, archives and packages."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from packaging.version import Version

from patchgen.cli.main import COMMANDS
from patchgen.version import find_version, read_source_version
from tests.support import TOP


@pytest.fixture
def checkout(git, tmp_path) -> Path:
    """Return a repository with two commits and the files that describe an archive."""
    top = tmp_path / "checkout"
    git(tmp_path, "init", "-q", top)
    for name in (".gitattributes", ".git_archival.txt"):
        shutil.copy(TOP / name, top)
    git(top, "add", ".")
    for subject in ("one", "two"):
        git(top, "commit", "-q", "--allow-empty", "-m", subject)
    return top


def unpack_archive(checkout: Path, folder: Path) -> Path:
    folder.mkdir()
    archive = subprocess.run(
        ["git", "-C", checkout, "archive", "HEAD"], check=True, capture_output=True
    )
    subprocess.run(["tar", "-xC", folder], input=archive.stdout, check=True)
    return folder


def test_a_checkout_without_a_tag_counts_all_commits(checkout, git):
    commit = git(checkout, "rev-parse", "HEAD")[:12]
    assert read_source_version(checkout) == f"0.1.0.dev2+g{commit}"


def test_a_tagged_commit_is_that_release_in_a_checkout_and_in_an_archive(checkout, git, tmp_path):
    git(checkout, "tag", "v1.2.9")
    assert read_source_version(checkout) == "1.2.9"
    assert read_source_version(unpack_archive(checkout, tmp_path / "archive")) == "1.2.9"


def test_commits_after_a_tag_sort_between_it_and_the_next_release(checkout, git, tmp_path):
    git(checkout, "tag", "-a", "-m", "Release", "v1.2.9", "HEAD~")
    # Only releases have tags of this form.
    git(checkout, "tag", "v1.3.0-rc1")
    commit = git(checkout, "rev-parse", "HEAD")[:12]
    version = read_source_version(checkout)
    assert version == f"1.2.10.dev1+g{commit}"
    assert Version("1.2.9") < Version(version) < Version("1.2.10")
    assert read_source_version(unpack_archive(checkout, tmp_path / "archive")) == version


def test_an_archive_of_a_commit_without_a_tag_names_the_commit(checkout, git, tmp_path):
    commit = git(checkout, "rev-parse", "HEAD")[:12]
    archive = unpack_archive(checkout, tmp_path / "archive")
    assert read_source_version(archive) == f"0.1.0.dev0+g{commit}"


def test_an_sdist_has_the_version_that_it_was_built_with(tmp_path):
    (tmp_path / "PKG-INFO").write_text(
        "Metadata-Version: 2.4\nName: patchgen\nVersion: 3.2.1\n\nVersion: 0\n"
    )
    shutil.copy(TOP / ".git_archival.txt", tmp_path)
    assert read_source_version(tmp_path) == "3.2.1"


@pytest.mark.parametrize("names", [(), (".git_archival.txt",)], ids=["no-file", "not-archived"])
def test_a_copy_without_git_is_a_development_version(tmp_path, names):
    for name in names:
        shutil.copy(TOP / name, tmp_path)
    assert read_source_version(tmp_path) == "0.1.0.dev0"


def test_a_repository_around_the_sources_does_not_set_the_version(checkout, git):
    git(checkout, "tag", "v7.0.0")
    inner = checkout / "inner"
    inner.mkdir()
    assert read_source_version(inner) == "0.1.0.dev0"


def test_the_version_survives_a_git_that_refuses_the_checkout(checkout, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "many")
    assert read_source_version(checkout) == "0.1.0.dev0"


def test_variables_of_git_do_not_lead_to_another_repository(checkout, git, tmp_path, monkeypatch):
    other = tmp_path / "other"
    git(tmp_path, "init", "-q", other)
    git(other, "commit", "-q", "--allow-empty", "-m", "one")
    git(other, "tag", "v7.0.0")
    git(checkout, "tag", "v1.2.9")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert read_source_version(checkout) == "1.2.9"


def test_the_changelog_begins_with_the_version_in_the_making():
    headings = re.findall(r"^## (\S+) \((.*)\)$", (TOP / "CHANGELOG.md").read_text(), re.MULTILINE)
    versions = [Version(version) for version, _ in headings]
    assert versions == sorted(set(versions), reverse=True)
    current = Version(find_version())
    # The first commit after a release begins the section of the next one.
    assert versions[0] > current if current.is_devrelease else versions[0] == current
    released = headings[1:] if current.is_devrelease else headings
    [debian] = re.findall(r"^patchgen \((.*?)\)", (TOP / "debian/changelog").read_text())
    assert debian == headings[0][0]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in released)


def test_the_changelog_names_each_command():
    text = (TOP / "CHANGELOG.md").read_text()
    named = re.findall(r"`(?:patchgen )?([a-z]+)\b[^`]*`", text)
    assert set(COMMANDS) <= set(named)
