# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps of a TDX guest when it shares pages or makes them private again.

The kernel's functions for that are cut out of a tree and compiled as a program that simulates page
tables, host and TDX module: tests/data/tdx/conversion.c.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.c_functions import read_functions, with_callees
from tests.support.kernels import clone_bare
from tests.support.prepared import WITHOUT_OP

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

PROGRAM = Path(__file__).parent.parent / "data" / "tdx" / "conversion.c"
BRANCH = "patchgen/pvops-v4"
BASES = {
    "6.1 without the op": ("kernel_6_1", WITHOUT_OP),
    "6.1": ("kernel_6_1", "master"),
    "6.12": ("kernel_6_12", "master"),
}
Run = Callable[..., list[str]]

# Name: frames, their new state, the answers of host and module, and the expected steps. The last
# lines are the return value, and the final state of the pages for host and module.
SHARE = "flush with caches", "page tables: shared", "flush"
PRIVATE = "page tables: private", "flush"
CASES: dict[str, tuple[str, str, str, list[str]]] = {
    "shared after the page tables": (
        "100,101,102",
        "shared",
        "",
        [*SHARE, "MapGPA shared 100000+3", "returns 0", "shared,shared,shared"],
    ),
    "private before the page tables": (
        "100,101",
        "private",
        "",
        [
            "MapGPA private 100000+2",
            "accept 100000 level 0",
            "accept 101000 level 0",
            *PRIVATE,
            "returns 0",
            "private,private",
        ],
    ),
    "a call for each run of frames": (
        "100,101,300",
        "shared",
        "",
        [
            *SHARE,
            "MapGPA shared 100000+2",
            "MapGPA shared 300000+1",
            "returns 0",
            "shared,shared,shared",
        ],
    ),
    "a part of a large mapping": (
        "2M:205",
        "shared",
        "",
        [*SHARE, "MapGPA shared 205000+3", "returns 0", "shared,shared,shared"],
    ),
    "the host does not share": (
        "100,101",
        "shared",
        "8000000000000000",
        [*SHARE, "MapGPA shared 100000+2", "WARNS", "returns -5", "private,private"],
    ),
    "the host does not share the second run": (
        "100,300",
        "shared",
        "-,8000000000000000",
        [
            *SHARE,
            "MapGPA shared 100000+1",
            "MapGPA shared 300000+1",
            "WARNS",
            "returns -5",
            "shared,private",
        ],
    ),
    "the host does not take back": (
        "100,101",
        "private",
        "8000000000000000",
        ["MapGPA private 100000+2", "WARNS", "returns -5", "shared,shared"],
    ),
    "the module does not accept": (
        "100,101",
        "private",
        "-,-,c000010000000001",
        [
            "MapGPA private 100000+2",
            "accept 100000 level 0",
            "accept 101000 level 0",
            "WARNS",
            "returns -5",
            "private,pending",
        ],
    ),
    "the second run is not accepted": (
        "100,300",
        "private",
        "-,-,-,c000010000000001",
        [
            "MapGPA private 100000+1",
            "accept 100000 level 0",
            "MapGPA private 300000+1",
            "accept 300000 level 0",
            "WARNS",
            "returns -5",
            "private,pending",
        ],
    ),
}


def find_ops(show: Callable[[str], str]) -> dict[str, str]:
    """Return the functions that TDX installs in pv_ops, by the names of their macros."""
    members = {
        "PREPARE": "prepare_page_enc_status_change",
        "NOTIFY": "notify_page_enc_status_changed",
    }
    source = show("coco/tdx/tdx.c")
    return {
        macro: re.search(rf"pv_ops\.mmu\.{member}\s*=\s*(\w+)", source)[1]
        for macro, member in members.items()
    }


def find_hooks(show: Callable[[str], str]) -> dict[str, str]:
    """Return the default functions and the types of the hooks, by the names of their macros."""
    defaults, types = show("kernel/x86_init.c"), show("include/asm/x86_init.h")
    hooks = {}
    for name in ("prepare", "finish"):
        hook = f"enc_status_change_{name}"
        hooks[f"NOOP_{name.upper()}"] = re.search(rf"\.{hook}\s*=\s*(\w+)", defaults)[1]
        hooks[f"HOOK_{name.upper()}"] = re.search(rf"(\w+) \(\*{hook}\)", types)[1]
    return hooks


