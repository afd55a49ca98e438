#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Time `patchgen run` on Debian's 6.1 against spatch and coccicheck, each with the same result.

Everything is measured in this one run, so compare the ratios. Nothing is asserted but that the
results are the same. `--scripts` times the kernel's own patch-mode scripts as well (hours: most of
it is spatch's), `--scripts NAME ...` only these. `--kinds` times rules of several kinds over the
whole of 6.12, `--kinds FOLDER ...` over some folders, and `--constraints` the names of a constraint
against the same names in a disjunction.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.coccicheck import changed_lines, check_out, coccicheck, list_scripts
from tests.support.kernels import clone_bare, kernel_tree

PATCHGEN = str(Path(sys.executable).parent / "patchgen")
RULE = """\
@@
expression x, size, flags;
@@
- x = kmalloc(size, flags);
+ x = kzalloc(size, flags);
  if (x == NULL) { ... return ...; }
- memset(x, 0, size);
"""
KINDS = {
    "statement pair with ...": (
        "@@\n@@\n- local_irq_disable();\n+ irq_off();\n  ...\n- local_irq_enable();\n+ irq_on();\n"
    ),
    "rename of a call": "@@\nexpression e;\n@@\n- del_timer(e)\n+ timer_delete(e)\n",
    "two statements to one call": (
        "@@\nexpression d, s;\n@@\n- spin_lock(s);\n- list_del(d);\n+ locked_del(s, d);\n"
    ),
    "#include line, 28 files": (
        "@@\n@@\n- #include <linux/of_gpio.h>\n+ #include <linux/of_gpios.h>\n"
    ),
    "#include line, 169 files": (
        "@@\n@@\n- #include <linux/of_device.h>\n+ #include <linux/of_devices.h>\n"
    ),
    "declarer macro, 12 files": (
        "@@\ndeclarer name DEFINE_SEMAPHORE, DEFINE_SEM;\nexpression a, b;\n@@\n"
        "- DEFINE_SEMAPHORE(a, b);\n+ DEFINE_SEM(a, b);\n"
    ),
    "declarer macro, 1,196 files": (
        "@@\ndeclarer name DEFINE_MUTEX, DEFINE_MTX;\nexpression a;\n@@\n"
        "- DEFINE_MUTEX(a);\n+ DEFINE_MTX(a);\n"
    ),
}
NAMES = ("strlcat", "strlcpy", "strscpy")
CALL = "expression a, b, c;\n@@\n- f(a, b, c)\n+ copy(a, b, c)\n"
CONSTRAINTS = {
    "disjunction": (
        "@@\nexpression a, b, c;\n@@\n(\n"
        + "|\n".join(f"- {name}(a, b, c)\n+ copy(a, b, c)\n" for name in NAMES)
        + ")\n"
    ),
    "f = {...}": f"@@\nidentifier f = {{{', '.join(NAMES)}}};\n{CALL}",
    'f =~ "^(...)$"': f'@@\nidentifier f =~ "^({"|".join(NAMES)})$";\n{CALL}',
}
# With these options, the result is that of plain spatch.
COMPARABLE = ("--macros", "none", "--no-style", "--no-headers", "--quiet")
SCRIPT_FOLDERS = ("drivers/net", "fs", "mm")
WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A U Thor"), ("EMAIL", "author@example.org"))
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scripts",
        nargs="*",
        metavar="NAME",
        help="the kernel's own scripts, one by one: all, or these",
    )
    parser.add_argument(
        "--kinds", nargs="*", metavar="FOLDER", help="rules of several kinds over 6.12, or folders"
    )
    parser.add_argument("--constraints", action="store_true", help="the names of a constraint")
    options = parser.parse_args()
    console = Console(width=100)
    with tempfile.TemporaryDirectory(prefix="patchgen-bench-") as folder:
        scratch = Path(folder)
        os.environ["XDG_CACHE_HOME"] = str(scratch / "cache")
        if options.kinds is not None:
            console.print(kinds(kernel_tree("6.12"), scratch, options.kinds))
        if options.constraints:
            console.print(constraints(kernel_tree("6.12"), scratch))
        if options.kinds is not None or options.constraints:
            return
        kernel = kernel_tree("6.1")
        rule = scratch / "zalloc.cocci"
        rule.write_text(RULE)
        console.print(whole_tree(kernel, rule, scratch))
        console.print(growth(kernel, rule, scratch))
        if options.scripts is not None:
            console.print(own_scripts(kernel, scratch, options.scripts))


