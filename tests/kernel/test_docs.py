# SPDX-License-Identifier: GPL-2.0-or-later
"""Each command that the documentation shows on Debian's 6.1 works, and prints the shown output."""

from __future__ import annotations

import pytest

from tests.cli.test_docs import SESSIONS, environment
from tests.support.documents import run_session

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]


def test_each_command_on_a_real_kernel_works_as_shown(kernel_6_1, tmp_path, git):
    """The pages share one cache: they run the same semantic patch."""
    faults = []
    for session in SESSIONS:
        if session.tree == "6.1":
            folder = tmp_path / session.page
            folder.mkdir()
            git(folder, "clone", "-q", "--shared", "--no-checkout", kernel_6_1, "linux")
            faults += run_session(session, folder, environment(folder))
    assert not faults, "\n\n".join(faults)
