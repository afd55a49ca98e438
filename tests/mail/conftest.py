# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of mails share: an SMTP server, a series to send, and b4 in two versions."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.required import skip
from tests.support.smtp import Server, serve

_V4 = "patchgen/pvops-v4"
_KVM = "arch/x86/kernel/kvm.c"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serve(tmp_path) as running:
        yield running


@pytest.fixture
def series(pvops: Path, git: Callable[..., str], server: Server) -> Path:
    """Return the toy tree with v4, its user's configuration, and a newer commit on master."""
    for key, value in {
        "sendemail.smtpServer": "127.0.0.1",
        "sendemail.smtpServerPort": str(server.port),
        "user.name": "Ada Übergang",
        "user.email": "ada@example.org",
    }.items():
        git(pvops, "config", key, value)
    (pvops / _KVM).write_text("/* newer */\n" + (pvops / _KVM).read_text())
    git(pvops, "commit", "-q", "-a", "-m", "newer")
    return pvops


def b4_programs() -> list[str]:
    """Return the b4 of the system (Debian 12 has 0.12) and that of our environment (0.16)."""
    return ["/usr/bin/b4", str(Path(sys.executable).parent / "b4")]


@pytest.fixture(params=b4_programs(), ids=["system", "environment"])
def b4(request: pytest.FixtureRequest) -> Callable[..., str]:
    """Run b4 in a folder and return what it prints. GIT_EDITOR and EDITOR are `editor`."""
    if not Path(request.param).is_file():
        skip("b4", f"{request.param} is missing: apt-get install b4")

    def run(tree: Path, *args: str | Path, editor: str = "false") -> str:
        path = f"{Path(request.param).parent}:{os.environ['PATH']}"
        result = subprocess.run(
            [request.param, *map(str, args)],
            cwd=tree,
            capture_output=True,
            check=False,
            text=True,
            # For "Press Enter to proceed".
            input="\n",
            env={**os.environ, "PATH": path, "GIT_EDITOR": editor, "EDITOR": editor},
        )
        assert result.returncode == 0 and "Traceback" not in result.stderr, (
            result.stderr + result.stdout
        )
        return result.stdout + result.stderr

    return run
