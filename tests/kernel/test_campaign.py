# SPDX-License-Identifier: GPL-2.0-or-later
"""A treewide change of Debian's 6.1, split by maintainer."""

from __future__ import annotations

import email
import email.policy
import json
import re
import subprocess
from email.utils import getaddresses
from pathlib import Path

import pytest

from tests.support.kernels import clone_bare

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel-read")]

RULE = "scripts/coccinelle/free/ifnulldev_put.cocci"
# The options of get_maintainer.pl, as submitting-patches.rst has them, without guesses from the git
# log, which Debian's tree does not have.
OPTIONS = ("--no-tree", "--no-git", "--no-git-fallback", "--no-rolestats", "--no-roles", "--no-n")


@pytest.fixture(scope="module")
def checkout(kernel_6_1: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a work tree for this test, with the files that the rule may change."""
    folder = tmp_path_factory.mktemp("campaign") / "linux"
    subprocess.run(
        ["git", "clone", "-q", "--shared", "--no-checkout", kernel_6_1, folder], check=True
    )
    names = ["drivers/net", "drivers/infiniband", "net", "include", "scripts", "MAINTAINERS"]
    names += [".mailmap", ".get_maintainer.ignore"]
    subprocess.run(["git", "-C", folder, "read-tree", "HEAD"], check=True)
    subprocess.run(["git", "-C", folder, "checkout", "-q", "HEAD", "--", *names], check=True)
    return folder


def test_each_patch_applies_alone_and_goes_to_its_maintainers(
    kernel_6_1, checkout, patchgen, git, tmp_path
):
    repository = clone_bare(kernel_6_1, tmp_path / "linux.git")
    args = ("run", RULE, "--mode", "patch", "--trust", "--tree", repository)
    out = tmp_path / "out"
    split = patchgen(*args, "--split", "maintainer", "-o", out, "--json")
    assert split.code == 0, split.err
    document = json.loads(split.out)
    series, [result] = document["series"], document["results"]
    assert len(series["patches"]) > 5
    unsplit = patchgen(*args)
    assert unsplit.out.count("diff --git") == len(result["edits"])
    for mail in map(Path, series["mails"][1:]):
        git(checkout, "apply", "--cached", "--check", mail)
        assert sent_to(mail) == maintainers(checkout, mail)
    (tmp_path / "whole.diff").write_text(unsplit.out)
    git(checkout, "apply", "--cached", tmp_path / "whole.diff")
    tree = git(checkout, "write-tree").strip()
    git(checkout, "read-tree", "HEAD")
    assert git(repository, "rev-parse", f"{series['tip']}^{{tree}}").strip() == tree
    files = [name for patch in series["patches"] for name in patch["files"]]
    assert sorted(files) == sorted(patch["path"] for patch in result["edits"])
    assert len({patch["subject"] for patch in series["patches"]}) == len(series["patches"])


def test_each_patch_for_a_git_tree_stands_alone(kernel_6_12, patchgen, git, tmp_path):
    """The timer rename on three architectures of 6.12: git am, and not only git apply."""
    repository = clone_bare(kernel_6_12, tmp_path / "linux.git")
    folders = ("arch/arm", "arch/mips", "arch/x86")
    args = ("run", "timer-delete", *folders, "--tree", repository)
    split = patchgen(*args, "--split", "tree", "-o", tmp_path / "out", "--json")
    assert split.code == 0, split.err
    series = json.loads(split.out)["series"]
    patches, mails = series["patches"], series["mails"][1:]
    files = [name for patch in patches for name in patch["files"]]
    assert len(patches) >= 3 and len(files) == len(set(files))
    assert len({patch["subject"] for patch in patches}) == len(patches)
    work = tmp_path / "work"
    git(tmp_path, "clone", "-q", "--shared", "--no-checkout", repository, work)
    git(work, "sparse-checkout", "set", "--no-cone", *(f"/{name}" for name in files))
    git(work, "checkout", "-q", "--detach", "origin/master")
    for patch, mail in zip(patches, mails, strict=True):
        git(work, "am", "-q", mail)
        changed = git(work, "diff-tree", "-r", "HEAD~1", "HEAD")
        assert changed == git(work, "diff-tree", "-r", f"{patch['commit']}~1", patch["commit"])
        assert [line.split("\t")[1] for line in changed.splitlines()] == patch["files"]
        git(work, "reset", "-q", "--hard", "origin/master")
    git(work, "am", "-q", *mails)
    together = git(work, "rev-parse", "HEAD^{tree}")
    assert together == git(repository, "rev-parse", f"{series['tip']}^{{tree}}")
    git(work, "reset", "-q", "--hard", "origin/master")
    (tmp_path / "whole.diff").write_text(patchgen(*args).out)
    git(work, "apply", "--index", tmp_path / "whole.diff")
    assert git(work, "write-tree") == together


def sent_to(mail: Path) -> set[str]:
    message = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
    return addresses([str(message["To"] or ""), str(message["Cc"] or "")])


def maintainers(tree: Path, mail: Path) -> set[str]:
    result = subprocess.run(
        ["perl", "scripts/get_maintainer.pl", *OPTIONS, mail],
        cwd=tree,
        capture_output=True,
        text=True,
        check=True,
    )
    return addresses([re.sub(r"\s*\(.*\)$", "", line) for line in result.stdout.splitlines()])


def addresses(texts: list[str]) -> set[str]:
    return {address for _, address in getaddresses(texts) if address}
