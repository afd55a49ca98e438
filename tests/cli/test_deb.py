# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package is built, and has what it needs. tools/deb-test installs it in a bare root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from patchgen.version import read_source_version
from tests.support import TOP
from tests.support.required import skip

PYTHON = Path("/usr/bin/python3").resolve()


def find_problem() -> str:
    """Return why the package cannot be built here, "" if it can."""
    if shutil.which("dpkg-checkbuilddeps") is None:
        return "dpkg-checkbuilddeps is not installed"
    check = subprocess.run(
        ["dpkg-checkbuilddeps"], cwd=TOP, check=False, capture_output=True, text=True
    )
    return check.stderr.strip()


@pytest.mark.slow
def test_the_debian_package_runs_from_its_own_folder(git, tmp_path):
    problem = find_problem()
    if problem:
        skip("deb", problem)
    sources = tmp_path / "sources"
    git(tmp_path, "clone", "-q", "--shared", TOP, sources)
    argv = ["dpkg-buildpackage", "--unsigned-changes", "--build=binary"]
    # Compression takes as long as the build.
    env = {**os.environ, "DPKG_DEB_COMPRESSOR_TYPE": "none"}
    built = subprocess.run(argv, cwd=sources, env=env, check=False, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    assert git(sources, "status", "--porcelain") == ""

    [deb] = tmp_path.glob("*.deb")
    version = read_source_version(TOP)
    fields = subprocess.run(
        ["dpkg-deb", "--field", deb, "Version", "Depends"], check=True, capture_output=True
    ).stdout.decode()
    assert f"Version: {version.replace('.dev', '~dev')}\n" in fields
    assert all(name in fields for name in ("coccinelle", "git-email", PYTHON.name))

    root = tmp_path / "root"
    subprocess.run(["dpkg-deb", "--extract", deb, root], check=True)
    files = [path for path in root.rglob("*") if path.is_file()]
    assert [path for path in files if bytes(tmp_path) in path.read_bytes()] == []
    assert (root / "usr/bin/patchgen").read_text().startswith(f"#!{PYTHON} -I\n")
    result = subprocess.run(
        # -s leaves out the packages of the user.
        [PYTHON, "-s", "-m", "patchgen", "show", "pvops"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root / "usr/lib/patchgen")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    completion = (
        "bash-completion/completions",
        "zsh/vendor-completions/",
        "fish/vendor_completions.d",
    )
    for folder in completion:
        [script] = (root / "usr/share" / folder).iterdir()
        assert "_PATCHGEN_COMPLETE" in script.read_text()
