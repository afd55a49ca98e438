# SPDX-License-Identifier: GPL-2.0-or-later
"""A series rerolled from one real kernel to another, with a hand edit, and sent."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Patchgen
from tests.mail.test_send import as_files, delivered_once
from tests.support.checks import apply_mails
from tests.support.kernels import clone_bare
from tests.support.smtp import serve

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

V4, V5 = "patchgen/pvops-v4", "patchgen/pvops-v5"
TDX = "arch/x86/coco/tdx/tdx.c"
COMMENT = b"\n/* By hand. */\n"


def amend_tip(repository: Path, branch: str, path: str, index: Path) -> None:
    """Put a comment at the end of a file in the last commit of a branch, without a work tree."""
    git = ["git", "-C", str(repository)]

    def run(*args: str, content: bytes | None = None) -> str:
        env = {**os.environ, "GIT_INDEX_FILE": str(index)}
        result = subprocess.run(
            [*git, *args], input=content, capture_output=True, check=True, env=env
        )
        return result.stdout.decode().strip()

    before = subprocess.run([*git, "show", f"{branch}:{path}"], capture_output=True, check=True)
    blob = run("hash-object", "-w", "--stdin", content=before.stdout + COMMENT)
    run("read-tree", branch)
    run("update-index", "--cacheinfo", f"100644,{blob},{path}")
    message = run("show", "-s", "--format=%B", branch).encode()
    commit = run("commit-tree", run("write-tree"), "-p", f"{branch}~1", content=message)
    run("update-ref", f"refs/heads/{branch}", commit)


def test_from_6_1_to_6_12(
    patchgen: Patchgen, kernel_6_1: Path, kernel_6_12: Path, git, tmp_path: Path
):
    repository = clone_bare(kernel_6_1, tmp_path / "linux.git")
    with (repository / "objects/info/alternates").open("a") as alternates:
        alternates.write(f"{kernel_6_12 / '.git/objects'}\n")
    newer = git(kernel_6_12, "rev-parse", "HEAD").strip()
    git(repository, "update-ref", "refs/heads/newer", newer)
    result = patchgen(
        "apply", "--variant", "pvops", "--tree", repository, "--base", "master", "--signoff",
        "-o", tmp_path / "out", "--quiet",
    )  # fmt: skip
    assert result.code == 0, result.err
    amend_tip(repository, V4, TDX, tmp_path / "index")
    args = ("reroll", "--tree", repository, V4, "--onto", newer, "-o", tmp_path / "v5", "--json")
    result = patchgen(*args)
    assert result.code == 0, result.err + result.out
    document = json.loads(result.out)
    assert document["branch"] == V5 and document["dropped_tags"] == []
    edited = git(repository, "show", f"{V5}:{TDX}").encode()
    assert edited.endswith(COMMENT)
    verified = patchgen(
        "verify", V5, "--tree", repository, "--skip", "build", "--skip", "code", "--json"
    )
    assert verified.code == 0, verified.out
    with serve(tmp_path) as server:
        for key, value in (("smtpServer", "127.0.0.1"), ("smtpServerPort", str(server.port))):
            git(repository, "config", f"sendemail.{key}", value)
        result = patchgen("send", "--tree", repository, V5, "--yes", "--skip-checks")
        assert result.code == 0, result.err
        delivered_once(server.received)
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "-q", "--shared", "--no-checkout", repository, clone)
        git(clone, "sparse-checkout", "set", "--no-cone", "/arch/x86/")
        files = as_files(server.received[1:], tmp_path / "in")
        tree = git(repository, "rev-parse", f"{V5}^{{tree}}").strip()
        assert apply_mails(clone, "origin/newer", files) == tree
