# SPDX-License-Identifier: GPL-2.0-or-later
"""Run the user's program that prints the recipients of a patch, for trees with other rules.

It is called like scripts/get_maintainer.pl: with options and a patch mail as a file, in a folder
that has the MAINTAINERS, .mailmap and .get_maintainer.ignore of the base. It prints one
"ADDRESS (ROLE)" per line.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from patchgen.addresses import AddressError, parse_person
from patchgen.controls import escape_controls
from patchgen.errors import RefusedError, ToolError
from patchgen.kernel.get_maintainer import RecipientsByMail
from patchgen.kernel.mailmap import format_recipient
from patchgen.model.base import TreeReader
from patchgen.model.series import Mail, Recipients
from patchgen.process import map_parallel, run
from patchgen.scratch import scratch_folder

# The last two are for scripts/get_maintainer.pl itself, if that is the program.
_FILES = ("MAINTAINERS", "MAINTAINERS/**", ".get_maintainer.ignore", ".mailmap")
_OPTIONS = ("--no-tree", "--no-git", "--no-git-fallback", "--roles", "--no-rolestats")
# An address may be followed by a section's name that was cut within parentheses.
_LINE = re.compile(r"(?P<address>[^<>]*<[^<>]*>|\S+)\s+\((?P<role>.*)\)\s*")
_TO = ("maintainer", "supporter")


def find_program(name: str) -> Path:
    """Return the path of a program, given by its path or by a name in PATH.

    Raises RefusedError if it does not exist or cannot be run.
    """
    path = shutil.which(name)
    if path is None:
        problem = "cannot be run" if Path(name).exists() else "does not exist"
        raise RefusedError(
            f"the program {escape_controls(name)} {problem}",
            code="recipient-sources",
            hint="it must be executable, and take a patch like scripts/get_maintainer.pl",
        )
    return Path(path).absolute()


def ask_program(program: Path, tree: TreeReader, mails: Sequence[Mail]) -> RecipientsByMail:
    """Return the recipients that a program prints for each patch mail.

    Raises ToolError if it fails or prints something that is not an address.
    """
    with scratch_folder("maintainers") as scratch:
        for file in tree.find(_FILES):
            path = scratch / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tree.read(file))
        for mail in mails:
            (scratch / mail.file_name).write_bytes(mail.content)
        recipients = map_parallel(
            lambda mail: _ask(program, scratch, mail.file_name), mails, workers=os.cpu_count() or 1
        )
    names = [mail.file_name for mail in mails]
    # An address without a name is that of a list: people have names in MAINTAINERS.
    lists = {person for found in recipients for person in found.cc if "<" not in person}
    return RecipientsByMail(dict(zip(names, recipients, strict=True)), lists=frozenset(lists))


def _ask(program: Path, scratch: Path, file_name: str) -> Recipients:
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "LC_ALL": "C",
        # The order of Perl's hashes differs from run to run (perlrun).
        "PERL_HASH_SEED": "0",
        "PERL_PERTURB_KEYS": "0",
    }
    completed = run([str(program), *_OPTIONS, file_name], cwd=scratch, env=env, ok=None)
    if completed.returncode != 0:
        raise ToolError(
            f"{program} failed with exit code {completed.returncode}: {completed.errors}",
            code="recipient-sources",
        )
    return parse_recipients(completed.stdout.decode("utf-8", "replace"), str(program))


def parse_recipients(output: str, program: str = "get_maintainer.pl") -> Recipients:
    """Parse the output of `get_maintainer.pl --roles`: one "ADDRESS (ROLE)" per line.

    Raises ToolError for an address that mail cannot be sent to.
    """
    to: list[str] = []
    cc: list[str] = []
    for line in filter(str.strip, output.split("\n")):
        if line.startswith(" ("):
            # The script prints this for a list without an address in MAINTAINERS.
            continue
        match = _LINE.fullmatch(line)
        text, role = (match["address"], match["role"]) if match else (line, "")
        try:
            person = parse_person(text.strip())
        except AddressError as err:
            raise ToolError(
                f"{escape_controls(program)} printed an invalid address: {err}",
                code="recipient-sources",
            ) from None
        address = format_recipient(person.name, person.address)
        if address not in to + cc:
            (to if role.startswith(_TO) else cc).append(address)
    return Recipients(tuple(to), tuple(cc))
