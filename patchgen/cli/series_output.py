# SPDX-License-Identifier: GPL-2.0-or-later
"""Print a series that was made: the size of each patch, recipients, and the next commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from patchgen.cli.next_steps import (
    format_git,
    format_patchgen,
    format_verify,
    print_steps,
    relative_path,
)
from patchgen.cli.printer import Printer
from patchgen.controls import escape_controls
from patchgen.counting import count
from patchgen.model.base import Oid
from patchgen.model.plan import LeftOut
from patchgen.model.series import FileEdit, Recipients, Stat
from patchgen.odb import has_tag


def summarise_patch(edits: Sequence[FileEdit], stat: Stat) -> str:
    """Return how many files and lines a patch changes."""
    return f"{count(len(edits), 'file')}, +{stat.insertions} -{stat.deletions}"


def describe_left_out(entries: Sequence[LeftOut]) -> list[dict[str, Any]]:
    """Return the entries of --json for the backends and patches that a series leaves out."""
    return [
        {
            "backend": entry.backend,
            "patch": entry.patch,
            "reason": entry.reason,
            "evidence": [
                {"site": str(evidence.site) if evidence.site else None, "text": evidence.text}
                for evidence in entry.evidence
            ],
            "lacks": list(entry.unmet_needs),
            "on_request": entry.on_request,
        }
        for entry in entries
    ]


def print_left_out(
    printer: Printer, left_out: Sequence[LeftOut], backends: Sequence[str] | None
) -> None:
    """Print which backends and patches a series leaves out, and why.

    `backends` are the backends that it has; unless it is None, the options that add one are
    printed.
    """
    for entry in left_out:
        for line in str(entry).splitlines():
            printer.line(f"  {line}")
        if entry.on_request and backends is not None:
            options = " ".join(f"--backend {name}" for name in (*backends, entry.backend))
            printer.line(f"    made on request: {options}")


def read_recipients(mail: Path) -> Recipients:
    """Return the recipients in the header of a mail that patchgen wrote."""
    # Imported here because most runs of `patchgen run` make no series.
    from email import policy
    from email.parser import BytesHeaderParser

    header = BytesHeaderParser(policy=policy.default).parsebytes(mail.read_bytes())
    to, cc = (tuple(map(str, header[key].addresses)) if header[key] else () for key in ("To", "Cc"))
    return Recipients(to, cc)


def name_people(people: Sequence[str]) -> str:
    """Return the names of people without addresses; of many people, only the first ones."""
    # Imported here for the reason in read_recipients().
    from patchgen.campaign.groups import list_names

    return escape_controls(list_names(people))


def print_recipients(printer: Printer, recipients: Recipients) -> None:
    """Print the recipients of the cover letter after an empty line."""
    printer.line()
    list_people(printer, recipients)


def list_people(printer: Printer, recipients: Recipients, *, indent: str = "") -> None:
    """Print the recipients of a mail, one a line."""
    for header, people in (("To", recipients.to), ("Cc", recipients.cc)):
        for person in people:
            printer.line(escape_controls(f"{indent}{header}: {person}"))


def print_diffs(printer: Printer, diffs: str) -> None:
    """Print the patches of a dry run after an empty line."""
    printer.line()
    if not printer.is_silent:
        printer.diff(diffs.rstrip("\n") + "\n")


def print_next(
    printer: Printer,
    tree: Path,
    base: Oid,
    branch: str,
    mails: Sequence[Path],
    *,
    with_cover: bool = True,
    is_new: bool = False,
) -> None:
    """Print the location of a series, and commands that show and send it from the current folder.

    `tree` is as the user gave it. Without the cover letter's commit (`with_cover`) only the folder
    of mails can be sent. If the version was sent, print a warning, and no command that sends it
    again; a new branch (`is_new`) cannot have been sent.
    """
    # Imported here for the reason in read_recipients().
    from patchgen.commands.sending import find_sending

    folder = mails[0].parent
    print_recipients(printer, read_recipients(mails[0]))
    printer.line()
    printer.line(f"branch: {branch}")
    printer.line(f"mails:  {folder}")
    source = branch if with_cover else str(relative_path(folder))
    check = format_verify(tree, base, source)
    title = "Check them" if "--skip" in check else "Check them; this builds the tree"
    print_steps(printer, title, check)
    tip = _unambiguous_name(tree, branch)
    read = format_git(tree, "log", "--reverse", "--patch", f"{base[:12]}..{tip}")
    send = format_patchgen(tree, "send", source)
    sending = None if is_new else find_sending(tree, branch)
    if sending is None:
        other = f"    # or: git send-email {name_mails(mails)}"
        print_steps(printer, "Read them, then send them", read, send + other)
        return
    if sending.is_complete:
        step = format_patchgen(tree, "reroll", branch)
        print_steps(printer, "Read them, then make the next version", read, step)
    else:
        print_steps(printer, "Read them, then send those that were not sent", read, send)
    printer.warning(str(sending))


def warn_of_sending(tree: Path, branch: str) -> list[str]:
    """Return a warning if the version on a branch was sent, for the document of --json."""
    # Imported here for the reason in read_recipients().
    from patchgen.commands.sending import find_sending

    sending = find_sending(tree, branch)
    return [str(sending)] if sending else []


def name_mails(mails: Sequence[Path]) -> str:
    """Return shell arguments that name exactly these mails, relative to the current folder.

    The result is one pattern, unless that matches other files in the folder, too.
    """
    folder = mails[0].parent
    path = relative_path(folder)
    version = re.match(r"v\d+-", mails[0].name)
    # The mails of version 1 begin with their numbers.
    pattern = f"{version[0]}*.patch" if version else "[0-9]*.patch"
    if set(folder.glob(pattern)) == set(mails):
        return f"{shlex.quote(str(path))}/{pattern}"
    return shlex.join(str(path / mail.name) for mail in mails)


def _unambiguous_name(tree: Path, branch: str) -> str:
    """Return a name that git resolves to this branch even if a tag has the same name."""
    return f"refs/heads/{branch}" if has_tag(tree, branch) else branch