def kinds(kernel: Path, scratch: Path, folders: Sequence[str]) -> Table:
    """Rules of several kinds, cold, against spatch."""
    table = Table("rule", "spatch", "patchgen", "ratio", box=box.SIMPLE, title="6.12")
    for name, text in KINDS.items():
        rule = scratch / "kind.cocci"
        rule.write_text(text)
        argv = ["spatch", "--very-quiet", "--sp-file", str(rule), "-j", "2", "--use-gitgrep"]
        spatch_time, printed = 0.0, ""
        for folder in folders or ["."]:
            seconds, diff = timed(lambda a=[*argv, "--dir", folder]: run(a, kernel))
            spatch_time, printed = spatch_time + seconds, printed + diff
        args = ["run", str(rule), *folders, "--tree", str(kernel), *COMPARABLE, "--no-cache"]
        patchgen_time, diff = timed(lambda a=args: patchgen(*a))
        differs = "" if changed_lines(printed) == changed_lines(diff) else " DIFFERS"
        ratio = f"{spatch_time / patchgen_time:.1f}{differs}"
        table.add_row(name, f"{spatch_time:.1f}", f"{patchgen_time:.1f}", ratio)
    return table


def constraints(kernel: Path, scratch: Path) -> Table:
    """The names of a constraint against the same names in a disjunction, in one folder."""
    table = Table("drivers/net/ethernet, 6.12", "seconds", "ratio", box=box.SIMPLE)
    times: list[float] = []
    for name, text in CONSTRAINTS.items():
        rule = scratch / "constraint.cocci"
        rule.write_text(text)
        args = ["run", str(rule), "drivers/net/ethernet", "--tree", str(kernel), *COMPARABLE]
        seconds, _ = timed(lambda a=args: patchgen(*a, "--no-cache"))
        times.append(seconds)
        table.add_row(name, f"{seconds:.1f}", f"{seconds / times[0]:.1f}")
    return table


def whole_tree(kernel: Path, rule: Path, scratch: Path) -> Table:
    """One rule over all .c files: cold, again, and after 100 changed files, against spatch."""
    clone = clone_bare(kernel, scratch / "linux.git")
    args = ["run", str(rule), "--tree", str(clone), *COMPARABLE]
    cold, diff = timed(lambda: patchgen(*args))
    runs = [timed(lambda: patchgen(*args)) for _ in range(5)]
    assert all(same == diff for _, same in runs)
    again = statistics.median(seconds for seconds, _ in runs)
    # Each tip changes the same 100 files of the base in another way.
    tips = [change_files(clone, 100, f"/* changed: {number} */") for number in range(3)]
    changed = statistics.median(
        timed(lambda tip=tip: patchgen(*args, "--base", tip))[0] for tip in tips
    )
    table = Table("kmalloc/memset rule, 6.1, all .c files", "seconds", "to cold", box=box.SIMPLE)
    table.add_row("patchgen run, cold", f"{cold:.1f}", "1")
    table.add_row("again, median of 5", f"{again:.2f}", f"{again / cold:.1%}")
    table.add_row("100 files changed, median of 3", f"{changed:.2f}", f"{changed / cold:.1%}")
    for name, options in (
        ("spatch --dir . -j2 --use-gitgrep", ["--use-gitgrep"]),
        ("coccicheck's spatch (-j2 --chunksize 1)", ["--use-gitgrep", "--chunksize", "1"]),
    ):
        argv = ["spatch", "--very-quiet", "--sp-file", str(rule), "--dir", ".", "-j", "2", *options]
        seconds, printed = timed(lambda argv=argv: run(argv, kernel))
        assert changed_lines(printed) == changed_lines(diff)
        table.add_row(name, f"{seconds:.1f}", f"{seconds / cold:.1f} times")
    table.add_row("peak of patchgen's own process", f"{max(peaks) // 1024} MB", "")
    return table


