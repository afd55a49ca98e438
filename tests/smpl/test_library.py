# SPDX-License-Identifier: GPL-2.0-or-later
"""patchgen.coccinelle, as another Python project uses it."""

from __future__ import annotations

import doctest
import subprocess
import sys

from patchgen import coccinelle

BELOW = {
    "controls",
    "counting",
    "ctokens",
    "errors",
    "linediff",
    "model",
    "model.leftover",
    "model.outcome",
    "model.smpl",
    "process",
    "scratch",
}


def test_the_example_in_the_documentation_works():
    failed, tried = doctest.testmod(coccinelle)
    assert (failed, tried > 5) == (0, True)


def test_all_of_it_is_used_without_the_rest_of_patchgen():
    program = (
        "import doctest, sys\n"
        "from patchgen import coccinelle\n"
        "assert not doctest.testmod(coccinelle).failed\n"
        "for name in coccinelle.__all__: getattr(coccinelle, name)\n"
        "print(*(name for name in sys.modules if name.startswith('patchgen.')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    others = {name.removeprefix("patchgen.") for name in done.stdout.split()}
    assert {name for name in others if name.split(".")[0] != "coccinelle"} <= BELOW
