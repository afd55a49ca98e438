# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks that `patchgen send` runs before it sends a mail: those that take seconds."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from patchgen.cli.printer import announce_end, echo
from patchgen.commands.verify import VerifyReport, verify_series
from patchgen.errors import RefusedError
from patchgen.interrupts import report_interrupt
from patchgen.model.finding import Finding, count_old
from patchgen.verify import CHECKS, VerifyRequest

SEND_CHECKS = ("lint", "checkpatch", "am")


def run_checks(series: str, tree: Path) -> VerifyReport:
    """Return the findings about a branch, or a folder of mails."""
    skip = tuple(name for name in CHECKS if name not in SEND_CHECKS)
    request = VerifyRequest(series=series, tree=tree, skip=skip, optional=True)
    with report_interrupt(announce_end):
        return verify_series(request)


def refuse_failures(series: str, report: VerifyReport) -> None:
    """If the report has failures, print them and raise RefusedError."""
    failures = [finding for finding in report.findings if finding.failure]
    if not failures:
        return
    for text in _describe(failures, report):
        echo(f"  {text}", err=True)
    failed = ", ".join(dict.fromkeys(finding.check for finding in failures))
    raise RefusedError(
        f"{series} does not pass {failed}",
        code="checks-failed",
        hint=f"`patchgen verify {shlex.quote(series)}` shows what to edit; or send it without "
        "these checks: --skip-checks",
    )


def list_notes(report: VerifyReport) -> tuple[str, ...]:
    """Return the findings that are not failures."""
    notes = [finding for finding in count_old(report.findings) if not finding.failure]
    return tuple(_describe(notes, report))


def _describe(findings: Sequence[Finding], report: VerifyReport) -> Iterator[str]:
    """Yield each finding once, with the numbers of its patches."""
    numbers = {commit.oid: number for number, commit in enumerate(report.target.commits, 1)}
    patches: dict[str, list[int]] = {}
    for finding in findings:
        text = f"{finding} ({finding.hint})" if finding.hint else str(finding)
        listed = patches.setdefault(text, [])
        listed += [numbers[finding.commit]] if finding.commit in numbers else []
    for text, listed in patches.items():
        where = ", ".join(map(str, dict.fromkeys(listed)))
        yield f"{text} (patch {where})" if where else text
