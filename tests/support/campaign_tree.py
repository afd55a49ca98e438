# SPDX-License-Identifier: GPL-2.0-or-later
"""A small kernel tree of three subsystems, whose files a semantic patch of campaigns changes."""

from __future__ import annotations

from pathlib import Path

from tests.support.call_rule import format_function, format_rule
from tests.support.kernels import commit_all

FILES = ("drivers/net/a.c", "drivers/net/b.c", "fs/f/f.c", "lib/l.c")
MAINTAINERS = """\
ACME NETWORKING
M:	Ada Acme <acme@example.org>
L:	netdev@example.org
T:	git git://git.example.org/net.git
F:	drivers/net/

FILESYSTEM F
M:	Fay <fay@example.org>
T:	git git://git.example.org/f.git
F:	fs/f/
"""
BRANCH = "patchgen/call-v1"


def make_campaign_tree(folder: Path) -> Path:
    """Write the tree and its only commit, and return a semantic patch next to it."""
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(format_function(Path(name).stem))
    (folder / "MAINTAINERS").write_text(MAINTAINERS)
    commit_all(folder, "start")
    rule = folder.parent / "call.cocci"
    rule.write_text(format_rule())
    return rule
