#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Time `patchgen apply` on a full kernel against its parts and against the manual way.

Debian's 6.1 with the op taken out is the base; everything is measured in this one run, so compare
the ratios: the machine's own speed cancels out. Nothing is asserted.
"""

from __future__ import annotations

import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.kernels import clone_bare, kernel_tree

RUNS = 7
PATCHGEN = str(Path(sys.executable).parent / "patchgen")
WITHOUT_OP = Path(__file__).parent.parent / "tests/semantic-patches/without-op"
BASE = "pre-pvops"
WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A U Thor"), ("EMAIL", "author@example.org"))
}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="patchgen-bench-") as folder:
        scratch = Path(folder)
        repository = clone_bare(kernel_tree("6.1"), scratch / "linux.git")
        args = ["apply", "--tree", str(repository), "--quiet"]
        run(
            [
                PATCHGEN,
                *args,
                "--variant",
                str(WITHOUT_OP),
                "--branch",
                BASE,
                "-o",
                str(scratch / "without"),
            ]
        )
        apply = [
            PATCHGEN,
            *args,
            "--variant",
            "pvops",
            "--base",
            BASE,
            "--signoff",
            "--force",
            "-o",
            str(scratch / "outgoing"),
        ]
        saved = save_spatch_runs(apply, scratch)

        whole, peaks = [], []
        spatch, maintainers = [], []
        for _ in range(RUNS):
            # In turn, so that a slow moment of the machine affects all of them.
            seconds, peak = run_and_watch(apply)
            whole.append(seconds)
            peaks.append(peak)
            # spatch -o ends with 255 if the rule matches nothing in the file.
            spatch.append(timed(lambda: [run(argv, cwd, ok=(0, 255)) for cwd, argv in saved]))
            maintainers.append(time_maintainers(repository, scratch))
        manual = [time_manual_way(repository, scratch, saved) for _ in range(2)]
        helps = [timed(lambda: run([PATCHGEN, "--help"])) for _ in range(2 * RUNS)]
        count = len(run(["git", "-C", str(repository), "ls-tree", "-r", BASE]).splitlines())
    report(count, len(saved), whole, spatch, maintainers, manual, helps, peaks)


def run(argv: list[str], cwd: Path | None = None, ok: tuple[int, ...] = (0,)) -> bytes:
    result = subprocess.run(
        argv, cwd=cwd, capture_output=True, check=False, env={**os.environ, **WHO}
    )
    if result.returncode not in ok:
        sys.exit(f"{shlex.join(argv)}: {result.stderr.decode()}")
    return result.stdout


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def run_and_watch(argv: list[str]) -> tuple[float, int]:
    """Return wall seconds, and the peak memory in KiB of the process itself, not its children."""
    begin = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, env={**os.environ, **WHO})
    peak = 0
    while process.poll() is None:
        try:
            status = Path(f"/proc/{process.pid}/status").read_text()
        except OSError:
            break
        for line in status.splitlines():
            if line.startswith("VmHWM:"):
                peak = max(peak, int(line.split()[1]))
        time.sleep(0.005)
    if process.wait() != 0:
        sys.exit(f"{shlex.join(argv)} failed")
    return time.perf_counter() - begin, peak


def save_spatch_runs(apply: list[str], scratch: Path) -> list[tuple[Path, list[str]]]:
    """Return the folder and argv of each spatch run of an apply, to run spatch alone again."""
    saved = scratch / "spatch-runs"
    saved.mkdir()
    wrapper = scratch / "spatch"
    wrapper.write_text(
        '#!/bin/bash\n[ "$1" = --version ] && exec spatch --version\n'
        f'to=$(mktemp -d {saved}/$(date +%s%N)-XXXXXX) && cp -r . "$to/cwd"\n'
        'printf "%s\\0" "$@" > "$to/argv"\nexec spatch "$@"\n'
    )
    wrapper.chmod(0o755)
    os.environ["SPATCH"] = str(wrapper)
    run(apply)
    del os.environ["SPATCH"]
    spatch = shutil.which("spatch") or "spatch"
    return [
        (run_folder / "cwd", [spatch, *(run_folder / "argv").read_text().split("\0")[:-1]])
        for run_folder in sorted(saved.iterdir())
    ]


def time_maintainers(repository: Path, scratch: Path) -> float:
    """Run get_maintainer.pl once for each mail, one after the other."""
    folder = scratch / "maintainers"
    if not folder.is_dir():
        (folder / "scripts").mkdir(parents=True)
        for name in ("MAINTAINERS", "scripts/get_maintainer.pl"):
            text = run(["git", "-C", str(repository), "show", f"{BASE}:{name}"])
            (folder / name).write_bytes(text)
    mails = sorted((scratch / "outgoing").glob("v4-000[1-9]*.patch"))
    script = [
        "perl",
        "scripts/get_maintainer.pl",
        "--no-tree",
        "--no-git",
        "--no-git-fallback",
        "--roles",
        "--no-rolestats",
    ]
    return timed(lambda: [run([*script, str(mail)], cwd=folder) for mail in mails])


def time_manual_way(repository: Path, scratch: Path, saved: list[tuple[Path, list[str]]]) -> float:
    """git worktree add, spatch --in-place for each rule, git commit, git format-patch."""
    tree = scratch / "manual"
    git = ["git", "-C", str(tree)]
    files = run(["git", "-C", str(repository), "diff", "--name-only", BASE, "patchgen/pvops-v4"])
    paths = {Path(path).name: path for path in files.decode().split()}

    def by_hand() -> None:
        run(["git", "-C", str(repository), "worktree", "add", "-q", "--detach", str(tree), BASE])
        for cwd, argv in saved:
            if argv[-1] not in paths:
                continue
            macros = str(cwd / "patchgen-macros.h")
            run(
                [
                    argv[0],
                    "--very-quiet",
                    "--no-includes",
                    "--macro-file",
                    macros,
                    "--in-place",
                    "--sp-file",
                    str(cwd / "patchgen.cocci"),
                    str(tree / paths[argv[-1]]),
                ]
            )
            # Several rules make one patch; one commit per rule that changed something is close.
            if run([*git, "status", "--porcelain", "--untracked-files=no"]):
                run([*git, "commit", "-q", "-a", "-m", "step"])
        run([*git, "format-patch", "-q", "--cover-letter", "-o", str(scratch / "by-hand"), BASE])

    seconds = timed(by_hand)
    run(["git", "-C", str(repository), "worktree", "remove", "--force", str(tree)])
    return seconds


def report(
    files: int,
    spatch_runs: int,
    whole: list[float],
    spatch: list[float],
    maintainers: list[float],
    manual: list[float],
    helps: list[float],
    peaks: list[int],
) -> None:
    console = Console(width=110)
    table = Table("measured", "median", "min to max", "target", box=box.SIMPLE_HEAD)

    def row(name: str, values: list[float], target: str = "") -> float:
        middle = statistics.median(values)
        table.add_row(name, f"{middle:.3f} s", f"{min(values):.3f} to {max(values):.3f}", target)
        return middle

    limit = 2 * statistics.median(spatch) + statistics.median(maintainers)
    row("patchgen apply, start to mails", whole, f"<= {limit:.3f} s (2x spatch + get_maintainer)")
    row(f"its {spatch_runs} spatch runs, bare, one by one", spatch)
    row("get_maintainer.pl for each mail", maintainers)
    row("the manual way", manual, ">= 5x apply")
    row("patchgen --help", helps, "<= 0.150 s")
    console.print(f"Linux 6.1 without the op, {files} files, {RUNS} runs, {os.cpu_count()} CPUs")
    console.print(table)
    ours = [w / (2 * s + m) for w, s, m in zip(whole, spatch, maintainers, strict=True)]
    console.print(
        f"apply / (2x spatch + get_maintainer), pair by pair: "
        f"median {statistics.median(ours):.2f}, "
        f"{min(ours):.2f} to {max(ours):.2f} (target <= 1)"
    )
    ratio = statistics.median(manual) / statistics.median(whole)
    console.print(f"manual way / apply: {ratio:.1f} (target >= 5)")
    console.print(f"peak memory of the Python process: {max(peaks) / 1024:.0f} MB (target < 120)")


if __name__ == "__main__":
    main()
