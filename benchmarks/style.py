#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Count what checkpatch finds in the lines that 20 semantic patches make in folders of 6.12.

Renames, changes of arguments, and replaced calls: for each, the findings of spacing, indentation
and alignment (`checkpatch.pl --strict` of the tree, ERROR and CHECK) in the lines that `patchgen
run` makes, in those that spatch prints, and in those that they replace: the same diff reversed.
Fails if a semantic patch makes more findings than there were before. `--verbose` lists these.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.support.kernels import kernel_tree

PATCHGEN = str(Path(sys.executable).parent / "patchgen")
FOLDERS = (
    "drivers/gpio",
    "drivers/iio/adc",
    "drivers/net/ethernet/intel/ice",
    "drivers/net/ethernet/intel/igb",
    "fs/ext4",
    "kernel/time",
    "sound/core",
)
# Of checkpatch.pl's types, those of white space.
WHITE_SPACE = re.compile(
    r"CODE_INDENT|LEADING_SPACE|TRAILING_WHITESPACE|PARENTHESIS_ALIGNMENT|OPEN_ENDED_LINE|SPACING"
    r"|SPACE_BEFORE_TAB|TABSTOP|SUSPECT_CODE_INDENT|DEEP_INDENTATION|POINTER_LOCATION"
    r"|BRACKET_SPACE|FUNCTION_WITHOUT_ARGS|SWITCH_CASE_INDENT_LEVEL|LABEL_INDENT"
    r"|RETURN_PARENTHESES|CONCATENATED_STRING|LOGICAL_CONTINUATIONS|ASSIGNMENT_CONTINUATIONS"
)
_FINDING = re.compile(r"^(?:\S*:)?(\d+): (ERROR|CHECK|WARNING):(\w+): .*", re.MULTILINE)
RULES = {
    "rename to a shorter name": "expression list es; @@\n- dev_err_probe\n+ dev_probe\n  (es)",
    "rename to a longer name": (
        "expression list es; @@\n- regmap_read\n+ regmap_read_with_default_flags\n  (es)"
    ),
    "rename with all arguments": (
        "expression list es; @@\n- dev_err_probe(es)\n+ report_probe_error(es)"
    ),
    "rename with three metavariables": (
        "expression a, b, c; @@\n- strscpy(a, b, c)\n+ strscpy_pad(a, b, c)"
    ),
    "rename of a function and its calls": (
        "parameter list ps; @@\n- ext4_map_blocks\n+ ext4_map_all_blocks_of_inode\n  (ps) { ... }\n"
        "@@\nexpression list es; @@\n- ext4_map_blocks\n+ ext4_map_all_blocks_of_inode\n  (es)"
    ),
    "rename of a type": "@@\n- struct gpio_chip\n+ struct gpio_controller",
    "rename of a type to a shorter one": "@@\n- struct iio_chan_spec\n+ struct iio_chan",
    "rename in macros' arguments": (
        "expression list es; @@\n- wr32(es)\n+ e1000_write_register(es)"
    ),
    "argument more at the end": (
        "expression r, a, v; @@\n- regmap_write(r, a, v)\n+ regmap_write(r, a, v, REGMAP_DEFAULT)"
    ),
    "argument more at the beginning": (
        "expression list es; @@\n- ext4_error_inode(es)\n+ ext4_error_inode(current, es)"
    ),
    "argument more in the middle": (
        "expression d, e; expression list es; @@\n"
        "- dev_err_probe(d, e, es)\n+ dev_err_probe(d, PROBE_DEFAULT, e, es)"
    ),
    "argument less": "expression d, s, f; @@\n- devm_kzalloc(d, s, f)\n+ devm_zalloc(d, s)",
    "arguments in another order": (
        "expression m, a, b, c; @@\n- regmap_update_bits(m, a, b, c)\n+ regmap_modify(m, c, b, a)"
    ),
    "argument in a call of its own": (
        "expression d; expression list es; @@\n- dev_dbg(d, es)\n+ dev_dbg(checked_device(d), es)"
    ),
    "member to call": "expression x; @@\n- x->private_data\n+ snd_get_private_data(x)",
    "call to call, broken in the rule": (
        "expression d, f; expression list es; @@\n"
        "- dev_warn(d, f, es)\n+ trace_warn(d,\n+            f,\n+            es)"
    ),
    "condition": "expression e; @@\n- IS_ERR(e)\n+ IS_ERR_OR_NULL_CHECKED(e)",
    "assignment": (
        "expression x; expression list es; @@\n- x = kzalloc(es);\n+ x = kzalloc_tracked(es, TAG);"
    ),
    "two statements to one": (
        "expression list es; identifier r; @@\n- dev_err(es);\n- return r;\n"
        "+ return dev_err_return(r, es);"
    ),
    "statement in a condition": (
        "expression e; @@\n- mutex_lock(e);\n+ if (needs_lock(e))\n+ \tmutex_lock(e);"
    ),
    "statement to block": (
        "expression e; @@\n- gpiochip_remove(e);\n+ if (e) {\n+   gpiochip_unregister(e);\n"
        "+   gpiochip_free(e, true);\n+ }"
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="TEXT", default="", help="rules whose name has this")
    parser.add_argument("--verbose", action="store_true", help="list the findings")
    options = parser.parse_args()
    kernel = kernel_tree("6.12")
    table = Table("semantic patch", "lines", "before", "spatch", "patchgen", box=box.SIMPLE)
    worse = []
    with tempfile.TemporaryDirectory(prefix="patchgen-style-") as scratch:
        for name, text in RULES.items():
            if options.only not in name:
                continue
            rule = Path(scratch, "rule.cocci")
            rule.write_text(f"@@\n{text}\n")
            made, plain = run(rule, kernel), run(rule, kernel, "--no-style")
            found = {
                "before": check(reverse(made), kernel, Path(scratch)),
                "spatch": check(plain, kernel, Path(scratch)),
                "patchgen": check(made, kernel, Path(scratch)),
            }
            lines = sum(line[:1] == "+" and line[:3] != "+++" for line in made.splitlines())
            counts = [str(findings.total()) for findings in found.values()]
            table.add_row(name, str(lines), *counts)
            print(f"{name}: {', '.join(counts)}", file=sys.stderr, flush=True)
            excess = found["patchgen"] - found["before"]
            if excess:
                worse.append(f"{name}: {dict(excess)}")
            if options.verbose:
                Path(f"{rule}.patch").write_text(made, "latin-1")
                sys.stdout.write(list_findings(made, kernel, Path(scratch)))
    Console(width=100).print(table)
    sys.exit("\n".join(worse) or 0)


def run(rule: Path, kernel: Path, *options: str) -> str:
    """Return the diff of a semantic patch."""
    argv = [PATCHGEN, "run", str(rule), *FOLDERS, "--tree", str(kernel), "--quiet", *options]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode("latin-1")


def reverse(diff: str) -> str:
    """Return the reverse of a diff."""
    swapped = []
    removed: list[str] = []
    for line in diff.split("\n"):
        if re.match(r"(---|\+\+\+) ", line):
            swapped.append(line)
        elif line[:1] == "-":
            removed.append("+" + line[1:])
        elif line[:1] == "+":
            swapped.append("-" + line[1:])
        else:
            swapped += removed
            removed = []
            swapped.append(re.sub(r"^@@ -(\S+) \+(\S+) @@", r"@@ -\2 +\1 @@", line))
    return "\n".join(swapped + removed)


def check(diff: str, kernel: Path, scratch: Path) -> Counter[str]:
    """Return how often checkpatch finds each type of white space in the lines of a diff."""
    found = _FINDING.findall(checkpatch(diff, kernel, scratch))
    return Counter(
        kind for _, level, kind in found if WHITE_SPACE.fullmatch(kind) and level != "WARNING"
    )


def list_findings(diff: str, kernel: Path, scratch: Path) -> str:
    """Return the findings with the lines that they are about."""
    lines = diff.split("\n")
    listed = ""
    for found in _FINDING.finditer(checkpatch(diff, kernel, scratch)):
        if WHITE_SPACE.fullmatch(found[3]):
            number = int(found[1])
            listed += f"{found[0]}\n" + "\n".join(lines[number - 2 : number]) + "\n"
    return listed


def checkpatch(diff: str, kernel: Path, scratch: Path) -> str:
    """Return what the tree's checkpatch prints for a diff."""
    argv = ["perl", str(kernel / "scripts/checkpatch.pl"), "--strict", "--no-tree", "--terse"]
    argv += [f"--root={kernel}", "--no-signoff", "--quiet", "--show-types"]
    argv += ["--ignore", "CAMELCASE,COMMIT_MESSAGE,DIFF_IN_COMMIT_MSG", "-"]
    done = subprocess.run(
        argv, cwd=scratch, input=diff.encode("latin-1"), stdout=subprocess.PIPE, check=False
    )
    return done.stdout.decode("latin-1")


if __name__ == "__main__":
    main()
