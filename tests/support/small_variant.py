# SPDX-License-Identifier: GPL-2.0-or-later
"""A variant of one patch, and a kernel tree of three files: a series in a fraction of a second."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

VARIANT = {
    "manifest.toml": """\
schema = 1

[variant]
name = "mine"
title = "toy: Mine"
cover = "cover.txt.j2"

[[patch]]
name = "kconfig"
message = "message.txt.j2"
probe = { file = "Kconfig", tokens = "config NEW" }

[[patch.lines]]
file = "Kconfig"
template = "new.j2"
before = "config LAST"
""",
    "cover.txt.j2": "toy: Mine\n\nIt is new.\n",
    "message.txt.j2": "toy: Do it\n\nBecause.\n",
    "new.j2": "config NEW\n",
}
_OPTIONAL_PATCH = """
[[patch]]
name = "maybe"
message = "message.txt.j2"
probe = {{ file = "{file}", tokens = "maybe_new(" }}
optional = true
[[patch.rules]]
file = "maybe.cocci.j2"
on = "{file}"
must_fire = {{ maybe = 1 }}
"""
RULE = "@@ expression x; @@\n- kfree(x);\n+ kvfree(x);\n"


def make_small_tree(folder: Path, git: Callable[..., str]) -> Path:
    """Make the tree, and next to it the variant `mine` and the semantic patch free.cocci."""
    for name, text in VARIANT.items():
        path = folder / "mine" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    (folder / "free.cocci").write_text(RULE)
    top = folder / "linux"
    git(folder, "init", "-q", "-b", "master", top)
    (top / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n")
    (top / "Kconfig").write_text("config LAST\n")
    for name in ("x.c", "y.c"):
        (top / name).write_text("void f(void *p)\n{\n\tkfree(p);\n}\n")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "base")
    return top


def add_optional_patch(variant: Path, file: str) -> None:
    """Add an optional patch `maybe` to a variant; it renames maybe_old() in a file."""
    with (variant / "manifest.toml").open("a") as manifest:
        manifest.write(_OPTIONAL_PATCH.format(file=file))
    rule = "@maybe@\nposition p;\n@@\n-maybe_old@p\n+maybe_new\n (...)\n"
    (variant / "maybe.cocci.j2").write_text(rule)


def apply_small(patchgen, tree: Path, *args: str | Path) -> dict:
    """Apply the variant and return the document of --json."""
    variant = tree.parent / "mine"
    result = patchgen("apply", "--variant", variant, "--tree", tree, "--json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)


def message_ids(document: dict) -> list[str]:
    """Return the message-ids of the mails that a document names, with brackets."""
    texts = [Path(mail).read_text() for mail in document["mails"]]
    return [re.search(r"^Message-ID: (.*)$", text, re.MULTILINE)[1] for text in texts]
