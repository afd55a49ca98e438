"""Killed at any moment, patchgen leaves refs and status as they were, or as they shall be."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import TOY_TREE
from tests.support.checks import snapshot

BRANCH = "patchgen/pvops-v4"
TRIES = 50


def start(tree: Path, *words: str | Path) -> subprocess.Popen:
    """Run apply in a process group of its own, which a signal can reach as a whole."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "patchgen",
            "apply",
            "--variant",
            "pvops",
            "--tree",
            tree,
            "--force",
            *words,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(TOY_TREE.parent.parent)},
        start_new_session=True,
    )


def test_kill_9_at_random_moments(toy, git, monkeypatch, tmp_path):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1629460000")
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    before = snapshot(toy, without=BRANCH)
    begin = time.monotonic()
    assert start(toy).wait() == 0
    whole = time.monotonic() - begin
    tip = git(toy, "rev-parse", BRANCH)
    moments = random.Random(20210820)
    made = 0
    for attempt in range(TRIES):
        git(toy, "update-ref", "-d", f"refs/heads/{BRANCH}")
        process = start(toy)
        # Most of the time goes by before anything could be written; try the end more often.
        time.sleep(whole * moments.choice([moments.uniform(0, 1.1), moments.uniform(0.6, 1.1)]))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        refs = git(toy, "for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}")
        assert refs in ("", tip), f"try {attempt}: {refs}"
        made += bool(refs)
        assert snapshot(toy, without=BRANCH) == before, f"try {attempt}"
        said = git(toy, "fsck", "--connectivity-only")
        assert "missing" not in said and "broken" not in said, said
    assert start(toy).wait() == 0
    assert git(toy, "rev-parse", BRANCH) == tip
    print(json.dumps({"tries": TRIES, "finished before the kill": made}))
