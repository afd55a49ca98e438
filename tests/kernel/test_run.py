"""`patchgen run` on Debian's 6.1: the same as spatch itself, by the kernel's own semantic patches.

The folders are small here; $PATCHGEN_COCCICHECK names others ("arch/x86 kernel mm drivers/net" is
an hour's work).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from patchgen.coccinelle import read_said
from tests.support.coccicheck import changed_lines, check_out, coccicheck, list_scripts

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

FOLDERS = os.environ.get("PATCHGEN_COCCICHECK", "kernel/irq mm/kasan").split()

# Where the result is not coccicheck's, and why. Nothing else may differ.
DIFFERENCES: dict[tuple[str, str], str] = {}


@pytest.fixture(scope="module")
def checkout(kernel_6_1: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return check_out(kernel_6_1, FOLDERS, tmp_path_factory.mktemp("coccicheck") / "linux")


@pytest.mark.parametrize("mode", ["patch", "report"])
def test_the_same_as_coccicheck(mode, checkout, kernel_6_1, patchgen):
    scripts = [script for script in list_scripts(checkout) if mode in script.modes]
    assert len(scripts) > 35
    different = {}
    found = 0
    for script in scripts:
        expected = lines_of(mode, coccicheck(checkout, script, mode, FOLDERS))
        words = ("--mode", mode, "--trust", "--no-kept", "--json", "--tree", kernel_6_1)
        done = patchgen("run", script.path, *FOLDERS, *words)
        assert done.code == 0, done.err
        [result] = json.loads(done.out)["results"]
        lines = lines_of_result(mode, result)
        found += len(lines)
        if lines != expected:
            different[script.path] = {
                "coccicheck only": [line for line in expected if line not in lines],
                "run only": [line for line in lines if line not in expected],
                "unfinished": result["unfinished"],
            }
    explained = {path for path, of_mode in DIFFERENCES if of_mode == mode}
    assert {path: each for path, each in different.items() if path not in explained} == {}
    assert found > 0


def lines_of(mode: str, printed: str) -> list[str]:
    """Return what coccicheck says: changed lines, or reports, each once.

    With -j it repeats what headers have for each file that includes them.
    """
    if mode == "patch":
        return changed_lines(printed)
    said = read_said(printed)
    reports = {f"{each.path}:{each.line}:{each.column}: {each.text}" for each in said.reports}
    return sorted(reports) + said.rest.splitlines()


def lines_of_result(mode: str, result: dict) -> list[str]:
    if mode == "patch":
        return changed_lines("".join(each["diff"] for each in result["edits"]))
    reports = {
        f"{each['path']}:{each['line']}:{each['column']}: {each['text']}"
        for each in result["reports"]
    }
    return sorted(reports) + (result["output"] or "").splitlines()
