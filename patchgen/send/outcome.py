"""What became of one mail, read from what `git send-email --quiet --smtp-debug` says.

Its exit code 0 tells nothing: it is also that of a git which was asked to end (SIGTERM), or which
dropped the mail because of an address that it does not take. What counts is:

- By SMTP, the trace. Net::Cmd prints ">>> LINE" before it sends a line, and "<<< CODE TEXT" for
  what is answered. The line ">>> ." ends the mail. A server takes a mail over with its answer to
  that line (RFC 5321, 4.2.5): with 250 it has it, with 4xx or 5xx it has not. Where the connection
  ends between the two, nobody can tell (RFC 1047).
- By a command (sendemail.sendmailCmd), the line "Sent SUBJECT" on standard output, which follows
  the command's exit code 0. With another code it has refused the mail. If it was killed, it may
  have the mail or not; Perl then ends with 255 (die(), perlfunc(1)).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_SENT = re.compile(r"^Net::SMTP\S*>>> ?(?P<line>.*)$")
_ANSWER = re.compile(r"^Net::SMTP\S*<<< (?P<code>\d{3})[ -]?(?P<text>.*)$")
_TRACE = re.compile(r"^Net::(SMTP|Cmd)\S*|^(DEBUG|Using|Loading|SSL)")
_PLACE = re.compile(r" at \S+ line \d+\.?$")
# What git-send-email says at its end when the reason is above, or in nobody's words.
_EMPTY = ("Died", "warning: no patches were sent")
_DONE = re.compile(r"^Sent ", re.MULTILINE)


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


def read_outcome(returncode: int, stdout: str, stderr: str, *, by_smtp: bool) -> Outcome:
    """Return what became of the one mail that a run of `git send-email` was given."""
    reason = last_words(stderr) or f"git send-email ended with exit code {returncode}"
    if by_smtp:
        return _read_trace(stderr, reason)
    if _DONE.search(stdout) and returncode == 0:
        return Outcome(Verdict.ACCEPTED)
    # git gives 128 and the number of the signal that killed its subcommand.
    was_killed = returncode < 0 or returncode > 128
    return Outcome(Verdict.UNKNOWN if was_killed or returncode == 0 else Verdict.REFUSED, reason)


def last_words(stderr: str) -> str:
    """Return the last line that is no trace: the trace has what a server must not be told twice."""
    lines = [line.strip() for line in stderr.split("\n") if not _TRACE.match(line)]
    said = [_PLACE.sub("", line) for line in lines if line]
    return next((line for line in reversed(said) if not line.startswith(_EMPTY)), "")


def _read_trace(stderr: str, reason: str) -> Outcome:
    sent = ""
    answers: list[str] = []
    # Not splitlines(): a form feed in a patch ends no line of the trace.
    for line in stderr.split("\n"):
        if match := _SENT.match(line):
            sent = match["line"].strip()
            answers.clear()
        elif match := _ANSWER.match(line):
            answers.append(f"{match['code']} {match['text']}".strip())
            # A line of the mail may be a dot, too, but none of those is answered.
            if sent == "." and answers[-1].startswith("2"):
                return Outcome(Verdict.ACCEPTED)
    if answers and answers[-1][0] in "45":
        said = " ".join([answers[0], *(answer[4:] for answer in answers[1:])])
        whom = f" ({sent})" if sent.upper().startswith("RCPT ") else ""
        return Outcome(Verdict.REFUSED, said + whom)
    if sent == ".":
        return Outcome(Verdict.UNKNOWN, "the connection ended before the server answered")
    return Outcome(Verdict.REFUSED, reason)
