# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of a mail, read from the words of git send-email."""

from __future__ import annotations

import pytest

from patchgen.send.outcome import MailOutcome, Verdict, read_outcome

OUT, IN = "Net::SMTP=GLOB(0x55d0)>>> ", "Net::SMTP=GLOB(0x55d0)<<< "
BEGUN = (
    f"{OUT}MAIL FROM:<a@b.c>\n{IN}250 OK\n{OUT}RCPT TO:<d@e.f>\n{IN}250 OK\n{OUT}DATA\n{IN}354 go\n"
)


@pytest.mark.parametrize(
    ("code", "trace", "verdict", "reason"),
    [
        (0, f"{BEGUN}{OUT}.\n{IN}250 OK\n{OUT}QUIT\n{IN}221 Bye\n", Verdict.ACCEPTED, ""),
        # What comes after that answer does not matter any more.
        (137, f"{BEGUN}{OUT}.\n{IN}250 OK\n{OUT}QUIT\n", Verdict.ACCEPTED, ""),
        (255, f"{BEGUN}{OUT}.\n{IN}251 OK\nFailed to send x\n", Verdict.ACCEPTED, ""),
        (255, f"{BEGUN}{OUT}.\n{IN}451 not now\nnot now\n", Verdict.REFUSED, "451 not now"),
        (
            255,
            f"{BEGUN}{OUT}.\n{IN}550-no such\n{IN}550 thing\n",
            Verdict.REFUSED,
            "550 no such thing",
        ),
        (
            255,
            f"{OUT}RCPT TO:<d@e.f>\n{IN}550 no\n",
            Verdict.REFUSED,
            "550 no (RCPT TO:<d@e.f>)",
        ),
        (
            255,
            f"{BEGUN}{OUT}.\n",
            Verdict.UNKNOWN,
            "the connection ended before the server answered",
        ),
        # A line of the mail that is a dot, or looks like an answer, ends nothing.
        (255, f"{BEGUN}{OUT}.\n{OUT}+more\n", Verdict.REFUSED, None),
        (255, f"{BEGUN}{OUT}+a\x0c{IN}250 OK\n{OUT}.\n", Verdict.UNKNOWN, None),
        # git send-email ends with 0 when it is asked to end, and when it drops a mail.
        (0, f"{BEGUN}{OUT}+more\n", Verdict.REFUSED, None),
        (0, "error: unable to extract a valid address from: a@b\n", Verdict.REFUSED, None),
        (0, "", Verdict.REFUSED, "git send-email exited with code 0"),
        (255, "No way at /usr/lib/git-core/git-send-email line 1.\n", Verdict.REFUSED, "No way"),
    ],
)
def test_smtp(code, trace, verdict, reason):
    outcome = read_outcome(code, "Sent x\n", trace, by_smtp=True)
    assert outcome.verdict is verdict
    assert reason in (None, outcome.reason)


def test_no_secret_is_in_a_reason():
    trace = f"{OUT}AUTH PLAIN AGFkYQBhIHNlY3JldA==\n{IN}535 no\nnot you\n"
    assert read_outcome(255, "", trace, by_smtp=True).reason == "535 no"
    assert "AGFk" not in read_outcome(255, "", f"{OUT}AUTH PLAIN AGFkYQ\n", by_smtp=True).reason


@pytest.mark.parametrize(
    ("code", "out", "verdict"),
    [
        (0, "Sent [PATCH 1/2] x\n", Verdict.ACCEPTED),
        (0, "", Verdict.UNKNOWN),
        (75, "", Verdict.REFUSED),
        (127, "", Verdict.REFUSED),
        (255, "", Verdict.UNKNOWN),
        (137, "", Verdict.UNKNOWN),
        (-9, "", Verdict.UNKNOWN),
    ],
)
def test_a_command(code, out, verdict):
    outcome = read_outcome(code, out, "Died at /usr/lib/x line 1.\n", by_smtp=False)
    assert outcome.verdict is verdict
    assert "Died" not in outcome.reason


def test_an_error_of_an_earlier_eval_is_no_reason():
    stderr = (
        "-: 1: /usr/bin/none: not found\n"
        "Can't locate Email/Valid.pm in @INC (@INC contains: /etc/perl) at git-send-email line 1.\n"
        "\t...propagated at /usr/lib/git-core/git-send-email line 1605.\n"
    )
    outcome = read_outcome(127, "", stderr, by_smtp=False)
    assert outcome == MailOutcome(Verdict.REFUSED, "-: 1: /usr/bin/none: not found")