def growth(kernel: Path, rule: Path, scratch: Path) -> Table:
    """How the cost grows with the number of files."""
    table = Table("files", "cold", "again", box=box.SIMPLE, title="how it grows")
    listing = run(["git", "ls-tree", "-r", "HEAD"], kernel).splitlines()
    for count in (1_000, 5_000, 20_000, 80_000):
        step = max(1, len(listing) // count)
        chosen = "\n".join(listing[::step][:count]) + "\n"
        repository = clone_bare(kernel, scratch / f"part{count}.git")
        tip = commit_tree(repository, chosen)
        args = ["run", str(rule), "--tree", str(repository), "--base", tip, "--quiet"]
        # Other rows have the same blobs; another text of the rule makes the cache miss.
        rule.write_text(f"{RULE}// {count}\n")
        cold, _ = timed(lambda args=args: patchgen(*args))
        again, _ = timed(lambda args=args: patchgen(*args))
        table.add_row(f"{len(chosen.splitlines()):,}", f"{cold:.2f} s", f"{again:.2f} s")
    return table


def own_scripts(kernel: Path, scratch: Path, names: Sequence[str]) -> Table:
    """The kernel's patch-mode scripts over some folders, each against coccicheck's spatch.

    `names` are those of the scripts in question, without folder and ending; none means all.
    """
    tree = check_out(kernel, SCRIPT_FOLDERS, scratch / "checkout")
    table = Table("script", "spatch", "patchgen", "ratio", box=box.SIMPLE)
    ratios = []
    scripts = {
        Path(script.path).stem: script for script in list_scripts(tree) if "patch" in script.modes
    }
    if unknown := set(names).difference(scripts):
        sys.exit(f"no patch-mode script: {', '.join(sorted(unknown))}")
    for name in names or scripts:
        script = scripts[name]
        theirs, printed = timed(lambda s=script: coccicheck(tree, s, "patch", SCRIPT_FOLDERS))
        args = ["run", script.path, *SCRIPT_FOLDERS, "--tree", str(kernel), "--mode", "patch"]
        args += [*COMPARABLE, "--trust", "--no-cache"]
        ours, diff = timed(lambda args=args: patchgen(*args))
        same = "" if changed_lines(printed) == changed_lines(diff) else " DIFFERS"
        ratios.append(theirs / ours)
        # All of them take hours: an interrupted run has printed its results so far.
        print(f"{name}: {theirs:.1f} s, {ours:.1f} s{same}", file=sys.stderr, flush=True)
        table.add_row(name, f"{theirs:.1f}", f"{ours:.1f}", f"{ratios[-1]:.2f}{same}")
    table.add_row(f"median of {len(ratios)}", "", "", f"{statistics.median(ratios):.2f}")
    return table


def change_files(repository: Path, count: int, comment: str) -> str:
    """Commit a line more in some .c files all over the tree, and return the commit."""
    listing = run(["git", "ls-tree", "-r", "HEAD"], repository).splitlines()
    sources = [line for line in listing if line.endswith(".c")]
    changed = []
    for line in sources[:: len(sources) // count][:count]:
        head, path = line.split("\t")
        text = run(["git", "show", f"HEAD:{path}"], repository) + f"\n{comment}\n"
        oid = run(["git", "hash-object", "-w", "--stdin"], repository, text).strip()
        changed.append(f"{head.rsplit(' ', 1)[0]} {oid}\t{path}")
    paths = {line.split("\t")[1] for line in changed}
    unchanged = [line for line in listing if line.split("\t")[1] not in paths]
    return commit_tree(repository, "\n".join([*unchanged, *changed]) + "\n")


def commit_tree(repository: Path, listing: str) -> str:
    """Commit a tree with the files of a listing, and return the commit."""
    index = {"GIT_INDEX_FILE": str(repository / f"index-{len(listing)}")}
    run(["git", "update-index", "--index-info"], repository, listing, index)
    tree = run(["git", "write-tree"], repository, env=index).strip()
    return run(["git", "commit-tree", "-m", "part", tree], repository, env=WHO).strip()


def patchgen(*args: str) -> str:
    """Run patchgen, and record the peak memory of its own process, without its children."""
    with tempfile.TemporaryFile() as out:
        with subprocess.Popen([PATCHGEN, *args], stdout=out, stderr=subprocess.DEVNULL) as started:
            ended = threading.Event()
            watcher = threading.Thread(target=watch, args=(started.pid, ended))
            watcher.start()
            started.wait()
            ended.set()
            watcher.join()
        assert started.returncode == 0, args
        out.seek(0)
        return out.read().decode("latin-1")


peaks: list[int] = []


def watch(pid: int, ended: threading.Event) -> None:
    """Record the peak of a process until the caller has waited for it."""
    while not ended.wait(0.02):
        peaks.append(resident_peak(pid))


def resident_peak(pid: int) -> int:
    """Return the VmHWM of proc(5) in KiB, 0 if the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line), 0)


def run(argv: Sequence[str], cwd: Path, stdin: str = "", env: dict[str, str] | None = None) -> str:
    result = subprocess.run(
        argv,
        cwd=cwd,
        input=stdin.encode("latin-1"),
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, **(env or {})},
    )
    return result.stdout.decode("latin-1")


def timed(function: Callable[[], str]) -> tuple[float, str]:
    begin = time.monotonic()
    result = function()
    return time.monotonic() - begin, result


if __name__ == "__main__":
    main()
