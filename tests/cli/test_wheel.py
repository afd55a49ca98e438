# SPDX-License-Identifier: GPL-2.0-or-later
"""The sdist and the wheel of a commit: the same bytes everywhere, and all that a user needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from patchgen.version import read_source_version
from tests.support import TOP

pytestmark = pytest.mark.xdist_group("packages")

LATER = """
import datetime, time

now = time.time
localtime, gmtime, strftime = time.localtime, time.gmtime, time.strftime
time.time = lambda: now() + 1e7
time.localtime = lambda seconds=None: localtime(time.time() if seconds is None else seconds)
time.gmtime = lambda seconds=None: gmtime(time.time() if seconds is None else seconds)
time.strftime = lambda form, value=None: strftime(form, value or time.localtime())


class Later(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)


class LaterDate(datetime.date):
    @classmethod
    def today(cls):
        return cls.fromtimestamp(time.time())


datetime.datetime, datetime.date = Later, LaterDate
"""


def build(checkout: Path, folder: Path, **options: int | dict[str, str]) -> dict[str, Path]:
    """Build both packages with tools/dist, and return their paths by name."""
    # The Makefile names the Python of .venv by a relative path.
    argv = [checkout / "tools/dist", os.path.relpath(sys.executable), folder]
    subprocess.run(argv, check=True, capture_output=True, **options)
    return {path.name: path for path in folder.iterdir()}


def wheel_of(folder: Path) -> Path:
    [wheel] = folder.glob("*.whl")
    return wheel


def commit_time(git) -> str:
    return git(TOP, "log", "-1", "--format=%ct").strip()


@pytest.fixture(scope="module")
def packages(tmp_path_factory) -> Path:
    """Return a folder with the sdist and the wheel of HEAD."""
    folder = tmp_path_factory.mktemp("packages") / "dist"
    names = build(TOP, folder)
    version = read_source_version(TOP)
    assert sorted(names) == [f"patchgen-{version}-py3-none-any.whl", f"patchgen-{version}.tar.gz"]
    return folder


@pytest.fixture(scope="module")
def installed(packages, tmp_path_factory) -> Path:
    """Return a virtual environment with the wheel and what pip installs for it."""
    folder = tmp_path_factory.mktemp("env")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    argv = [folder / "bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*argv, wheel_of(packages)], check=True, capture_output=True)
    return folder


def test_the_packages_are_fit_for_an_index(packages):
    argv = [sys.executable, "-m", "twine", "--no-color", "check", "--strict", *packages.iterdir()]
    result = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert result.stdout.count("PASSED") == 2, result.stdout + result.stderr


def test_the_files_have_the_time_of_the_commit(packages, git):
    [path] = packages.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        assert {str(file.mtime) for file in sdist} == {commit_time(git)}


def test_place_time_umask_and_untracked_files_do_not_change_a_byte(packages, git, tmp_path):
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", "--shared", TOP, other)
    (other / "untracked").write_text("")
    (other / "README.md").write_text("edited")
    (tmp_path / "sitecustomize.py").write_text(LATER)
    env = {**os.environ, "PYTHONPATH": str(tmp_path), "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    again = build(other, tmp_path / "again", umask=0o077, env=env)
    for name, path in again.items():
        assert path.read_bytes() == (packages / name).read_bytes(), name


def test_the_sdist_builds_the_same_wheel(packages, git, tmp_path):
    [sdist] = packages.glob("*.tar.gz")
    subprocess.run(["tar", "-xzf", sdist, "-C", tmp_path], check=True)
    [folder] = tmp_path.iterdir()
    argv = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", tmp_path]
    env = {**os.environ, "SOURCE_DATE_EPOCH": commit_time(git)}
    subprocess.run(argv, cwd=folder, env=env, check=True, capture_output=True)
    assert wheel_of(tmp_path).read_bytes() == wheel_of(packages).read_bytes()


def test_a_wheel_in_an_empty_environment_makes_the_series(installed, toy, tmp_path):
    argv = [installed / "bin/patchgen", "apply", "--variant", "pvops", "--tree", toy, "--json"]
    result = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert len(document["patches"]) == 4
    assert len([mail for mail in document["mails"] if Path(mail).is_file()]) == 5


def test_an_installation_knows_its_version(installed, tmp_path):
    argv = [installed / "bin/patchgen", "--version"]
    result = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout == f"patchgen, version {read_source_version(TOP)}\n"


def test_an_installation_has_the_guides(installed, tmp_path):
    argv = [installed / "bin/patchgen", "help", "design"]
    result = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("# Design\n")


def test_an_installation_writes_a_variant_with_its_schema(installed, tmp_path):
    argv = [installed / "bin/patchgen", "new", "mine", "--rename", "a=b"]
    subprocess.run(argv, cwd=tmp_path, check=True)
    schema = (TOP / "patchgen/schemas/manifest.schema.json").read_text()
    assert (tmp_path / "mine/manifest.schema.json").read_text() == schema


def test_an_installation_has_manual_pages(installed):
    manual = installed / "share/man/man1/patchgen-apply.1"
    assert manual.read_text().startswith(".TH PATCHGEN\\-APPLY 1 ")


def test_an_installation_with_its_environment_is_smaller_than_150_megabytes(installed):
    files = [path for path in installed.rglob("*") if path.is_file()]
    assert 10e6 < sum(path.stat().st_size for path in files) < 150e6


def test_the_demo_installs_no_tools_for_development(tmp_path):
    def commands_of(target: str) -> str:
        argv = ["make", "--dry-run", target, f"VENV={tmp_path}"]
        return subprocess.run(argv, cwd=TOP, check=True, capture_output=True, text=True).stdout

    assert "--editable '.'" in commands_of("demo")
    assert "[dev]" not in commands_of("demo")
    assert "--editable '.[dev]'" in commands_of("test")
