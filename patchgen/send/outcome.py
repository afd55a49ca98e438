# SPDX-License-Identifier: GPL-2.0-or-later
"""The outcome for one mail, read from the output of `git send-email --quiet --smtp-debug`.

Exit code 0 is not enough: git also exits with it after SIGTERM, and after dropping a mail because
of an address that it does not accept. The outcome is determined by:

- With SMTP, the trace. Net::Cmd prints ">>> LINE" before it sends a line, and "<<< CODE TEXT" for
  each answer. The line ">>> ." ends the mail. A server accepts a mail with its answer to that line
  (RFC 5321, 4.2.5): with 250 it has the mail, with 4xx or 5xx it has not. If the connection ends
  between the two, the outcome is unknown (RFC 1047).
- With a command (sendemail.sendmailCmd), the line "Sent SUBJECT" on standard output, which follows
  the command's exit code 0. With another code the command has refused the mail. If it was killed,
  it may or may not have the mail; Perl then exits with 255 (die(), perlfunc(1)).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_SENT = re.compile(r"^Net::SMTP\S*>>> ?(?P<line>.*)$")
_ANSWER = re.compile(r"^Net::SMTP\S*<<< (?P<code>\d{3})[ -]?(?P<text>.*)$")
_TRACE = re.compile(r"^Net::(SMTP|Cmd)\S*|^(DEBUG|Using|Loading|SSL)")
_PLACE = re.compile(r" at \S+ line \d+\.?$")
# Last lines of git-send-email that do not state the reason; a line above may state it.
_EMPTY = ("Died", "warning: no patches were sent")
# die() without a reason repeats the error of an earlier eval, which is another one, such as that of
# an optional module (perlfunc(1), die).
_PROPAGATED = re.compile(r"^[^\n]*\n\t\.\.\.propagated at [^\n]*$", re.MULTILINE)
_ACCEPTED_BY_COMMAND = re.compile(r"^Sent ", re.MULTILINE)


class Verdict(StrEnum):
    """Whether a server has the mail."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """The outcome for a mail; `reason` quotes the server or git, "" if the mail was accepted."""

    verdict: Verdict
    reason: str = ""


def read_outcome(returncode: int, stdout: str, stderr: str, *, by_smtp: bool) -> MailOutcome:
    """Return the outcome for the one mail that a run of `git send-email` was given."""
    reason = find_last_message(stderr) or f"git send-email exited with code {returncode}"
    if by_smtp:
        return _read_trace(stderr, reason)
    if _ACCEPTED_BY_COMMAND.search(stdout) and returncode == 0:
        return MailOutcome(Verdict.ACCEPTED)
    # git exits with 128 plus the number of the signal that killed its subcommand.
    was_killed = returncode < 0 or returncode > 128
    return MailOutcome(
        Verdict.UNKNOWN if was_killed or returncode == 0 else Verdict.REFUSED, reason
    )


def find_last_message(stderr: str) -> str:
    """Return the last line outside of the trace, which contains secrets for the server only."""
    own = _PROPAGATED.sub("", stderr)
    lines = [line.strip() for line in own.split("\n") if not _TRACE.match(line)]
    messages = [_PLACE.sub("", line) for line in lines if line]
    return next((line for line in reversed(messages) if not line.startswith(_EMPTY)), "")


def _read_trace(stderr: str, reason: str) -> MailOutcome:
    sent = ""
    answers: list[str] = []
    # Not splitlines(): a form feed in a patch does not end a line of the trace.
    for line in stderr.split("\n"):
        if match := _SENT.match(line):
            sent = match["line"].strip()
            answers.clear()
        elif match := _ANSWER.match(line):
            answers.append(f"{match['code']} {match['text']}".strip())
            # A line of the mail may be a dot, too, but the server does not answer it.
            if sent == "." and answers[-1].startswith("2"):
                return MailOutcome(Verdict.ACCEPTED)
    if answers and answers[-1][0] in "45":
        reply = " ".join([answers[0], *(answer[4:] for answer in answers[1:])])
        recipient = f" ({sent})" if sent.upper().startswith("RCPT ") else ""
        return MailOutcome(Verdict.REFUSED, reply + recipient)
    if sent == ".":
        return MailOutcome(Verdict.UNKNOWN, "the connection ended before the server answered")
    return MailOutcome(Verdict.REFUSED, reason)
