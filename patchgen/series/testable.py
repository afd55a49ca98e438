# SPDX-License-Identifier: GPL-2.0-or-later
"""Find out which checks of `patchgen verify` a tree has the files for, and how to record a test."""

from __future__ import annotations

import shlex
from collections.abc import Collection

from patchgen.model.base import TreeReader

# The checks by the file that they need: a kernel is configured by its Kconfig, then built.
FILES_OF_CHECKS = {
    "scripts/checkpatch.pl": ("checkpatch",),
    "Kconfig": ("sections", "build", "code"),
}
_BY_HAND = (
    'replace "not yet" in the line Tested: of the cover letter with what you tested; '
    "`git rebase -i` or `b4 prep --edit-cover` opens it"
)


def find_absent_files(tree: TreeReader) -> list[str]:
    """Return those of the files that checks need and a tree does not have."""
    present = {str(file.path) for file in tree.find(list(FILES_OF_CHECKS))}
    return [name for name in FILES_OF_CHECKS if name not in present]


def skip_impossible(absent: Collection[str]) -> list[str]:
    """Return the options of `verify` that skip the checks which need one of the absent files."""
    skipped = [check for file in absent for check in FILES_OF_CHECKS[file]]
    return [arg for check in skipped for arg in ("--skip", check)]


def advise_testing(series: str, absent: Collection[str]) -> str:
    """Return how to test a series on a base without some files, and how to record that."""
    if len(absent) == len(FILES_OF_CHECKS):
        return f"its base has no {' and no '.join(absent)} to test them with: {_BY_HAND}"
    args = ["patchgen", "verify", "--record", series, *skip_impossible(absent)]
    return f"`{shlex.join(args)}` tests them, and records that in the letter"


def advise_recording(absent: Collection[str], skipped: Collection[str]) -> str:
    """Return what to do if the `skipped` checks left nothing to record."""
    possible = [
        check
        for file, checks in FILES_OF_CHECKS.items()
        for check in checks
        if file not in absent and check in skipped and check in ("checkpatch", "build")
    ]
    # The base may not build, or have other faults, so there is always a way without the checks.
    return (f"do not skip {' and '.join(possible)}; or " if possible else "") + _BY_HAND