def find_change(functions: Mapping[str, str]) -> str:
    """Return the function that changes the status of pages and calls the hooks."""
    [change] = [
        name
        for name, text in functions.items()
        if "__change_page_attr_set_clr(&cpa" in text and "enc_status_change_finish" in text
    ]
    return change


def build(repository: Path, revision: str, git, folder: Path, *options: str) -> Run:
    """Compile the code of a revision that changes the encryption status of pages in a TDX guest."""

    def show(path: str) -> str:
        return git(repository, "show", f"{revision}:arch/x86/{path}")

    ops, hooks = find_ops(show), find_hooks(show)
    simulated = PROGRAM.read_text()
    tdx = show("coco/tdx/tdx.c")
    set_memory = read_functions(show("mm/pat/set_memory.c"))
    change = find_change(set_memory)
    defaults = read_functions(show("kernel/x86_init.c"))
    roots = {*ops.values(), "tdx_tlb_flush_required", "tdx_cache_flush_required"}
    counter = re.search(r"^static atomic_long_t (\w+);$", tdx, re.MULTILINE)
    parts = [
        *re.findall(r"^int \w+_range_enc_\w+\([^;]*\);$", show("mm/mm_internal.h"), re.MULTILINE),
        *(defaults[hooks[f"NOOP_{name}"]] for name in ("PREPARE", "FINISH")),
        counter[0] if counter else "",
        with_callees(read_functions(tdx), roots, simulated),
        with_callees(
            set_memory,
            {change, "prepare_range_enc_status_change", "notify_range_enc_status_changed"},
            simulated,
        ),
    ]
    (folder / "made.c").write_text("\n".join(parts))
    values = {**ops, **hooks, "CHANGE": change} | ({"COUNTER": counter[1]} if counter else {})
    defines = [f"-D{name}={value}" for name, value in values.items()]
    flags = ["-std=gnu11", "-O1", "-Wall", "-Werror", "-Wno-unused-function", f"-I{folder}"]
    program = folder / "conversion"
    subprocess.run(["gcc", *flags, *defines, *options, PROGRAM, "-o", program], check=True)

    def run(*args: str) -> list[str]:
        result = subprocess.run([program, *args], capture_output=True, text=True, check=True)
        return result.stdout.splitlines()

    return run


@pytest.mark.parametrize(("kernel", "base"), BASES.values(), ids=BASES)
def test_pages_are_converted_in_the_order_of_tdx(kernel, base, request, patchgen, git, tmp_path):
    if base == WITHOUT_OP:
        repository = request.getfixturevalue("without_op")
    else:
        repository = clone_bare(request.getfixturevalue(kernel), tmp_path / "linux.git")
    args = ("--variant", "pvops", "--base", base, "-o", tmp_path / "out", "--tree", repository)
    result = patchgen("apply", *args, "--backend", "tdx")
    assert result.code == 0, result.err
    run = build(repository, BRANCH, git, tmp_path)

    warns = "WARN_ONCE" in (tmp_path / "made.c").read_text().partition("vmm_fail:")[2]
    for name, (frames, becomes, answers, expected) in CASES.items():
        output = run(frames, becomes, answers)
        counted = [output.pop()] if output[-1].startswith("counted") else []
        lines = [
            "WARN" if line == "WARNS" else line for line in expected if line != "WARNS" or warns
        ]
        assert output == lines, name
        if counted and "returns 0" in output:
            pages = len(output[-1].split(","))
            assert counted == [f"counted {pages if becomes == 'shared' else -pages}"], name

    # The simulation must notice if both directions are converted after the page tables.
    late = build(repository, BRANCH, git, tmp_path, "-DBOTH_LATE")
    assert "GUEST ENDS: private mapping of shared frame 100" in late("100", "private", "")
