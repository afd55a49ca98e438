"""What is printed of a series that was made: how large a patch is, and what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from patchgen.cli.printer import Printer
from patchgen.controls import escape_controls
from patchgen.model.base import Oid
from patchgen.model.series import FileEdit, Recipients, Stat


def summarise_patch(edits: Sequence[FileEdit], stat: Stat) -> str:
    """Return how many files and lines a patch changes."""
    files = f"{len(edits)} file{'s' if len(edits) != 1 else ''}"
    return f"{files}, +{stat.insertions} -{stat.deletions}"


def read_recipients(mail: Path) -> Recipients:
    """Return who a mail of ours goes to, as its header says."""
    # `run` makes a series rarely, and need not wait for what that imports.
    from email import policy
    from email.parser import BytesHeaderParser

    header = BytesHeaderParser(policy=policy.default).parsebytes(mail.read_bytes())
    to, cc = (tuple(map(str, header[key].addresses)) if header[key] else () for key in ("To", "Cc"))
    return Recipients(to, cc)


def name_people(people: Sequence[str]) -> str:
    """Return people as a list without addresses, the first of them where there are many."""
    # As in read_recipients.
    from patchgen.campaign.groups import Group

    return escape_controls(Group(tuple(people), ()).name)


def print_recipients(printer: Printer, who: Recipients) -> None:
    """Print who gets the cover letter, which all recipients of the patches get."""
    printer.line()
    for name, people in (("To", who.to), ("Cc", who.cc)):
        for person in people:
            printer.line(escape_controls(f"{name}: {person}"))


def print_next(
    printer: Printer,
    tree: Path,
    base: Oid,
    branch: str,
    mails: Sequence[Path],
    *,
    with_cover: bool = True,
) -> None:
    """Print where a series is, and commands that read and send it from the current folder.

    `tree` is as the user gave it. Without the cover letter's commit only the mails can be sent.
    """
    folder = mails[0].parent
    print_recipients(printer, read_recipients(mails[0]))
    # The shell expands the *, so the folder is named as seen from here.
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    at_tree = "" if tree == Path() else f"-C {shlex.quote(str(tree.absolute()))} "
    printer.line()
    printer.line(f"branch: {branch}")
    printer.line(f"mails:  {folder}")
    printer.line()
    printer.line("Read them, then send them:")
    printer.line(f"  git {at_tree}log --reverse --patch {base[:12]}..{branch}")
    quoted = shlex.quote(str(shown))
    there = "" if tree == Path() else f"--tree {shlex.quote(str(tree))} "
    source = shlex.quote(branch) if with_cover else quoted
    printer.line(f"  patchgen send {there}{source}    # or: git send-email {quoted}/*.patch")
