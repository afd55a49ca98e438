# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen verify`: check a series commit by commit, and print the findings."""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from patchgen.cli.command import ExplainedCommand
from patchgen.cli.complete_names import complete_config
from patchgen.cli.options import (
    jobs_option,
    json_option,
    quiet_option,
    start_option,
    tree_option,
)
from patchgen.cli.printer import Printer, announce_end, echo
from patchgen.cli.terminal import is_terminal
from patchgen.cli.tree_options import resolve_paths
from patchgen.cli.verify_steps import print_next
from patchgen.cli.verify_table import VerifyTable
from patchgen.commands.verify import VerifyReport, verify_series
from patchgen.counting import count
from patchgen.interrupts import report_interrupt
from patchgen.model.base import Oid
from patchgen.model.finding import Finding, count_old, list_first
from patchgen.verify import CHECKS, VerifyRequest

# That of a line which --record added.
_WIDTH = 78


@click.command(
    "verify",
    cls=ExplainedCommand,
    examples="""
    patchgen verify
        Check the series that is checked out, with all checks.
    patchgen verify v6.1..HEAD --config x86_64 --skip code
        Check the commits since v6.1; build one configuration, compare no code.
    """,
)
@click.argument("series", required=False, metavar="[BRANCH|BASE..TIP|DIR|MBOX]")
@tree_option
@start_option()
@click.option(
    "--config",
    "configs",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_config,
    help="Build in this configuration, or with this .config (a path with a /); may be repeated.",
)
@click.option(
    "--folder",
    "folders",
    multiple=True,
    metavar="PATH",
    help="Build all of this folder of the tree; may be repeated.  [default: the files that the "
    "series changes]",
)
@click.option(
    "--skip",
    multiple=True,
    metavar="CHECK",
    shell_complete=lambda ctx, param, start: [name for name in CHECKS if name.startswith(start)],
    help=f"Skip a check: {', '.join(CHECKS)}; may be repeated.",
)
@click.option(
    "--against",
    metavar="BRANCH|DIR|MBOX",
    help="Compare with a posted version of the series.",
)
@click.option(
    "--boot",
    is_flag=True,
    help="Link small kernels of the base and of the tip, and boot both in QEMU.",
)
@click.option(
    "--record",
    is_flag=True,
    help="Record the checks that passed in the cover letter of the branch.",
)
@click.option(
    "--make-var",
    "make_variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="Pass this variable to make, for example WERROR=0 for an old tree; may be repeated.",
)
@click.option("--verbose", is_flag=True, help="List all findings, also those in old code.")
@jobs_option
@json_option
@quiet_option("Print findings only.")
def command(
    tree: Path, folders: tuple[str, ...], verbose: bool, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Check each commit of a series: its form, its mail, its builds, its machine code.

    The series is a branch, BASE..TIP, a folder of mails or an mbox; the default is the branch that
    is checked out. All builds run in a separate work tree; yours is not touched. Exit code 1 means
    that a check failed.

    This runs programs of the series' tree (its Makefiles and scripts), as `make` does: verify only
    trees and patches that you would build.
    """
    paths = tuple(map(str, resolve_paths(tree, folders)))
    request = VerifyRequest(tree=tree, folders=paths, **options)
    printer = Printer(quiet=quiet, as_json=as_json)
    with _open_table(silent=quiet or as_json) as table:
        report = verify_series(request, on_start=table.start, on_cell=table.update)
        table.end()
    if as_json:
        printer.document(describe(report))
    else:
        _print_findings(printer, report, verbose=verbose)
        _print_recorded(printer, request, report)
        print_next(printer, request, report)
    if not report.passed:
        sys.exit(1)


def describe(report: VerifyReport) -> dict[str, Any]:
    """Return the document of --json."""
    return {
        "series": report.target.name,
        "base": report.target.base,
        "passed": report.passed,
        "first_failing": report.failed,
        "checks": list(report.columns),
        "commits": [
            {
                "commit": commit.oid,
                "subject": commit.subject,
                "findings": [_describe(f) for f in report.findings if f.commit == commit.oid],
                "built_in": list(report.reached.get(commit.oid, ())),
                "changed_functions": report.changed.get(commit.oid, {}),
            }
            for commit in report.target.commits
        ],
        "series_findings": [_describe(f) for f in report.findings if f.commit is None],
        "recorded": report.recorded or None,
        "seconds": round(report.seconds, 1),
    }


def _describe(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "failure": finding.failure,
        "config": finding.config or None,
        "where": finding.where or None,
        "text": finding.text,
        "in_old_code": finding.in_old_code,
        "hint": finding.hint or None,
        "log": str(finding.log) if finding.log else None,
    }


def _print_findings(printer: Printer, report: VerifyReport, *, verbose: bool) -> None:
    printed: list[Finding] = []
    for number, commit in enumerate(report.target.commits, 1):
        findings = _join_findings(report, commit.oid, verbose=verbose)
        if findings:
            echo(f"{number}/{len(report.target.commits)} {commit.oid[:12]} {commit.subject}")
        for finding in findings:
            _print_finding("  ", finding)
        printed += findings
    for finding in _join_findings(report, None, verbose=verbose):
        _print_finding("series: ", finding)
        printed.append(finding)
    old = sum(finding.in_old_code for finding in report.findings)
    if old and not verbose:
        noun = "findings" if old > 1 else "finding"
        printer.line(f"--verbose lists the {noun} in old code")
    printer.line()
    if report.passed:
        total = len(report.target.commits)
        noted = sum(not finding.failure for finding in printed)
        notes = f"; {count(noted, 'note')} above" if noted else ""
        checks = ", ".join(
            column if number == total else f"{column} ({number} of {total})"
            for column, number in report.checked.items()
        )
        result = f"passed {checks}" if checks else "had nothing to check"
        printer.line(f"{count(total, 'commit')} {result} ({report.seconds:.0f} s){notes}")
    elif report.failed is not None:
        [commit] = [commit for commit in report.target.commits if commit.oid == report.failed]
        echo(f"first failing commit: {commit.oid[:12]} {commit.subject}")


def _join_findings(report: VerifyReport, oid: Oid | None, *, verbose: bool) -> list[Finding]:
    """Return the findings to print about a commit, or about the whole series (None)."""
    findings = [finding for finding in report.findings if finding.commit == oid]
    if not verbose:
        findings = count_old(findings)
    return _join_files(_join_configs(findings))


def _print_recorded(printer: Printer, request: VerifyRequest, report: VerifyReport) -> None:
    """Print the line that --record added to the cover letter, or why it added none."""
    if report.recorded:
        name = report.target.name
        printer.line(f"recorded in the cover letter of {name}:")
        for line in textwrap.wrap(report.recorded, _WIDTH, break_on_hyphens=False):
            printer.line(f"  {line}")
        printer.line(
            "`patchgen send` makes its mails from the branch; to update those in the folder,"
        )
        printer.line(f"run `patchgen format {shlex.quote(name)}`")
    elif request.record:
        printer.warning("the cover letter was not changed, because the series does not pass")


def _join_configs(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings, with those that differ only in their configuration joined.

    A joined finding names all configurations, and the log of the first.
    """
    return [
        replace(same[0], config=", ".join(filter(None, (finding.config for finding in same))))
        for same in _group(findings, lambda finding: replace(finding, config="", log=None))
    ]


def _join_files(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings, with notes that differ only in their file joined."""
    return [
        replace(same[0], where=list_first([finding.where for finding in same]))
        for same in _group(findings, lambda f: f if f.failure else replace(f, where=""))
    ]


def _group(
    findings: Sequence[Finding], key: Callable[[Finding], Finding]
) -> Iterable[list[Finding]]:
    """Return lists of findings with the same key, in the order of the first of each."""
    groups: dict[Finding, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(key(finding), []).append(finding)
    return groups.values()


def _print_finding(before: str, finding: Finding) -> None:
    """Print a finding on one line, and its hint on the next."""
    echo(f"{before}{'' if finding.failure else 'note: '}{finding}")
    if finding.hint:
        params = click.get_current_context().command.params
        options = [max(param.opts, key=len) for param in params if param.name == finding.parameter]
        echo(f"    hint: {finding.hint}" + (f" ({options[0]})" if options else ""))


@contextmanager
def _open_table(*, silent: bool) -> Iterator[VerifyTable]:
    """Yield the table of results; it is shown live on a terminal, else at the end."""
    table = VerifyTable(silent=silent, live=is_terminal(sys.stdout))

    def report() -> None:
        table.close()
        announce_end()

    try:
        with report_interrupt(report):
            yield table
    finally:
        table.close()
