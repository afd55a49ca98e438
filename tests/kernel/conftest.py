# SPDX-License-Identifier: GPL-2.0-or-later
"""What several tests of real kernels use, made once."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from patchgen.kernel.x86_boot import CONFIG_NEEDED, config_fragment
from patchgen.verify.boots import _PATTERNS
from tests.support.kernels import CACHE, REQUIRED, check_out


@pytest.fixture(autouse=True)
def grouped(request: pytest.FixtureRequest) -> None:
    """See that builds do not get into each other's way."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        message = "run kernel tests with --dist=loadgroup, and versions that know it"
        assert "@kernel" in request.node.nodeid, message


@pytest.fixture(autouse=True)
def cached(sealed_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all tests of real kernels, of this run and later ones, share patchgen's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE))


@pytest.fixture(scope="session")
def qemu() -> None:
    if shutil.which("qemu-system-x86_64") is None:
        if "kernel" in REQUIRED:
            pytest.fail("kernel tests are required, but there is no qemu-system-x86_64")
        pytest.skip("KERNEL TEST NOT RUN: apt-get install qemu-system-x86")


@pytest.fixture(scope="session")
def vmlinux_6_1(qemu: None, kernel_6_1: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Link Debian's 6.1 as small as it goes and boots. To be read only; .config is beside it."""
    folder = tmp_path_factory.mktemp("vmlinux")
    source, output = folder / "source", folder / "out"
    check_out(kernel_6_1, "master", _PATTERNS, source)
    fragment = folder / "fragment"
    fragment.write_text(config_fragment((source / "arch/x86/Kconfig").read_text()))
    _make(source, output, f"KCONFIG_ALLCONFIG={fragment}", "allnoconfig")
    config = (output / ".config").read_text()
    for option in (*CONFIG_NEEDED, "INTEL_TDX_GUEST", "PVH"):
        assert f"CONFIG_{option}=y\n" in config
    _make(source, output, "vmlinux")
    return output / "vmlinux"


def _make(source: Path, output: Path, *words: str) -> None:
    argv = ["make", "-s", f"O={output}", f"-j{os.cpu_count()}", *words]
    done = subprocess.run(argv, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
