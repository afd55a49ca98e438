"""One mail given to `git send-email`, in a process that outlives patchgen: its own program.

    python -m patchgen.send.attempt OUTCOME smtp|command WORD ...

It runs the words, and writes to the file OUTCOME, by a rename, what became of the mail:

    {"verdict": "accepted", "reason": ""}

So a patchgen that is killed meanwhile leaves no doubt behind. Nothing else of what git and the
server say is written: the trace of an SMTP session has the password in it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from patchgen.process import run
from patchgen.send.outcome import Outcome, Verdict, read_outcome


def main(argv: list[str]) -> None:
    """Run the words and write the outcome."""
    target, kind, *words = argv
    done = run(words, ok=None)
    said = done.stdout.decode("utf-8", "replace")
    outcome = read_outcome(done.returncode, said, done.errors, by_smtp=kind == "smtp")
    write_outcome(Path(target), outcome)


def write_outcome(path: Path, outcome: Outcome) -> None:
    """Write an outcome, all of it or nothing."""
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps({"verdict": outcome.verdict, "reason": outcome.reason}))
    temporary.replace(path)


def find_outcome(path: Path) -> Outcome | None:
    """Return an outcome that was written, None where none was."""
    try:
        document = json.loads(path.read_text())
        return Outcome(Verdict(document["verdict"]), str(document["reason"]))
    except (OSError, ValueError, KeyError):
        return None


if __name__ == "__main__":
    main(sys.argv[1:])
