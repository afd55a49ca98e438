# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures that several tests of real kernels share."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from patchgen.kernel.x86_boot import CONFIG_NEEDED, build_config_fragment
from patchgen.verify.boots import _PATTERNS
from tests.support.kernels import CACHE, check_out
from tests.support.required import skip


@pytest.fixture(autouse=True)
def grouped(request: pytest.FixtureRequest) -> None:
    """Require that builds run one after the other."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        message = "run kernel tests with --dist=loadgroup, and versions that support it"
        assert "@kernel" in request.node.nodeid, message


@pytest.fixture(autouse=True)
def cached(sealed_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all tests of real kernels, of this run and later ones, share patchgen's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(CACHE))


@pytest.fixture(scope="session")
def qemu() -> None:
    if shutil.which("qemu-system-x86_64") is None:
        skip("kernel", "apt-get install qemu-system-x86")


@pytest.fixture(scope="session")
def vmlinux_6_1(qemu: None, kernel_6_1: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Link the smallest kernel of Debian's 6.1 that boots, once per sources and compiler.

    To be read only; .config is next to it.
    """
    fragment = build_config_fragment(
        _read("git", "-C", kernel_6_1, "show", "master:arch/x86/Kconfig")
    )
    commit = _read("git", "-C", kernel_6_1, "rev-parse", "master")
    parts = "\0".join((fragment, commit, _read("gcc", "--version")))
    linked = CACHE / f"vmlinux-{hashlib.sha256(parts.encode()).hexdigest()[:16]}"
    if not linked.is_dir():
        folder = tmp_path_factory.mktemp("vmlinux")
        _link(kernel_6_1, fragment, folder)
        new = CACHE / f"{linked.name}.{os.getpid()}"
        new.mkdir(parents=True)
        for name in (".config", "vmlinux"):
            shutil.copy2(folder / "out" / name, new / name)
        new.rename(linked)
    config = (linked / ".config").read_text()
    for option in (*CONFIG_NEEDED, "INTEL_TDX_GUEST", "PVH"):
        assert f"CONFIG_{option}=y\n" in config
    return linked / "vmlinux"


def _link(kernel: Path, fragment: str, folder: Path) -> None:
    source, output = folder / "source", folder / "out"
    check_out(kernel, "master", _PATTERNS, source)
    (folder / "fragment").write_text(fragment)
    _make(source, output, f"KCONFIG_ALLCONFIG={folder / 'fragment'}", "allnoconfig")
    _make(source, output, "vmlinux")


def _read(*argv: str | Path) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def _make(source: Path, output: Path, *args: str) -> None:
    argv = ["make", "-s", f"O={output}", f"-j{os.cpu_count()}", *args]
    result = subprocess.run(argv, cwd=source, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
