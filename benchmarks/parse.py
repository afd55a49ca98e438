#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Print the share of lines of code that spatch cannot parse, without and with the tree's macros.

`benchmarks/parse.py TREE [FOLDER ...]`: a git repository of a kernel, and folders of it. The lines
are those that `spatch --parse-c` counts as good and bad, in .c files. A file with macros is parsed
as `run` does in its second run; a line that either of the runs parses is not counted.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from rich import box
from rich.console import Console
from rich.table import Table

from patchgen.model.base import TreeFile
from patchgen.odb import Repository, list_files, read_contents
from patchgen.sweep.stand_ins import disguise
from patchgen.sweep.tree_macros import MacroFinder, read_tree_macros

FOLDERS = ("kernel", "mm", "fs", "net", "drivers/gpio", "drivers/iio", "drivers/cxl")
AT_ONCE = 200
_COUNTS = re.compile(r"nb good = (\d+),  nb bad = (\d+)")
_FILE = re.compile(r"^PARSING: (.*)$", re.MULTILINE)
_BAD = re.compile(r"^(?:bad: |BAD:!!!!! )(.*)$")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("folders", nargs="*", default=FOLDERS)
    parser.add_argument(
        "--left", type=int, default=0, metavar="N", help="list N places that remain"
    )
    options = parser.parse_args()
    # spatch recurses over the tokens of a file.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_STACK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    repository = Repository(options.tree)
    tree = repository.resolve_tree(repository.resolve_commit("HEAD"))
    shared = read_tree_macros(repository, tree)
    finder = MacroFinder(repository, tree, shared)
    table = Table("folder", "lines", "unparsed", "with macros", "", box=box.SIMPLE)
    sums: Counter[str] = Counter()
    for folder in options.folders:
        files = list_files(repository, tree, [PurePosixPath(folder)], (".c",))
        counts, places = count_lines(repository, finder, files)
        sums.update(counts)
        table.add_row(*format_row(folder, counts))
        for place in places[: options.left]:
            print(place)
    if len(options.folders) > 1:
        table.add_row(*format_row("all", sums))
    repository.close()
    Console(width=100).print(table)


def count_lines(
    repository: Repository, finder: MacroFinder, files: list[TreeFile]
) -> tuple[Counter[str], list[str]]:
    """Return the numbers of lines, and what cannot be parsed with macros, either."""
    plain: dict[str, bytes] = {}
    disguised: dict[str, dict[str, bytes]] = {}
    for start in range(0, len(files), AT_ONCE):
        part = files[start : start + AT_ONCE]
        for file, text in zip(part, read_contents(repository, part), strict=True):
            found = finder.find(text, finder.find_headers(file.path, text))
            changed = disguise(text, found.uses)
            plain[str(file.path)] = text
            disguised.setdefault(found.hints, {})[str(file.path)] = (
                changed.text if changed else text
            )
    counts, bad = parse(plain, "")
    still_bad: dict[str, Counter[str]] = {}
    for hints, texts in disguised.items():
        still_bad.update(parse({path: texts[path] for path in bad if path in texts}, hints)[1])
    both = [
        f"{path}: {line}"
        for path, lines in still_bad.items()
        for line in (lines & bad[path]).elements()
    ]
    counts["in both"] = len(both)
    return counts, both


def parse(texts: Mapping[str, bytes], hints: str) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """Return how many lines spatch parses, and the lines of each file that it does not."""
    counts: Counter[str] = Counter()
    bad: dict[str, Counter[str]] = {}
    names = list(texts)
    for start in range(0, len(names), AT_ONCE):
        with tempfile.TemporaryDirectory(prefix="patchgen-bench-") as folder:
            macros = Path(folder, "macros.h")
            macros.write_text(hints)
            files = {f"{number}.c": name for number, name in enumerate(names[start:][:AT_ONCE])}
            for file, name in files.items():
                Path(folder, file).write_bytes(texts[name])
            argv = ["spatch", "--macro-file", str(macros), "--parse-c", *files]
            done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
        output = (done.stdout + done.stderr).decode("latin-1")
        good, unparsed = map(int, _COUNTS.findall(output)[-1])
        counts.update(good=good, bad=unparsed)
        pieces = _FILE.split(output)
        for file, text in zip(pieces[1::2], pieces[2::2], strict=True):
            lines = Counter(m[1] for line in text.splitlines() if (m := _BAD.match(line)))
            if lines:
                bad[files[Path(file.strip()).name]] = lines
    return counts, bad


def format_row(folder: str, counts: Counter[str]) -> tuple[str, ...]:
    total = counts["good"] + counts["bad"]
    in_both = counts["in both"]
    return (
        folder,
        f"{total:,}",
        f"{counts['bad'] / (total or 1):.2%}",
        f"{in_both / (total or 1):.2%}",
        f"{in_both:,} lines",
    )


if __name__ == "__main__":
    sys.exit(main())
