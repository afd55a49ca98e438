# SPDX-License-Identifier: GPL-2.0-or-later
"""Send one mail with `git send-email`, in a process of its own that outlives patchgen.

    python -m patchgen.send.send_one OUTCOME smtp|command ARG ...

It runs the command ARG ..., and writes the outcome for the mail to the file OUTCOME, by a rename:

    {"verdict": "accepted", "reason": ""}

So the outcome is known even if patchgen is killed meanwhile. No other output of git or the server
is written: the trace of an SMTP session contains the password.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from patchgen.process import run
from patchgen.send.outcome import MailOutcome, Verdict, read_outcome


def main(argv: list[str]) -> None:
    """Run the command and write the outcome."""
    target, kind, *args = argv
    completed = run(args, ok=None)
    output = completed.stdout.decode("utf-8", "replace")
    outcome = read_outcome(completed.returncode, output, completed.errors, by_smtp=kind == "smtp")
    write_outcome(Path(target), outcome)


def write_outcome(path: Path, outcome: MailOutcome) -> None:
    """Write an outcome atomically."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps({"verdict": outcome.verdict, "reason": outcome.reason}))
    temporary.replace(path)


def find_outcome(path: Path) -> MailOutcome | None:
    """Return a written outcome, None if the file is missing or damaged."""
    try:
        document = json.loads(path.read_text())
        return MailOutcome(Verdict(document["verdict"]), str(document["reason"]))
    except (OSError, ValueError, KeyError):
        return None


if __name__ == "__main__":
    main(sys.argv[1:])
