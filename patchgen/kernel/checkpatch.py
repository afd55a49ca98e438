# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the tree's own scripts/checkpatch.pl on a patch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import ToolError
from patchgen.git_environment import program_environment
from patchgen.model.series import Mail
from patchgen.process import run
from patchgen.scratch import scratch_folder

SCRIPT = "scripts/checkpatch.pl"
# --terse prints one line per report: "FILE:LINE: LEVEL:TYPE: text".
_REPORT = re.compile(r"^.*?:(?P<line>\d*): (?P<level>ERROR|WARNING|CHECK):(?P<text>.*)$")


@dataclass(frozen=True, slots=True)
class CheckpatchReport:
    """One report: ERROR, WARNING or CHECK, its text with its type, and the line of the mail."""

    level: str
    text: str
    line: int | None

    @property
    def type(self) -> str:
        """The name of the check, such as LONG_LINE."""
        return self.text.partition(":")[0]


def has_checkpatch(tree: Path) -> bool:
    """Return whether a work tree has the script."""
    return (tree / SCRIPT).is_file()


def check_mail(tree: Path, mail: Mail) -> list[CheckpatchReport]:
    """Return all that checkpatch.pl --strict reports about a mail.

    `tree` is a work tree with the script; if it is a git tree, the script looks up commits that the
    message cites. Raises ToolError if the script cannot be run.
    """
    if not has_checkpatch(tree):
        raise ToolError(
            f"the base has no {SCRIPT}",
            code="checkpatch",
            alternatives={"skip": "skip the checkpatch check"},
        )
    with scratch_folder("checkpatch") as folder:
        file = folder / "mail.patch"
        file.write_bytes(mail.content)
        # --no-tree: the work tree may not have the folders by which the script recognises a kernel.
        options = ("--strict", "--terse", "--show-types", "--no-summary", "--no-tree", "--root=.")
        args = ["perl", SCRIPT, *options, str(file)]
        # The script runs git there to look up cited commits.
        completed = run(args, cwd=tree, env=program_environment(), ok=(0, 1))
    reports = []
    for text in completed.lines:
        match = _REPORT.match(text)
        if match:
            line = int(match["line"]) if match["line"] else None
            reports.append(CheckpatchReport(match["level"], match["text"].strip(), line))
    if completed.returncode != 0 and not reports:
        raise ToolError(
            f"{SCRIPT} failed: {completed.errors or completed.stdout.decode()[-500:]}",
            code="checkpatch",
        )
    return reports
