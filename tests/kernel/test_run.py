# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen run` on Debian's 6.1 has the results of spatch, with the kernel's own semantic patches.

The folders are small here; $PATCHGEN_COCCICHECK names others ("arch/x86 kernel mm drivers/net" is
an hour's work).
"""

from __future__ import annotations

import json
import os
import re
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
OPTIONS = ("--trust", "--no-cache", "--json")

# Reports that only one of the two prints, by semantic patch, mode and printer; nothing else may
# differ. N stands for a number: each update of the package moves lines.
#
# In kernel/module/main.c the mutex is unlocked between the lines, so these reports are false.
# spatch prints them only if it has read SYSCALL_DEFINE2(delete_module, ...) in the same file: it
# then reads the `&module_mutex` of other functions as something else. That function does not have
# the words of both rules, so it is not in the slice; with --no-slices, `run` prints the same as
# spatch.
#
# spatch does not finish kernel/bpf/verifier.c in the 200 s of coccicheck; within 1000 s it prints
# the report that `run` prints for the slice in a few seconds.
DIFFERENCES: dict[tuple[str, str, str], frozenset[str]] = {
    (f"{SCRIPTS}/locks/double_lock.cocci", "report", "coccicheck"): frozenset(
        {"kernel/module/main.c:N:N: second lock on line N"}
    ),
    (f"{SCRIPTS}/locks/mini_lock.cocci", "report", "coccicheck"): frozenset(
        {"kernel/module/main.c:N:N: preceding lock on line N"}
    ),
    (f"{SCRIPTS}/locks/mini_lock.cocci", "report", "run"): frozenset(
        {"kernel/bpf/verifier.c:N:N: preceding lock on line N"}
    ),
}


@pytest.fixture(scope="module")
def checkout(kernel_6_1: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return check_out(kernel_6_1, FOLDERS, tmp_path_factory.mktemp("coccicheck") / "linux")


@pytest.mark.parametrize("mode", ["patch", "report"])
def test_the_same_as_coccicheck(mode, checkout, kernel_6_1, patchgen):
    scripts = {script.path: script for script in list_scripts(checkout) if mode in script.modes}
    # As coccicheck: in the layout of spatch, without headers and without the macros of the tree.
    args = (*OPTIONS, "--macros", "none", "--no-style", "--no-headers", "--mode", mode)
    args += ("--tree", kernel_6_1)
    finished = patchgen("run", SCRIPTS, *FOLDERS, *args)
    assert finished.code == 0, finished.err
    document = json.loads(finished.out)
    results = {entry["semantic_patch"]: entry for entry in document["results"]}
    assert results.keys() == scripts.keys()
    for skipped in document["skipped"]:
        assert skipped["reason"] == f"{skipped['name']} has no {mode} mode"
    different = {
        path: lines
        for path, result in results.items()
        if (lines := compare(mode, scripts[path], checkout, result))
    }
    assert different == {}
    assert any(lines_of_result(mode, result) for result in results.values())


@pytest.mark.parametrize("mode", ["patch", "report"])
def test_the_macros_of_the_tree_only_add_results(mode, kernel_6_1, patchgen):
    def run(macros: str) -> dict[str, list[str]]:
        args = (*OPTIONS, "--macros", macros, "--mode", mode, "--tree", kernel_6_1)
        finished = patchgen("run", SCRIPTS, *FOLDERS, *args)
        assert finished.code == 0, finished.err
        results = json.loads(finished.out)["results"]
        return {result["semantic_patch"]: lines_of_result(mode, result) for result in results}

    plain, found = run("none"), run("tree")
    assert plain.keys() == found.keys()
    lost = {path: set(lines).difference(found[path]) for path, lines in plain.items()}
    assert not any(lost.values()), lost


def compare(mode: str, script: Script, checkout: Path, result: dict) -> dict:
    """Return the lines that only one of the two prints; nothing if they agree."""
    printed = lines_of(mode, coccicheck(checkout, script, mode, FOLDERS))
    found = lines_of_result(mode, result)
    expected = drop_accepted(printed, found, (script.path, mode, "coccicheck"))
    lines = drop_accepted(found, printed, (script.path, mode, "run"))
    if lines == expected:
        return {}
    return {
        "coccicheck only": [line for line in expected if line not in lines],
        "run only": [line for line in lines if line not in expected],
        "unfinished": result["unfinished"],
    }


def drop_accepted(lines: list[str], others: list[str], key: tuple[str, str, str]) -> list[str]:
    """Return the lines without those that the other program does not have to print."""
    accepted = DIFFERENCES.get(key, frozenset())
    return [line for line in lines if line in others or re.sub(r"\d+", "N", line) not in accepted]


def lines_of(mode: str, printed: str) -> list[str]:
    """Return the output of coccicheck without duplicates: changed lines, or reports.

    With -j it repeats the reports of a header for each file that includes it.
    """
    if mode == "patch":
        return changed_lines(printed)
    parsed = read_reports(printed)
    reports = {f"{r.path}:{r.line}:{r.column}: {r.text}" for r in parsed.reports}
    return sorted(reports) + parsed.other_text.splitlines()


def lines_of_result(mode: str, result: dict) -> list[str]:
    if mode == "patch":
        return changed_lines("".join(entry["diff"] for entry in result["edits"]))
    reports = {
        f"{entry['path']}:{entry['line']}:{entry['column']}: {entry['text']}"
        for entry in result["reports"]
    }
    return sorted(reports) + (result["output"] or "").splitlines()
