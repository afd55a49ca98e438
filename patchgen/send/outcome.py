"""What became of one mail, read from what `git send-email --smtp-debug` says.

Net::Cmd prints ">>> LINE" for what it sends and "<<< CODE TEXT" for what is answered. The line
">>> ." ends the mail. A server takes a mail over with its answer to that line (RFC 5321, 4.2.5):
with 250 it has it, with 4xx or 5xx it has not. Where the connection ends between the two, nobody
can tell (RFC 1047).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_SENT = re.compile(r"^Net::SMTP\S*>>> ?(?P<line>.*)$")
_ANSWER = re.compile(r"^Net::SMTP\S*<<< (?P<code>\d{3})[ -]?(?P<text>.*)$")
_TRACE = re.compile(r"^Net::SMTP\S*(>>>|<<<)|^(DEBUG|Using|Loading|SSL)")


class Verdict(StrEnum):
    """Whether a server has a mail."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail; `reason` is the server's or git's own word, "" where it was taken."""

    verdict: Verdict
    reason: str = ""


def read_outcome(returncode: int, stderr: str, *, by_smtp: bool) -> Outcome:
    """Return what became of the one mail that a run of `git send-email` was given.

    A program that takes mails (sendemail.sendmailCmd) has one if it ends with 0. Killed by a
    signal (a negative code), it may have it or not.
    """
    if returncode == 0:
        return Outcome(Verdict.ACCEPTED)
    reason = _last_words(stderr) or f"git send-email ended with {returncode}"
    if not by_smtp:
        verdict = Verdict.UNKNOWN if returncode < 0 else Verdict.REFUSED
        return Outcome(verdict, reason)
    answers: list[str] = []
    was_ended = False
    for line in stderr.splitlines():
        if match := _SENT.match(line):
            # A line of the mail may be a dot, too: only the last line that was sent ends it.
            was_ended = match["line"].strip() == "."
            answers.clear()
        elif match := _ANSWER.match(line):
            answers.append(f"{match['code']} {match['text']}".strip())
    if answers and answers[-1][0] in "45":
        return Outcome(Verdict.REFUSED, answers[-1])
    if was_ended:
        if answers:
            return Outcome(Verdict.ACCEPTED)
        return Outcome(Verdict.UNKNOWN, "the connection ended before the server answered")
    return Outcome(Verdict.REFUSED, reason)


def _last_words(stderr: str) -> str:
    """Return the last line that is no trace: the trace has what a server must not be told twice."""
    lines = [line.strip() for line in stderr.splitlines() if not _TRACE.match(line)]
    said = [line for line in lines if line]
    return said[-1] if said else ""
