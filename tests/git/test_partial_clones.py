# SPDX-License-Identifier: GPL-2.0-or-later
"""Partial clones: what is missing is counted, and fetched only where the user says so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from patchgen.errors import MissingObjectsError
from patchgen.odb import GitTree, Repository, fetch_objects, find_promisors

BRANCH = "patchgen/pvops-v4"
PATCHGEN = (sys.executable, "-m", "patchgen")
FILTERS = ("blob:none", "tree:0")
Clone = Callable[[str], Path]


@pytest.fixture
def source(toy: Path, git) -> Path:
    """A toy tree that serves partial clones."""
    serve_parts(toy, git)
    return toy


def serve_parts(tree: Path, git) -> None:
    git(tree, "config", "uploadpack.allowFilter", "true")
    git(tree, "config", "uploadpack.allowAnySHA1InWant", "true")


@pytest.fixture
def series(source: Path, pvops_on, git) -> Path:
    """The same with a series, a newer base, and its mails in the folder `mails` next to it."""
    pvops_on("-o", "{mails}")
    serve_parts(source, git)
    git(source, "checkout", "-q", "-b", "newer")
    with (source / "arch/x86/kernel/kvm.c").open("a") as file:
        file.write("/* newer */\n")
    git(source, "commit", "-q", "-a", "-m", "newer")
    return source


@pytest.fixture
def clone(source: Path, tmp_path: Path, git) -> Clone:
    """Make a partial clone without a checkout, with the branches of its origin."""

    def make(kind: str, *args: str) -> Path:
        folder = tmp_path / "part"
        args = ("--no-checkout", f"--filter={kind}", *args)
        git(tmp_path, "clone", "-q", *args, f"file://{source}", folder)
        if git(folder, "branch", "-r", "--list", f"origin/{BRANCH}"):
            git(folder, "branch", "-q", BRANCH, f"origin/{BRANCH}")
        return folder

    return make


def count_packs(repository: Path) -> int:
    return len(list((repository / ".git/objects/pack").glob("*.pack")))


def count_loose(repository: Path) -> int:
    return len(list((repository / ".git/objects").glob("??/*")))


@pytest.mark.parametrize("kind", FILTERS)
def test_nothing_is_fetched_unasked(patchgen, clone, kind):
    tree = clone(kind)
    packs, loose = count_packs(tree), count_loose(tree)
    result = patchgen("apply", "--variant", "pvops", "--tree", tree)
    assert result.code == 1
    assert "the repository lacks " in result.err
    assert "hint: this is a partial clone: --fetch-missing fetches them from origin" in result.err
    assert (count_packs(tree), count_loose(tree)) == (packs, loose)
    assert not (tree / "outgoing").exists()


def test_all_files_that_a_run_needs_are_counted_at_once(patchgen, clone, git, source):
    tree = clone("blob:none")
    listed = git(source, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
    needed = [name for name in listed if name.endswith((".c", ".h")) or name == "Makefile"]
    result = patchgen("run", "pvops", "--tree", tree)
    assert result.code == 1
    assert f"the repository lacks {len(needed)} needed objects" in result.err


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILTERS)
def test_what_is_missing_is_fetched_in_batches_and_gives_the_same_series(
    patchgen, source, clone, kind, git, monkeypatch
):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1629460000")
    tree = clone(kind)
    args = ("apply", "--variant", "pvops", "--fetch-missing")
    result = patchgen(*args, "--tree", tree)
    assert result.code == 0, result.err
    # Trees, if they are missing; files that the variant names; files that those lead to.
    assert result.err.count("fetching ") <= 4
    assert patchgen(*args, "--tree", source).code == 0
    ends = [git(folder, "rev-parse", f"{BRANCH}^{{tree}}") for folder in (tree, source)]
    assert ends[0] == ends[1]
    again = patchgen(*args, "--tree", tree, "--dry-run")
    assert again.code == 0 and "fetching " not in again.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "kind"),
    [
        (("status", BRANCH, "--onto", "origin/newer"), "tree:0"),
        (("explain", f"{BRANCH}~1"), "tree:0"),
        (("send", BRANCH, "--dry-run"), "tree:0"),
        (("import", "mails"), "blob:none"),
        (("import", "mails"), "tree:0"),
        (("verify", "mails", "--skip=build", "--skip=code", "--skip=checkpatch"), "blob:none"),
        (("reroll", BRANCH, "--onto", "origin/newer"), "tree:0"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value,
)
def test_each_command_reports_missing_objects_and_works_with_them(
    patchgen, series, clone, tmp_path, args, kind
):
    tree = clone(kind)
    args = tuple(str(tmp_path / "mails") if word == "mails" else word for word in args)
    refused = patchgen(*args, "--tree", tree)
    assert refused.code == 1
    assert "the repository lacks " in refused.err
    assert "--fetch-missing" in refused.err
    result = patchgen(*args, "--tree", tree, "--fetch-missing")
    # The checks of the toy tree's series have findings.
    assert result.code == (1 if args[0] in ("verify", "send") else 0), result.err
    assert "the repository lacks" not in result.err
    assert result.err.count("fetching ") <= 5


def test_standard_input_is_read_once_however_often_is_fetched(series, clone, tmp_path, git):
    tree = clone("blob:none")
    subject = git(tree, "log", "-1", "--format=%s", BRANCH).strip()
    mail = (
        "From bea Thu Jan  1 00:00:00 2026\nFrom: Bea <bea@example.org>\nMessage-ID: <1@x>\n"
        f"Subject: Re: [PATCH v4 4/4] {subject}\n\nReviewed-by: Bea <bea@example.org>\n"
    )
    box = tmp_path / "box"
    box.write_text(mail)
    with box.open() as stdin:
        result = subprocess.run(
            [*PATCHGEN, "trailers", BRANCH, "-", "--tree", tree, "--fetch-missing"],
            stdin=stdin,
            capture_output=True,
            check=False,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
    assert result.returncode == 0, result.stderr
    assert "Reviewed-by: Bea" in git(tree, "log", "-1", "--format=%B", BRANCH)


def test_a_branch_of_a_partial_clone_can_be_made_and_published(patchgen, clone, git):
    tree = clone("blob:none", "--depth=1")
    args = ("apply", "--variant", "pvops", "--tree", tree, "--fetch-missing")
    assert patchgen(*args).code == 0
    git(tree, "fsck", "--strict")
    assert patchgen(*args).err.startswith("patchgen: the branch ")


def test_a_linked_work_tree_of_a_partial_clone(patchgen, clone, git, tmp_path):
    tree = clone("blob:none")
    git(tree, "checkout", "-q", "HEAD")
    git(tree, "worktree", "add", "-q", "--detach", tmp_path / "linked")
    result = patchgen("apply", "--variant", "pvops", "--tree", tmp_path / "linked")
    assert result.code == 0, result.err


def test_a_sparse_checkout_of_a_partial_clone(patchgen, clone, git):
    tree = clone("blob:none", "--sparse")
    git(tree, "sparse-checkout", "set", "include")
    git(tree, "checkout", "-q", "HEAD")
    result = patchgen("run", "pvops", "--tree", tree)
    assert result.code == 1
    assert "the repository lacks " in result.err


def test_objects_that_no_remote_has_are_reported_and_requested_once(patchgen, source, clone, git):
    tree = clone("blob:none")
    oid = git(source, "rev-parse", "HEAD:MAINTAINERS").strip()
    (source / ".git/objects" / oid[:2] / oid[2:]).unlink()
    result = patchgen("apply", "--variant", "pvops", "--tree", tree, "--fetch-missing")
    assert result.code == 1
    assert result.err.count("fetching ") == 1


def test_a_remote_that_promised_nothing_is_not_asked(source, clone, git):
    tree = clone("blob:none")
    repository = Repository(tree)
    assert find_promisors(repository) == ("origin",)
    git(tree, "remote", "add", "other", "file:///nowhere")
    assert find_promisors(repository) == ("origin",)
    oid = repository.run("rev-parse", "HEAD:Makefile").stdout.decode().strip()
    fetch_objects(repository, [oid])
    assert repository.read_blob(oid) == (source / "Makefile").read_bytes()
    files = GitTree(repository, repository.resolve_tree(repository.resolve_commit("HEAD")))
    with pytest.raises(MissingObjectsError):
        files.read(files.find(["MAINTAINERS"])[0])
    repository.close()


def test_a_whole_repository_that_lacks_an_object_gets_no_advice_to_fetch(patchgen, toy, git):
    oid = git(toy, "rev-parse", "HEAD:arch/x86/kernel/kvm.c").strip()
    (toy / ".git/objects" / oid[:2] / oid[2:]).unlink()
    result = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert result.code == 1
    assert f"the repository lacks the content of arch/x86/kernel/kvm.c ({oid})" in result.err
    assert "git fsck" in result.err


def test_the_name_of_a_remote_is_never_an_option(source, clone, git, tmp_path):
    tree = clone("blob:none")
    trace = tmp_path / "trace"
    git(tree, "config", "--rename-section", "remote.origin", f"remote.--upload-pack=touch {trace};")
    repository = Repository(tree)
    oid = repository.run("rev-parse", "HEAD:Makefile").stdout.decode().strip()
    try:
        fetch_objects(repository, [oid])
        assert repository.read_blob(oid) == (source / "Makefile").read_bytes()
    finally:
        repository.close()
    assert not trace.exists()
