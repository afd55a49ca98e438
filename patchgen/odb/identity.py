# SPDX-License-Identifier: GPL-2.0-or-later
"""Author and committer as git would record them, and the date.

git accepts any name and address, mails do not.
"""

from __future__ import annotations

import os
import re
import time

from patchgen.addresses import AddressError, encode_address
from patchgen.controls import escape_controls, has_controls
from patchgen.counting import count
from patchgen.errors import ToolError, UsageError
from patchgen.odb.plumbing import Git


def read_date() -> str:
    """Return the date for new commits: SOURCE_DATE_EPOCH (reproducible-builds.org), else now.

    Raises UsageError if SOURCE_DATE_EPOCH is not a number, ToolError for a clock before 1970.
    """
    if epoch := os.environ.get("SOURCE_DATE_EPOCH"):
        if not re.fullmatch(r"[0-9]{1,11}", epoch):
            raise UsageError(
                f"SOURCE_DATE_EPOCH is {epoch!r}",
                code="environment-variable",
                hint="set it to a number of seconds since 1970, with at most 11 digits",
            )
        return f"{int(epoch)} +0000"
    now = int(time.time())
    if now < 0:
        raise ToolError(
            f"the clock is {count(-now, 'second')} before 1970, a date that git cannot represent",
            code="clock",
            hint="set the clock, or SOURCE_DATE_EPOCH",
        )
    return f"{now} {time.strftime('%z')}"


def read_person(git: Git, variable: str) -> tuple[str, str]:
    """Return the name and address in a variable of git-var(1), such as GIT_AUTHOR_IDENT.

    Raises ToolError if git does not have them, or if a mail's sender cannot have them.
    """
    completed = git.run("-c", "user.useConfigOnly=true", "var", variable, ok=None)
    match = re.fullmatch(
        r"(?P<name>.*) <(?P<email>[^<>]*)> \d+ [-+]\d{4}",
        completed.stdout.decode("utf-8", "replace").strip(),
    )
    if completed.returncode != 0 or match is None:
        reason = completed.errors.splitlines()[-1:] or ["no reason given"]
        raise ToolError(
            f"git does not know who you are ({reason[0].removeprefix('fatal: ')})",
            code="git-identity",
            hint="git config user.name NAME; git config user.email ADDRESS",
        )
    _check_person(match["name"], match["email"])
    return match["name"], match["email"]


def _check_person(name: str, email: str) -> None:
    """Raise ToolError for a name or an address that cannot be the sender of a mail."""
    if has_controls(name) or "\ufffd" in name:
        raise ToolError(
            f"your name has control characters, or is not UTF-8: {escape_controls(name)}",
            code="git-identity",
            hint="git config user.name NAME",
        )
    try:
        encoded = encode_address(email)
    except AddressError as err:
        hint = "git config user.email ADDRESS"
        raise ToolError(
            f"your address cannot be used for mail: {err}", code="git-identity", hint=hint
        ) from None
    if encoded != email:
        raise ToolError(
            f"your address {email} has characters other than ASCII",
            code="git-identity",
            hint=f"git config user.email {encoded}",
        )
