# SPDX-License-Identifier: GPL-2.0-or-later
"""Every kind of repository that a maintainer may have gives the same series."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from patchgen.errors import UsageError
from patchgen.odb import Repository
from tests.support.checks import snapshot

BRANCH = "patchgen/pvops-v4"


@pytest.fixture(autouse=True)
def fixed_date(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1629460000")


def make(patchgen, tree: Path, *args: str | Path) -> dict:
    result = patchgen("apply", "--variant", "pvops", "--tree", tree, "--json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)


@pytest.fixture
def plain_tree(prepared, git, tmp_path) -> str:
    """The id of the tree that an ordinary repository gives."""
    prepared.copy_series(tmp_path / "plain", ())
    return git(tmp_path / "plain", "rev-parse", f"{BRANCH}^{{tree}}")


def test_a_bare_repository(patchgen, toy, git, tmp_path, plain_tree, monkeypatch):
    git(tmp_path, "clone", "-q", "--bare", toy, tmp_path / "bare")
    monkeypatch.chdir(tmp_path)
    document = make(patchgen, tmp_path / "bare")
    assert git(tmp_path / "bare", "rev-parse", f"{BRANCH}^{{tree}}") == plain_tree
    assert Path(document["mails"][0]).parent == tmp_path / "outgoing" / "pvops-v4"


def test_a_linked_work_tree(patchgen, toy, git, tmp_path, plain_tree):
    git(toy, "worktree", "add", "-q", "--detach", tmp_path / "linked")
    document = make(patchgen, tmp_path / "linked" / "arch")
    assert git(toy, "rev-parse", f"{BRANCH}^{{tree}}") == plain_tree
    assert Path(document["mails"][0]).parent == tmp_path / "linked" / "outgoing" / "pvops-v4"


def test_a_shallow_clone(patchgen, toy, git, tmp_path, plain_tree):
    for number in range(3):
        git(toy, "commit", "-q", "--allow-empty", "-m", str(number))
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{toy}", tmp_path / "shallow")
    make(patchgen, tmp_path / "shallow")
    assert git(tmp_path / "shallow", "rev-parse", f"{BRANCH}^{{tree}}") == plain_tree
    git(tmp_path / "shallow", "fsck", "--strict")


def test_a_detached_head(patchgen, toy, git, plain_tree):
    git(toy, "checkout", "-q", "--detach")
    make(patchgen, toy)
    assert git(toy, "rev-parse", f"{BRANCH}^{{tree}}") == plain_tree
    assert git(toy, "rev-parse", "--abbrev-ref", "HEAD").strip() == "HEAD"


def test_a_packed_repository(patchgen, toy, git, plain_tree):
    git(toy, "gc", "-q", "--prune=now")
    make(patchgen, toy)
    assert git(toy, "rev-parse", f"{BRANCH}^{{tree}}") == plain_tree


def test_a_repository_with_sha256(patchgen, toy, git, tmp_path):
    repository = tmp_path / "sha256"
    git(tmp_path, "init", "-q", "--object-format=sha256", "-b", "master", repository)
    git(repository, f"--work-tree={toy}", "add", "-A", "-f", ".")
    git(repository, "commit", "-q", "-m", "toy")
    git(repository, "reset", "-q", "--hard")
    document = make(patchgen, repository)
    assert len(document["tip"]) == 64
    git(repository, "fsck", "--strict")


def test_a_clone_that_borrows_objects(patchgen, toy, git, tmp_path, plain_tree):
    git(tmp_path, "clone", "-q", "--shared", toy, tmp_path / "shared")
    before = snapshot(toy, without="none")
    make(patchgen, tmp_path / "shared")
    assert git(tmp_path / "shared", "rev-parse", f"{BRANCH}^{{tree}}") == plain_tree
    assert snapshot(toy, without="none") == before


def test_a_branch_that_is_made_meanwhile_is_not_lost(patchgen, toy, git, tmp_path, monkeypatch):
    """A slow spatch gives somebody the time to make the branch."""
    slow = tmp_path / "spatch"
    slow.write_text(
        "#!/bin/sh\n"
        f"[ -d {toy}/.git/refs/heads/patchgen ] || git -C {toy} branch {BRANCH} master\n"
        'exec spatch "$@"\n'
    )
    # The first call asks for the version, before the branch is looked up.
    slow.write_text(
        slow.read_text().replace(
            "#!/bin/sh\n", '#!/bin/sh\n[ "$1" = --version ] && exec spatch --version\n'
        )
    )
    slow.chmod(0o755)
    monkeypatch.setenv("SPATCH", str(slow))
    result = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert result.code == 1
    assert "cannot be written" in result.err
    assert git(toy, "rev-parse", BRANCH) == git(toy, "rev-parse", "master")
    assert not (toy / "outgoing").exists()


@pytest.fixture
def commit_meanwhile(toy, tmp_path, monkeypatch) -> None:
    """Let somebody commit to the branch between patchgen's last look at it and its ref update.

    The first `git` in PATH does so when it gets the command that writes the new objects.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(
        f"""#!/bin/sh
PATH=${{PATH#*:}}
case " $* " in *" unpack-objects "*)
  new=$(git -C {toy} commit-tree -m meanwhile -p {BRANCH} {BRANCH}^{{tree}} </dev/null)
  git -C {toy} update-ref refs/heads/{BRANCH} "$new" </dev/null;;
esac
exec git "$@"
"""
    )
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.fixture
def box(tmp_path) -> Path:
    """A review of the first patch."""
    subject = "x86/paravirt: Add an op for page encryption status changes"
    path = tmp_path / "box"
    path.write_text(
        "From bea Thu Jan  1 00:00:00 2026\nFrom: Bea <bea@example.org>\nMessage-ID: <1@x>\n"
        f"Subject: Re: [PATCH v4 1/4] {subject}\n\nReviewed-by: Bea <bea@example.org>\n"
    )
    return path


