#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rename ten functions, and compare what `patchgen run` changes and lists with what the tree has.

`benchmarks/leftovers.py TREE [FOLDER ...]`: a git repository of a kernel, and folders of it (all).
This file has its own code that removes comments and strings, and counts names and calls. If the run
does not list all names that are left in code, the others are printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

PATCHGEN = str(Path(sys.executable).parent / "patchgen")
NAMES = (
    "clk_prepare_enable",
    "device_property_read_u32",
    "dma_map_single",
    "gpiod_set_value_cansleep",
    "mod_timer",
    "of_node_put",
    "platform_get_irq",
    "pm_runtime_put_sync",
    "regmap_update_bits",
    "skb_queue_tail",
)
RULE = "@@\nexpression list es;\n@@\n- {name}(es)\n+ {name}_new(es)\n\n"
_PROSE = re.compile(
    rb"/\*.*?(?:\*/|\Z)|//(?:\\\n|[^\n])*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)
_NAME = re.compile(rb"\b(" + "|".join(NAMES).encode() + rb")\b(\s*\()?")
# Numbers by path and name.
Counts = Counter[tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("folders", nargs="*")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="patchgen-bench-") as folder:
        rule = Path(folder, "renames.cocci")
        rule.write_text("".join(RULE.format(name=name) for name in NAMES))
        result = run_patchgen(rule, options.tree, options.folders)
        clone = Path(folder, "clone.git")
        run(["git", "clone", "--quiet", "--shared", "--bare", str(options.tree), str(clone)])
        before = read_files(clone, "HEAD", options.folders)
        diff = "".join(edit["diff"] for edit in result["edits"])
        after = before | read_changed(clone, diff, [edit["path"] for edit in result["edits"]])
    listed = Counter(
        (place["path"], place["word"])
        for place in result["leftovers"]["places"]
        if place["is_code"]
    )
    table, unaccounted = compare(before, after, listed)
    Console(width=110).print(table)
    for path, name in sorted(unaccounted.elements()):
        print(f"{path}: {name}")
    sys.exit(bool(unaccounted))


def compare(
    before: dict[str, bytes], after: dict[str, bytes], listed: Counts
) -> tuple[Table, Counts]:
    """Return the table of the names, and the numbers of names that are left and not listed."""
    (_, calls_before), (names_after, calls_after) = count(before), count(after)
    unaccounted = names_after - listed
    table = Table(
        "rename of", "calls in code", "changed", "left", "names left", "listed", "unaccounted",
        box=box.SIMPLE,
    )  # fmt: skip
    sums = [
        {name: total(counts, name) for name in NAMES}
        for counts in (calls_before, calls_before - calls_after, calls_after, names_after, listed)
    ]
    for name in NAMES:
        values = [*(counts[name] for counts in sums), total(unaccounted, name)]
        table.add_row(name, *(f"{value:,}" for value in values))
    totals = [sum(counts.values()) for counts in sums]
    table.add_row("all", *(f"{value:,}" for value in [*totals, unaccounted.total()]))
    return table, unaccounted


def count(files: dict[str, bytes]) -> tuple[Counts, Counts]:
    """Return how often each file has each name in code, and how often with a parenthesis."""
    names: Counts = Counter()
    calls: Counts = Counter()
    for path, text in files.items():
        for match in _NAME.finditer(_PROSE.sub(b" ", text)):
            key = path, match[1].decode()
            names[key] += 1
            calls[key] += match[2] is not None
    return names, calls


def total(counts: Counts, name: str) -> int:
    return sum(number for (_, counted), number in counts.items() if counted == name)


def run_patchgen(rule: Path, tree: Path, folders: Iterable[str]) -> dict:
    argv = [PATCHGEN, "run", str(rule), *folders, "--tree", str(tree), "--json", "--no-cache"]
    [result] = json.loads(run(argv))["results"]
    return result


def read_files(clone: Path, commit: str, folders: Iterable[str]) -> dict[str, bytes]:
    """Return the C files that have one of the names, by path."""
    pattern = [arg for name in NAMES for arg in ("-e", name)]
    where = [f":(glob){folder}/**/*.{end}" for folder in folders or ["."] for end in "ch"]
    listed = run(["git", "grep", "-lzwF", *pattern, commit, "--", *where], clone)
    paths = [path.split(":", 1)[1] for path in listed.decode().split("\0")[:-1]]
    return read_contents(clone, {path: f"{commit}:{path}" for path in paths})


def read_changed(clone: Path, diff: str, paths: list[str]) -> dict[str, bytes]:
    """Return the files that a diff changes, with its changes."""
    index = {"GIT_INDEX_FILE": str(clone / "changed")}
    run(["git", "read-tree", "HEAD"], clone, env=index)
    run(["git", "apply", "--cached", "-"], clone, diff.encode(), index)
    return read_contents(clone, {path: f":{path}" for path in paths}, index)


def read_contents(
    clone: Path, names: dict[str, str], env: dict[str, str] | None = None
) -> dict[str, bytes]:
    """Return the contents of objects, named as in gitrevisions(7), by path."""
    listed = "".join(f"{name}\n" for name in names.values()).encode()
    output = run(["git", "cat-file", "--batch"], clone, listed, env)
    contents, at = {}, 0
    for path in names:
        end = output.index(b"\n", at)
        size = int(output[at:end].split()[2])
        contents[path] = output[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return contents


def run(
    argv: list[str], cwd: Path | None = None, stdin: bytes = b"", env: dict[str, str] | None = None
) -> bytes:
    environment = os.environ | (env or {})
    done = subprocess.run(
        argv, cwd=cwd, input=stdin, stdout=subprocess.PIPE, env=environment, check=True
    )
    return done.stdout


if __name__ == "__main__":
    main()
