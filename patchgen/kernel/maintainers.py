"""Who gets a patch: the tree's own scripts/get_maintainer.pl, run in a folder of its own.

The script and the files that it reads come from the base commit, so no checkout is needed, and a
work tree that is at another commit does not matter.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from patchgen.errors import ToolError
from patchgen.model.base import TreeReader
from patchgen.model.series import Mail, Recipients
from patchgen.process import map_parallel, run
from patchgen.scratch import scratch_folder

SCRIPT = "scripts/get_maintainer.pl"
# MAINTAINERS may be a folder of files (get_maintainer.pl --mpath).
_FILES = (SCRIPT, "MAINTAINERS", "MAINTAINERS/**", ".get_maintainer.ignore", ".mailmap")
# --git and its fallback guess from the log, which proposes whoever once fixed a typo there.
_OPTIONS = ("--no-tree", "--no-git", "--no-git-fallback", "--roles", "--no-rolestats")
_LINE = re.compile(r"^(?P<address>.*?\S)\s+\((?P<role>[^()]*(?:\([^()]*\)[^()]*)*)\)$")
_TO = ("maintainer", "supporter")


def find_recipients(tree: TreeReader, mails: Sequence[Mail]) -> Mapping[str, Recipients] | None:
    """Return for each patch mail, by file name, who gets it. None: the tree has no such script.

    Maintainers and supporters go to To, reviewers and lists to Cc. Raises ToolError where the
    script fails.
    """
    files = tree.find(_FILES)
    if SCRIPT not in {str(file.path) for file in files}:
        return None
    with scratch_folder("maintainers") as scratch:
        for file in files:
            path = scratch / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tree.read(file))
        for mail in mails:
            (scratch / mail.file_name).write_bytes(mail.content)
        found = map_parallel(
            lambda mail: _ask(scratch, mail.file_name), mails, workers=os.cpu_count() or 1
        )
    return {mail.file_name: recipients for mail, recipients in zip(mails, found, strict=True)}


def _ask(scratch: Path, file_name: str) -> Recipients:
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "LC_ALL": "C",
        # The script prints in the order of Perl's hashes, which differs from run to run (perlrun).
        "PERL_HASH_SEED": "0",
        "PERL_PERTURB_KEYS": "0",
    }
    done = run(["perl", SCRIPT, *_OPTIONS, file_name], cwd=scratch, env=env, ok=None)
    if done.returncode != 0:
        raise ToolError(f"{SCRIPT} failed with exit code {done.returncode}: {done.errors}")
    return parse_recipients(done.stdout.decode("utf-8", "replace"))


def parse_recipients(output: str) -> Recipients:
    """Read the output of `get_maintainer.pl --roles`: one "ADDRESS (ROLE)" a line."""
    to: list[str] = []
    cc: list[str] = []
    for line in output.splitlines():
        match = _LINE.match(line)
        if match is None:
            if "@" in line:
                cc.append(line.strip())
            continue
        chosen = to if match["role"].startswith(_TO) else cc
        if match["address"] not in to + cc:
            chosen.append(match["address"])
    return Recipients(tuple(to), tuple(cc))


def join_recipients(all_recipients: Sequence[Recipients]) -> Recipients:
    """Return everybody who gets any of the patches, for the cover letter."""
    to = dict.fromkeys(address for each in all_recipients for address in each.to)
    cc = dict.fromkeys(address for each in all_recipients for address in each.cc)
    return Recipients(tuple(to), tuple(address for address in cc if address not in to))
