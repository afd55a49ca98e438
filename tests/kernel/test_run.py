# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen run` on Debian's 6.1: the same as spatch itself, by the kernel's own semantic patches.

The folders are small here; $PATCHGEN_COCCICHECK names others ("arch/x86 kernel mm drivers/net" is
an hour's work).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from patchgen.coccinelle import read_reports
from tests.support.coccicheck import (
    SCRIPTS,
    Script,
    changed_lines,
    check_out,
    coccicheck,
    list_scripts,
)

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

FOLDERS = os.environ.get("PATCHGEN_COCCICHECK", "kernel/irq").split()
# coccicheck gives it no value for its virtual identifier, with which it finds nothing.
NEEDS_VALUE = f"{SCRIPTS}/misc/add_namespace.cocci"

# Lines that only one of the two says, by semantic patch and mode. Nothing else may differ.
#
# In kernel/module/main.c the mutex is unlocked between the lines, so these reports are false. Only
# where spatch has read SYSCALL_DEFINE2(delete_module, ...) in the same file does it make them, and
# take the `&module_mutex` of other functions for something else. That function lacks the words of
# both rules, so it is not in the slice; with --no-slices `run` says the same as spatch.
#
# kernel/bpf/verifier.c is too much for spatch in the 200 s that coccicheck gives it; within 1000 s
# it makes the report that `run` makes of the slice in a few.
DIFFERENCES: dict[tuple[str, str], frozenset[str]] = {
    (f"{SCRIPTS}/locks/double_lock.cocci", "report"): frozenset(
        {
            "kernel/module/main.c:1161:2: second lock on line 1181",
            "kernel/module/main.c:2588:2: second lock on line 2601",
            "kernel/module/main.c:2900:2: second lock on line 2916",
        }
    ),
    (f"{SCRIPTS}/locks/mini_lock.cocci", "report"): frozenset(
        {
            "kernel/module/main.c:2627:2: preceding lock on line 2588",
            "kernel/bpf/verifier.c:15762:2: preceding lock on line 15562",
        }
    ),
}


@pytest.fixture(scope="module")
def checkout(kernel_6_1: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return check_out(kernel_6_1, FOLDERS, tmp_path_factory.mktemp("coccicheck") / "linux")


@pytest.mark.parametrize("mode", ["patch", "report"])
def test_the_same_as_coccicheck(mode, checkout, kernel_6_1, patchgen):
    scripts = {script.path: script for script in list_scripts(checkout) if mode in script.modes}
    words = ("--mode", mode, "--trust", "--no-cache", "--json", "--tree", kernel_6_1)
    done = patchgen("run", SCRIPTS, *FOLDERS, *words)
    assert done.code == 0, done.err
    document = json.loads(done.out)
    results = {each["semantic_patch"]: each for each in document["results"]}
    assert results.keys() == scripts.keys() - {NEEDS_VALUE}
    skipped = {each["name"]: each["reason"] for each in document["skipped"]}
    for name, reason in skipped.items():
        needs_value = name in scripts
        assert reason == f"{name} " + (
            "needs a value for ns" if needs_value else f"has no {mode} mode"
        )
    different = {
        path: lines
        for path, result in results.items()
        if (lines := compare(mode, scripts[path], checkout, result))
    }
    assert different == {}
    assert any(lines_of_result(mode, result) for result in results.values())


def compare(mode: str, script: Script, checkout: Path, result: dict) -> dict:
    """Return what only one of the two says, nothing where both say the same."""
    known = DIFFERENCES.get((script.path, mode), frozenset())
    printed = lines_of(mode, coccicheck(checkout, script, mode, FOLDERS))
    expected = [line for line in printed if line not in known]
    lines = [line for line in lines_of_result(mode, result) if line not in known]
    if lines == expected:
        return {}
    return {
        "coccicheck only": [line for line in expected if line not in lines],
        "run only": [line for line in lines if line not in expected],
        "unfinished": result["unfinished"],
    }


def lines_of(mode: str, printed: str) -> list[str]:
    """Return what coccicheck says: changed lines, or reports, each once.

    With -j it repeats what headers have for each file that includes them.
    """
    if mode == "patch":
        return changed_lines(printed)
    output = read_reports(printed)
    reports = {f"{each.path}:{each.line}:{each.column}: {each.text}" for each in output.reports}
    return sorted(reports) + output.other_text.splitlines()


def lines_of_result(mode: str, result: dict) -> list[str]:
    if mode == "patch":
        return changed_lines("".join(each["diff"] for each in result["edits"]))
    reports = {
        f"{each['path']}:{each['line']}:{each['column']}: {each['text']}"
        for each in result["reports"]
    }
    return sorted(reports) + (result["output"] or "").splitlines()