@pytest.mark.parametrize("command", ["trailers", "apply --force"])
def test_a_commit_added_to_a_branch_meanwhile_is_not_lost(
    patchgen, toy, pvops_on, git, box, command, request
):
    pvops_on()
    request.getfixturevalue("commit_meanwhile")
    args = {
        "trailers": ("trailers", BRANCH, box),
        "apply --force": ("apply", "--variant", "pvops", "--force"),
    }[command]
    result = patchgen(*args, "--tree", toy)
    assert result.code == 1
    assert "cannot be written" in result.err
    assert git(toy, "log", "-1", "--format=%s", BRANCH) == "meanwhile\n"


def test_objects_are_whole(patchgen, toy, git):
    make(patchgen, toy)
    completed = subprocess.run(
        ["git", "-C", toy, "fsck", "--strict", "--full"], capture_output=True, text=True, check=True
    )
    assert "missing" not in completed.stdout + completed.stderr


BRANCH_NAMES = (
    "patchgen/pvops-v4 a-b a/b_c _/_ HEAD a/HEAD -a/b a/-b a-/b a..b a//b a/ /a-b a/b.lock a/.b "
    "a-b~1 refs/heads/a é-é @-@"
)


@pytest.mark.parametrize("branch", [*BRANCH_NAMES.split(), "a b-c"])
def test_a_branch_is_accepted_if_git_accepts_it(tmp_path, git, branch):
    git(tmp_path, "init", "-q")
    args = ["git", "-C", tmp_path, "check-ref-format", "--branch", branch]
    accepted = subprocess.run(args, capture_output=True, check=False).returncode == 0
    with closing(Repository(tmp_path)) as repository:
        try:
            ref = repository.check_branch_name(branch)
        except UsageError:
            ref = ""
    assert ref == (f"refs/heads/{branch}" if accepted and branch[0] != "@" else "")
