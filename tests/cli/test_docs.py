# SPDX-License-Identifier: GPL-2.0-or-later
"""Each command in README.md and in docs/ works, and prints the output that the page shows."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from tests.support import TOP
from tests.support.documents import (
    PAGES,
    VARYING_BY_RELEASE,
    Session,
    find_missing,
    read_sessions,
    run_session,
)
from tests.support.programs import install_patchgen

SESSIONS = [session for page in PAGES for session in read_sessions(page)]
ON_TOY = [session for session in SESSIONS if session.tree in ("toy", "series")]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a user who has installed patchgen."""
    (folder / "bin").mkdir()
    program = install_patchgen(folder / "bin" / "patchgen")
    return {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}


@pytest.mark.parametrize("session", ON_TOY, ids=lambda session: session.page)
def test_each_command_of_a_page_works_as_shown(session: Session, tmp_path, prepared):
    tree = tmp_path / "linux"
    if session.tree == "series":
        prepared.copy_series(tree, ("--signoff",))
    else:
        prepared.copy_toy(tree)
    faults = run_session(session, tmp_path, environment(tmp_path))
    assert not faults, "\n\n".join(faults)


def test_every_session_runs_somewhere():
    assert {session.tree for session in SESSIONS} == {"toy", "series", "6.1"}


CALLS = {
    "apply": ["pvops", "--dry-run", "--branch", "other"],
    "run": ["../a.cocci", "arch/x86/xen"],
    "verify": ["--skip", "checkpatch", "--skip", "sections", "--skip", "build", "--skip", "code"],
    "reroll": ["--dry-run"],
    "trailers": ["--dry-run", "../reply.eml"],
    "explain": ["HEAD"],
    "send": ["--dry-run"],
    "show": ["pvops"],
    "show RECIPE": ["strscpy"],
    **{name: [] for name in ("list", "report", "status", "format", "trust")},
    **{name: [] for name in ("variants", "config", "doctor")},
    "import": ["outgoing/pvops-v4"],
    "test": ["strscpy"],
    "check": ["x86-platform"],
    "new": ["mine", "--rename", "a=b"],
}


def read_documented_keys() -> dict[str, list[str]]:
    """Return the keys of --json by command, as docs/files-and-formats.md lists them."""
    page = (TOP / "docs/files-and-formats.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w ]+)` \| (.*) \|$", page[page.index("## JSON") :], re.MULTILINE)
    return {name: re.findall(r"`(\w+)`", keys) for name, keys in rows}


def test_the_keys_of_json_are_as_documented(patchgen, pvops, git):
    git(pvops, "switch", "-q", "patchgen/pvops-v4")
    (pvops.parent / "a.cocci").write_text("@r@\n@@\n-old()\n+new()\n")
    mail = next(pvops.glob("outgoing/pvops-v4/v4-0001-*")).read_text()
    reply = re.sub(r"^(Subject: |Message-ID: <)", r"\1re", mail, flags=re.MULTILINE)
    (pvops.parent / "reply.eml").write_text(reply)
    printed = {}
    for name, args in CALLS.items():
        result = patchgen(name.partition(" ")[0], *args, "--json", cwd=pvops)
        assert result.out, f"{name}: {result.err}"
        document = json.loads(result.out)
        printed[name] = list(document[0] if isinstance(document, list) else document)
    documented = read_documented_keys()
    # Keys of certain calls only.
    for name, key in (("run", "series"), ("status", "series"), ("apply", "diffs")):
        documented[name].remove(key)
    assert printed == documented


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("one two\n...\nfour\n", ""),
        ("base 0123456789ab, 3.1 s\n", ""),
        ("two ... four\n", ""),
        ("two\n...\none\n", "one"),
        ("one three\n", "one three"),
    ],
)
def test_output_that_differs_is_noticed(shown, missing):
    printed = "one  two\nthree\nfour\nbase fedcba987654,\n12.5 s\n"
    assert find_missing(shown, printed) == missing


@pytest.mark.parametrize(
    ("shown", "missing"),
    [
        ("net/a.c:9: wrong\nr: 1 hit in 1 file\n", ""),
        ("r: 7 hits in 3 files\n", ""),
        ("net/b.c:9: wrong\n", "net/b.c:9: wrong"),
        ("s: 4 hits in 2 files\n", "s: 4 hits in 2 files"),
    ],
)
def test_on_a_kernel_only_numbers_may_differ(shown, missing):
    printed = "net/a.c:12: wrong\nr: 4 hits in 2 files\n"
    assert find_missing(shown, printed, VARYING_BY_RELEASE) == missing
