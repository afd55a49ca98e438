#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Print the share of lines of code that spatch cannot parse, without and with the tree's macros.

`benchmarks/parse.py TREE [FOLDER ...]`: a git repository of a kernel, and folders of it. The lines
are those that `spatch --parse-c` counts as good and bad, in .c files. A file with macros is parsed
as `run` does in its second run; a line that either of the runs parses is not counted. A line is
identified by its number: stand-ins do not change the numbers of lines.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from rich import box
from rich.console import Console
from rich.table import Table

from patchgen.coccinelle import find_spatch
from patchgen.model.base import TreeFile
from patchgen.odb import Repository, list_files, read_contents
from patchgen.sweep.stand_ins import disguise
from patchgen.sweep.tree_macros import MacroFinder, add_hints, read_tree_macros

FOLDERS = ("kernel", "mm", "fs", "net", "drivers/gpio", "drivers/iio", "drivers/cxl")
AT_ONCE = 200
_COUNTS = re.compile(r"nb good = (\d+),  nb bad = (\d+)")
_FILE = re.compile(r"^PARSING: (.*)$", re.MULTILINE)
_BAD = re.compile(r"(?:bad: |BAD:!!!!! )(.*)", re.DOTALL)
# The numbers of the lines of each file that cannot be parsed.
BadLines = dict[str, set[int]]


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
    disguised: dict[tuple[str, str], dict[str, bytes]] = {}
    builtin = find_spatch().read_builtin_macros()
    for start in range(0, len(files), AT_ONCE):
        part = files[start : start + AT_ONCE]
        for file, text in zip(part, read_contents(repository, part), strict=True):
            found = finder.find(text, finder.find_headers(file.path, text))
            changed = disguise(text, found.uses)
            plain[str(file.path)] = text
            texts = disguised.setdefault(add_hints(builtin, found), {})
            texts[str(file.path)] = changed.text if changed else text
    counts, bad = parse(plain)
    still_bad: BadLines = {}
    for macros, texts in disguised.items():
        still_bad.update(parse({path: texts[path] for path in bad if path in texts}, *macros)[1])
    both = [
        f"{path}:{number}: {plain[path].decode('latin-1').split(chr(10))[number - 1]}"
        for path, numbers in still_bad.items()
        for number in sorted(numbers & bad[path])
    ]
    counts["in both"] = len(both)
    return counts, both


def parse(
    texts: Mapping[str, bytes], builtin_macros: str = "", macros: str = ""
) -> tuple[Counter[str], BadLines]:
    """Return how many lines spatch parses, and the numbers of the lines that it does not.

    `builtin_macros`, unless empty, replace those of spatch.
    """
    counts: Counter[str] = Counter()
    bad: BadLines = {}
    names = list(texts)
    for start in range(0, len(names), AT_ONCE):
        with tempfile.TemporaryDirectory(prefix="patchgen-bench-") as folder:
            Path(folder, "macros.h").write_text(macros)
            Path(folder, "builtin-macros.h").write_text(builtin_macros)
            files = {f"{number}.c": name for number, name in enumerate(names[start:][:AT_ONCE])}
            for file, name in files.items():
                Path(folder, file).write_bytes(texts[name])
            options = ["--macro-file-builtins", "builtin-macros.h"] if builtin_macros else []
            argv = [find_spatch().path, *options, "--macro-file", "macros.h", "--parse-c", *files]
            done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
        output = (done.stdout + done.stderr).decode("latin-1")
        good, unparsed = map(int, _COUNTS.findall(output)[-1])
        counts.update(good=good, bad=unparsed)
        pieces = _FILE.split(output)
        for file, printed in zip(pieces[1::2], pieces[2::2], strict=True):
            name = files[Path(file.strip()).name]
            if numbers := set(find_bad_lines(printed, texts[name])):
                bad[name] = numbers
    return counts, bad


def find_bad_lines(printed: str, source: bytes) -> Iterator[int]:
    """Yield the numbers of the lines that spatch printed as bad, which are parts of the source.

    The first line of each part is the last one of the code before it, which spatch does not count.
    The parts are in order, but spatch may go back to an earlier one.
    """
    lines = source.decode("latin-1").split("\n")
    at = 0
    for part in split_parts(printed):
        starts = (*range(at, len(lines)), *range(at))
        at = next(start for start in starts if lines[start : start + len(part)] == part)
        yield from range(at + 2, at + len(part) + 1)


def split_parts(printed: str) -> Iterator[Sequence[str]]:
    """Yield the lines of each part that spatch printed as bad."""
    part: list[str] = []
    for line in printed.split("\n"):
        if match := _BAD.match(line):
            part.append(match[1])
        elif part:
            yield part
            part = []
    if part:
        yield part


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
