# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen status` on a small tree: a campaign of a patch a file, and what upstream made of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from patchgen.mail import read_mails
from patchgen.odb import Repository, record_sent
from patchgen.pipeline.journal import Journal, MailState, begin_entries, set_state
from patchgen.series import SeriesBranch, read_branch
from tests.conftest import Patchgen
from tests.support import TOP
from tests.support.checks import snapshot
from tests.support.kernels import commit_all

Git = Callable[..., str]
CAMPAIGN = "patchgen/zalloc-v1"
NAMES = ("drivers/a.c", "drivers/b.c", "fs/c.c", "fs/d.c")

ZALLOC = """\
/// Use kzalloc rather than kmalloc and memset
@change@
expression x, e;
statement S;
@@
- x = kmalloc(e, GFP_KERNEL);
+ x = kzalloc(e, GFP_KERNEL);
  if (!x) S
- memset(x, 0, e);
"""
# One function with a place that the semantic patch changes, in two hunks.
PLACE = """\
struct NAME *make_NAME(void)
{
	struct NAME *t;

	t = kmalloc(sizeof(struct NAME), GFP_KERNEL);
	if (!t)
		return NULL;
	memset(t, 0, sizeof(struct NAME));
	t->count = COUNT_NAME;
	return t;
}
"""
PLAIN = "int plain_NAME(int a)\n{\n\tint twice = 2 * a;\n\n\treturn twice + PLAIN_NAME;\n}\n"


def write_file(tree: Path, name: str) -> Path:
    """Write a file with two places, far enough from each other, and a function of no interest."""
    stem = Path(name).stem
    functions = [
        f"struct {stem} {{\n\tint count;\n}};\n",
        PLACE.replace("NAME", stem),
        PLAIN.replace("NAME", stem),
        PLACE.replace("make_NAME", "more_NAME").replace("NAME", stem),
    ]
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(functions))
    return path


@pytest.fixture
def tree(patchgen: Patchgen, tmp_path: Path) -> Path:
    """Return a tree on master, with a campaign of a patch a file, in the order of NAMES."""
    folder = tmp_path / "tree"
    for name in NAMES:
        write_file(folder, name)
    commit_all(folder, "start")
    (tmp_path / "zalloc.cocci").write_text(ZALLOC)
    args = ("--tree", folder, "--split", "file", "--to", "list@example.org", "--json")
    result = patchgen("run", tmp_path / "zalloc.cocci", *args)
    assert result.code == 0, result.err
    assert len(json.loads(result.out)["series"]["patches"]) == len(NAMES)
    return folder


def edit(tree: Path, name: str, *changes: tuple[str, str]) -> None:
    path = tree / name
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)


def commit(git: Git, tree: Path, subject: str) -> str:
    git(tree, "add", "-A", "drivers", "fs")
    git(tree, "commit", "-q", "-m", subject)
    return git(tree, "rev-parse", "HEAD").strip()


def pick(git: Git, tree: Path, name: str) -> str:
    """Let upstream take the patch for a file, under a subject of its own."""
    git(tree, "cherry-pick", f"{CAMPAIGN}~{len(NAMES) - 1 - NAMES.index(name)}")
    git(tree, "commit", "-q", "--amend", "-m", f"taken: {name}")
    return git(tree, "rev-parse", "HEAD").strip()


def status(patchgen: Patchgen, tree: Path, *args: str) -> dict:
    result = patchgen("status", CAMPAIGN, "--tree", tree, "--json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)


def states(document: dict) -> list[str]:
    return [patch["state"] for patch in document["patches"]]


def oids(commits: Sequence[dict]) -> list[str]:
    return [commit["commit"] for commit in commits]


def test_each_of_the_four_states_is_printed(patchgen, tree, git):
    taken = pick(git, tree, "drivers/a.c")
    edit(tree, "drivers/b.c", ("twice", "double"))
    commit(git, tree, "b: Rename a variable")
    edit(tree, "fs/c.c", ("kmalloc(sizeof(struct c)", "devm_kmalloc(dev, sizeof(struct c)"))
    commit(git, tree, "c: Let the device own it")
    git(tree, "rm", "-q", "fs/d.c")
    removed = commit(git, tree, "d: Remove the driver")
    before = snapshot(tree, without="none")
    objects = git(tree, "count-objects", "-v")

    result = patchgen("status", CAMPAIGN, "--tree", tree)
    assert (result.code, result.err) == (0, "")
    base = git(tree, "rev-parse", "--short=12", "master~4").strip()
    onto = git(tree, "rev-parse", "--short=12", "master").strip()
    assert result.out.splitlines() == [
        f"{CAMPAIGN} on {base}, against master ({onto}), 4 commits newer",
        "  1/4 applied    a: Use kzalloc rather than kmalloc and memset",
        f'        by {taken[:12]} ("taken: drivers/a.c")',
        "  2/4 needed     b: Use kzalloc rather than kmalloc and memset",
        "  3/4 conflicts  c: Use kzalloc rather than kmalloc and memset",
        "        fs/c.c: conflicts",
        "  4/4 gone       d: Use kzalloc rather than kmalloc and memset",
        f'        fs/d.c: deleted by {removed[:12]} ("d: Remove the driver")',
        "",
        "4 patches: 1 applied, 1 needed, 1 conflicting, 1 gone",
        f"The newer base may have new places: patchgen reroll {CAMPAIGN} --onto master",
    ]
    document = status(patchgen, tree)
    assert states(document) == ["applied", "needed", "conflicts", "gone"]
    assert document["counts"] == {"applied": 1, "needed": 1, "conflicts": 1, "gone": 1}
    assert document["onto"] == {"commit": removed, "name": "master"}
    assert oids(document["patches"][0]["by"]) == [taken]
    assert document["patches"][3]["files"][0]["deleted_by"]["commit"] == removed
    # Not an object is written, nor a ref.
    assert snapshot(tree, without="none") == before
    assert git(tree, "count-objects", "-v") == objects


def test_a_change_that_upstream_has_in_part_is_needed(patchgen, tree, git):
    edit(tree, "drivers/a.c", ("twice", "double"))
    text = (tree / "drivers/a.c").read_text()
    first, rest = text.split("int plain_a")
    first = first.replace("kmalloc", "kzalloc").replace("\tmemset(t, 0, sizeof(struct a));\n", "")
    (tree / "drivers/a.c").write_text(f"{first}int plain_a{rest}")
    half = commit(git, tree, "a: Use kzalloc once")
    patch = status(patchgen, tree)["patches"][0]
    [file] = patch["files"]
    assert (patch["state"], patch["partly_applied"]) == ("needed", True)
    assert (file["hunks"], file["present"], oids(file["by"])) == (4, 2, [half])
    result = patchgen("status", CAMPAIGN, "--tree", tree)
    expected = f'drivers/a.c: 2 of 4 hunks already there, by {half[:12]} ("a: Use kzalloc once")'
    assert expected in result.out
    assert "4 patches: 0 applied, 4 needed (1 of them in part), 0 conflicting" in result.out
    # The other half makes it whole, and both are named.
    pick_rest = (tree / "drivers/a.c").read_text().replace("kmalloc", "kzalloc")
    pick_rest = pick_rest.replace("\tmemset(t, 0, sizeof(struct a));\n", "")
    (tree / "drivers/a.c").write_text(pick_rest)
    other = commit(git, tree, "a: Use kzalloc again")
    patch = status(patchgen, tree)["patches"][0]
    assert (patch["state"], oids(patch["by"])) == ("applied", [other, half])


def test_one_of_two_files_is_enough_to_be_partly_applied(patchgen, tree, git):
    args = ("--split", "none", "--branch", "whole", "--base", "master", "--quiet")
    result = patchgen("run", tree.parent / "zalloc.cocci", "--tree", tree, *args, "--force")
    assert result.code == 0, result.err
    taken = pick(git, tree, "fs/c.c")
    result = patchgen("status", "whole", "--tree", tree)
    assert "  1/1 needed     " in result.out
    assert f'fs/c.c: already there, by {taken[:12]} ("taken: fs/c.c")' in result.out


def test_a_patch_that_upstream_made_along_with_more_is_applied(patchgen, tree, git):
    """git's own merge stops at the neighbouring line."""
    changes = [
        ("kmalloc", "kzalloc"),
        ("\tmemset(t, 0, sizeof(struct a));\n", ""),
        ("if (!t)", "if (unlikely(!t))"),
    ]
    edit(tree, "drivers/a.c", *changes)
    tidied = commit(git, tree, "a: Tidy up")
    patch = status(patchgen, tree)["patches"][0]
    assert (patch["state"], oids(patch["by"])) == ("applied", [tidied])


def test_a_patch_that_upstream_applied_and_then_changed_is_applied(patchgen, tree, git):
    taken = pick(git, tree, "drivers/a.c")
    edit(tree, "drivers/a.c", ("kzalloc(", "devm_kzalloc(dev, "))
    commit(git, tree, "a: Let the device own it")
    patch = status(patchgen, tree)["patches"][0]
    assert (patch["state"], oids(patch["by"])) == ("applied", [taken])


def test_a_patch_that_upstream_applied_and_reverted_is_needed(patchgen, tree, git):
    pick(git, tree, "drivers/a.c")
    git(tree, "revert", "--no-edit", "HEAD")
    undone = git(tree, "rev-parse", "HEAD").strip()
    patch = status(patchgen, tree)["patches"][0]
    assert patch["state"] == "needed" and patch["by"] == []
    assert patch["files"][0]["undone_by"]["commit"] == undone
    shown = patchgen("status", CAMPAIGN, "--tree", tree).out
    assert f"drivers/a.c: was applied, then reverted by {undone[:12]}" in shown
    # Taken once more, it is there.
    again = pick(git, tree, "drivers/a.c")
    patch = status(patchgen, tree)["patches"][0]
    assert (patch["state"], oids(patch["by"])) == ("applied", [again])


def test_a_renamed_file_is_followed(patchgen, tree, git):
    taken = pick(git, tree, "fs/c.c")
    (tree / "fs/new").mkdir()
    for name in ("c.c", "d.c"):
        git(tree, "mv", f"fs/{name}", f"fs/new/x{name}")
    edit(tree, "fs/new/xd.c", ("twice", "double"))
    commit(git, tree, "fs: Move")
    # Its namesake is a new file that has nothing to do with it.
    (tree / "fs/d.h").write_text("int d;\n")
    commit(git, tree, "fs: Add d.h")
    patches = status(patchgen, tree)["patches"]
    assert [patch["state"] for patch in patches] == ["needed", "needed", "applied", "needed"]
    assert oids(patches[2]["by"]) == [taken]
    assert patches[3]["files"][0]["renamed_to"] == "fs/new/xd.c"
    assert "fs/d.c: renamed to fs/new/xd.c" in patchgen("status", CAMPAIGN, "--tree", tree).out
    edit(tree, "fs/new/xd.c", ("kmalloc(sizeof(", "devm_kmalloc(dev, sizeof("))
    commit(git, tree, "xd: Let the device own it")
    [file] = status(patchgen, tree)["patches"][3]["files"]
    assert (file["state"], file["path"]) == ("conflicts", "fs/d.c")
    # Renamed first, and then taken under the new name.
    git(tree, "reset", "-q", "--hard", "HEAD~1")
    changes = [("kmalloc", "kzalloc"), ("\tmemset(t, 0, sizeof(struct d));\n", "")]
    edit(tree, "fs/new/xd.c", *changes)
    result = commit(git, tree, "xd: Use kzalloc")
    patch = status(patchgen, tree)["patches"][3]
    assert (patch["state"], oids(patch["by"])) == ("applied", [result])


def test_a_file_name_may_have_any_characters(patchgen, tree, git):
    name = 'fs/ü "\\ x.c'
    git(tree, "checkout", "-q", "-b", "hand")
    (tree / name).write_text("a\n")
    git(tree, "commit", "-q", "-m", "start", "--allow-empty")
    git(tree, "add", "-A", "fs")
    git(tree, "commit", "-q", "-m", "add")
    git(tree, "checkout", "-q", "master")
    git(tree, "cherry-pick", "hand")
    taken = git(tree, "rev-parse", "HEAD").strip()
    args = ("--tree", tree, "--onto", "master", "--json")
    document = json.loads(patchgen("status", "hand", *args).out)
    assert states(document) == ["gone", "applied"]
    assert oids(document["patches"][1]["by"]) == [taken]
    assert document["patches"][1]["files"][0]["path"] == name


def test_a_change_of_removed_functions_is_gone(patchgen, tree, git):
    text = (tree / "fs/c.c").read_text()
    start, end = text.index("struct c *make_c"), text.index("int plain_c")
    more = text.index("struct c *more_c")
    (tree / "fs/c.c").write_text(text[:start] + text[end:more])
    commit(git, tree, "c: Remove unused functions")
    patch = status(patchgen, tree)["patches"][2]
    assert patch["state"] == "gone"
    shown = patchgen("status", CAMPAIGN, "--tree", tree).out
    assert "fs/c.c: the lines that it changes were removed" in shown


def test_a_patch_of_a_function_that_moved_conflicts(patchgen, tree, git):
    text = (tree / "fs/c.c").read_text()
    start, end = text.index("struct c *make_c"), text.index("int plain_c")
    (tree / "fs/c.c").write_text(text[:start] + text[end:] + "\n" + text[start:end])
    commit(git, tree, "c: Move a function")
    assert status(patchgen, tree)["patches"][2]["state"] == "conflicts"


def test_with_one_function_removed_a_patch_is_needed_for_the_other(patchgen, tree, git):
    text = (tree / "fs/c.c").read_text()
    start, end = text.index("struct c *make_c"), text.index("int plain_c")
    (tree / "fs/c.c").write_text(text[:start] + text[end:])
    commit(git, tree, "c: Remove unused functions")
    [file] = status(patchgen, tree)["patches"][2]["files"]
    assert (file["state"], file["present"]) == ("needed", 0)


def test_each_patch_is_judged_on_top_of_the_earlier_ones(patchgen, toy, pvops_on, git):
    pvops_on()
    (toy / "arch/x86/mm/newer.c").write_text("int newer;\n")
    git(toy, "add", "-A", "-f", "arch/x86/mm")
    git(toy, "commit", "-q", "-m", "newer")
    args = ("status", "patchgen/pvops-v4", "--tree", toy, "--json")
    document = json.loads(patchgen(*args).out)
    count = len(document["patches"])
    assert states(document) == ["needed"] * count and document["run_again"] is None
    # Upstream pulls all but the last one.
    git(toy, "merge", "-q", "--no-ff", "-m", "pull", "patchgen/pvops-v4~1")
    document = json.loads(patchgen(*args).out)
    assert states(document) == ["applied"] * (count - 1) + ["needed"]
    for patch in document["patches"][:-1]:
        assert oids(patch["by"]) == [patch["commit"]]


@pytest.fixture
def reworked(toy: Path, pvops_on, git: Git) -> str:
    """Let upstream make the first patch of pvops with other types; return the commit."""
    pvops_on()
    git(toy, "cherry-pick", "patchgen/pvops-v4~3")
    header = "arch/x86/include/asm/paravirt_types.h"
    edit(
        toy,
        header,
        ("(unsigned long pfn, int npages, bool enc)", "(u64 pfn, int npages, bool enc)"),
    )
    git(toy, "commit", "-q", "-a", "--amend", "-m", "x86: Add the op")
    return git(toy, "rev-parse", "HEAD").strip()


def test_a_patch_that_a_probe_finds_is_applied_even_if_upstream_made_another_diff(
    patchgen, toy, reworked, tmp_path
):
    result = patchgen("status", "patchgen/pvops-v4", "--tree", toy)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[1].startswith("  1/4 applied    x86/paravirt: Add an op")
    assert lines[2].strip() == "already there (arch/x86/include/asm/paravirt_types.h:16)"
    assert lines[3].strip() == f'by {reworked[:12]} ("x86: Add the op")'
    # It is what `apply` reports on that base.
    applied = patchgen(
        "apply", "--variant", "pvops", "--tree", toy, "-o", tmp_path / "new", "--branch", "new"
    )
    assert "op: already there (arch/x86/include/asm/paravirt_types.h:16)" in applied.out
    # The others are judged on upstream's version of the patch.
    args = ("status", "patchgen/pvops-v4", "--tree", toy, "--onto", "master", "--json")
    document = json.loads(patchgen(*args).out)
    assert states(document) == ["applied", "needed", "needed", "needed"]
    assert [patch["present_at"] is not None for patch in document["patches"]] == [True] + [
        False
    ] * 3


def test_a_variant_that_cannot_be_read_is_reported_and_can_be_named(
    patchgen, toy, reworked, tmp_path, git
):
    variant = tmp_path / "own"
    shutil.copytree(TOP / "semantic-patches/pvops", variant)
    manifest = (variant / "manifest.toml").read_text()
    (variant / "manifest.toml").write_text(manifest.replace('name = "pvops"', 'name = "own"', 1))
    git(toy, "checkout", "-q", "master~1")
    made = patchgen("apply", "--variant", variant, "--tree", toy, "-o", tmp_path / "mails")
    assert made.code == 0, made.err
    args = ("status", "patchgen/own-v4", "--tree", toy, "--onto", "master")
    assert states(json.loads(patchgen(*args, "--json").out))[0] == "applied"
    variant = variant.rename(tmp_path / "moved")
    result = patchgen(*args)
    assert (result.code, states(json.loads(patchgen(*args, "--json").out))[0]) == (0, "conflicts")
    assert "the probes of the variant own were not used: unknown variant 'own'" in result.err
    assert "--variant" in result.err
    # The variant may have lost a backend of the series since.
    manifest = (variant / "manifest.toml").read_text()
    (variant / "manifest.toml").write_text(manifest.replace('"sev", "tdx"', '"tdx"', 1))
    named = patchgen(*args, "--variant", variant)
    assert named.err == "" and "  1/4 applied    x86/paravirt: Add an op" in named.out


def test_a_conflict_due_to_an_earlier_patch_names_that_patch(patchgen, tree, git):
    git(tree, "checkout", "-q", CAMPAIGN)
    edit(tree, "fs/c.c", ("t = kzalloc(sizeof(struct c)", "t = kzalloc(sizeof(*t)"))
    commit(git, tree, "c: Use the size of what it points to")
    git(tree, "checkout", "-q", "master")
    edit(tree, "fs/c.c", ("twice", "double"))
    commit(git, tree, "c: Rename a variable")
    assert states(status(patchgen, tree)) == ["needed"] * 5
    edit(tree, "fs/c.c", ("kmalloc(sizeof(struct c)", "devm_kmalloc(dev, sizeof(struct c)"))
    commit(git, tree, "c: Let the device own it")
    patches = status(patchgen, tree)["patches"]
    assert [patch["state"] for patch in patches[2:]] == ["conflicts", "needed", "conflicts"]
    assert [patch["files"][0]["conflicts_since_patch"] for patch in patches[2:]] == [None, None, 3]
    assert "fs/c.c: conflicts since patch 3" in patchgen("status", CAMPAIGN, "--tree", tree).out


def test_a_branch_without_a_record_is_read_as_well(patchgen, tree, git):
    git(tree, "checkout", "-q", "-b", "hand")
    edit(tree, "drivers/a.c", ("twice", "double"))
    commit(git, tree, "a: Rename a variable")
    git(tree, "checkout", "-q", "master")
    edit(tree, "drivers/b.c", ("twice", "double"))
    commit(git, tree, "b: Rename a variable")
    result = patchgen("status", "hand", "--tree", tree, "--onto", "master")
    assert (result.code, result.err) == (0, "")
    assert (
        "  1/1 needed     a: Rename a variable" in result.out and "patchgen run" not in result.out
    )
    # All of its commits are upstream, so its start cannot be determined.
    git(tree, "branch", "same", "master")
    result = patchgen("status", "same", "--tree", tree)
    assert (result.code, result.out) == (1, "")
    assert "cannot tell where the series on same starts" in result.err
    assert "--split" in result.err


@pytest.mark.parametrize(
    ("args", "code", "problem"),
    [
        (
            [CAMPAIGN, "--onto", "nowhere"],
            1,
            "has no commit 'nowhere' [revision-unknown]\nhint: --onto takes",
        ),
        ([CAMPAIGN, "--onto", "-x"], 2, "'-x' is not a revision"),
        (["no-such-branch"], 1, "branch 'no-such-branch' does not exist"),
        (["--wrong"], 2, "No such option"),
    ],
)
def test_an_error_states_what_is_wrong(patchgen, tree, args, code, problem):
    result = patchgen("status", *args, "--tree", tree)
    assert (result.code, result.out) == (code, ""), result.err
    assert problem in result.err


def test_the_newer_base_is_the_branch_that_the_old_one_was_on(patchgen, tree, git, tmp_path):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", tree, clone)
    git(clone, "branch", "-q", CAMPAIGN, f"origin/{CAMPAIGN}")
    git(clone, "config", "--unset-all", f"branch.{CAMPAIGN}.merge")
    git(clone, "branch", "topic", "origin/master")
    taken = pick(git, tree, "drivers/a.c")
    git(clone, "fetch", "-q")
    document = status(patchgen, clone)
    assert document["onto"] == {"commit": taken, "name": "origin/master"}
    # The branch's own upstream comes first.
    git(tree, "branch", "next", "master~1")
    git(clone, "fetch", "-q")
    git(clone, "branch", "-q", "--set-upstream-to=origin/next", CAMPAIGN)
    document = status(patchgen, clone)
    assert document["onto"]["name"] == "origin/next"
    assert document["warnings"] == [
        "origin/next is the series' own base, which has none of its patches"
    ]
    # Two remotes with a HEAD each: that of `origin`.
    git(clone, "branch", "-q", "--unset-upstream", CAMPAIGN)
    git(clone, "remote", "add", "other", tree)
    git(clone, "fetch", "-q", "other")
    git(clone, "symbolic-ref", "refs/remotes/other/HEAD", "refs/remotes/other/next")
    document = status(patchgen, clone)
    assert (document["onto"]["name"], document["warnings"]) == ("origin/master", [])
    # For a branch without a cover letter, the user has to name the newer base.
    git(clone, "branch", "plain", f"origin/{CAMPAIGN}~4^")
    git(clone, "checkout", "-q", "plain")
    git(clone, "commit", "-q", "--allow-empty", "-m", "x: Change it")
    result = patchgen("status", "plain", "--tree", clone)
    assert (result.code, result.out) == (2, "")
    assert "(--onto)" in result.err and "origin/HEAD" in result.err and "other/HEAD" in result.err


def test_of_several_branches_a_series_is_compared_with_the_default_one(
    patchgen, tree, git, monkeypatch
):
    git(tree, "branch", "topic", "master")
    pick(git, tree, "drivers/a.c")
    git(tree, "checkout", "-q", "-b", "other")
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2030-01-01T00:00:00Z")
    git(tree, "commit", "-q", "--allow-empty", "-m", "x: Change it")
    document = status(patchgen, tree)
    assert (document["onto"]["name"], document["warnings"]) == ("master", [])
    # Without a default branch, the newest branch is used.
    git(tree, "branch", "-q", "-m", "master", "older")
    document = status(patchgen, tree)
    assert document["onto"]["name"] == "other" and states(document)[0] == "applied"
    [warning] = document["warnings"]
    assert warning == (
        f"several branches contain the base of {CAMPAIGN}; it is compared with other"
    )


def test_a_base_that_no_branch_contains_any_more_is_compared_with_the_default_one(
    patchgen, tree, git
):
    git(tree, "checkout", "-q", "--orphan", "today")
    edit(tree, "drivers/a.c", ("kmalloc", "kzalloc"))
    edit(tree, "drivers/a.c", ("\tmemset(t, 0, sizeof(struct a));\n", ""))
    commit(git, tree, "next")
    git(tree, "branch", "-q", "-M", "today", "master")
    result = patchgen("status", CAMPAIGN, "--tree", tree)
    assert result.code == 0 and "  1/4 applied " in result.out, result.err
    assert (
        f"no other branch contains the base of {CAMPAIGN}; it is compared with master" in result.err
    )
    # If the series is the only branch, HEAD is used.
    git(tree, "checkout", "-q", "--detach")
    git(tree, "branch", "-q", "-D", "master")
    result = patchgen("status", CAMPAIGN, "--tree", tree)
    assert result.code == 0 and ", against HEAD (" in result.out, result.err
    git(tree, "checkout", "-q", CAMPAIGN)
    result = patchgen("status", "--tree", tree)
    assert result.code == 2 and "no other branch contains the base" in result.err


def test_without_history_it_warns_that_it_cannot_name_commits(patchgen, tree, git):
    pick(git, tree, "drivers/a.c")
    new = git(tree, "commit-tree", "-m", "snapshot", "master^{tree}").strip()
    document = status(patchgen, tree, "--onto", new)
    assert states(document) == ["applied", "needed", "needed", "needed"]
    assert document["patches"][0]["by"] == []
    assert "share no history here" in document["warnings"][0]
    result = patchgen("status", CAMPAIGN, "--tree", tree, "--onto", new)
    assert (
        result.out.splitlines()[2].strip()
        == "all of it is there; no single commit made this change"
    )
    assert "warning: " in result.err


def test_explain_shows_what_made_a_campaign(patchgen, tree, git):
    # The semantic patch is recorded once, and shown for each patch.
    for number, revision in ((1, f"{CAMPAIGN}~3"), (4, CAMPAIGN)):
        shown = patchgen("explain", "--tree", tree, revision).out.splitlines()
        assert "  semantic patch: zalloc.cocci" in shown
        assert f"  patch: {number} of 4, 1 file" in shown
        assert "  split by: file" in shown and "  state: as generated" in shown
        assert "zalloc.cocci:" in shown and "+ x = kzalloc(e, GFP_KERNEL);" in shown
        assert not any(line.startswith(("  backends", "  rules", "  variant")) for line in shown)
        document = json.loads(patchgen("explain", "--tree", tree, revision, "--json").out)
        assert document["patch"]["semantic_patches"] == {"zalloc.cocci": ZALLOC}
        assert document["series"]["split"] == "file"
    cover = patchgen("explain", "--tree", tree, f"{CAMPAIGN}~4").out
    assert "  split by: file" in cover and "  patch 4: d: Use kzalloc" in cover


def begin_sending(tree: Path, sent: int) -> list[str]:
    """Record that `send` sent the first mails of the campaign; return the message-ids of all."""
    entries = list(begin_entries(read_mails(tree / "outgoing/zalloc-v1")))
    for number in range(sent):
        entries[number] = set_state(entries[number], MailState.SENT)
    with closing(Repository(tree)) as repository:
        series = read_campaign(repository)
        journal = Journal(repository, series.tracking.change_id, 1)
        with journal.lock():
            journal.write(entries)
    return [entry.message_id for entry in entries]


def tag_as_sent(tree: Path, ids: Sequence[str]) -> None:
    """Replace the journal by the tag, as in another clone."""
    shutil.rmtree(tree / ".git/patchgen/send")
    with closing(Repository(tree)) as repository:
        series = read_campaign(repository)
        record_sent(
            repository,
            series.tracking.change_id,
            1,
            series.cover,
            series.base,
            series.tip,
            ids,
            repository.read_signatures().committer,
        )


def read_campaign(repository: Repository) -> SeriesBranch:
    return read_branch(repository, repository, *repository.resolve_branch(CAMPAIGN))


def test_a_patch_shows_how_far_it_has_come(patchgen, tree, git):
    ids = begin_sending(tree, 4)
    git(tree, "checkout", "-q", CAMPAIGN)
    reply = "Acked-by: Bea Reviewer <bea@example.org>"
    tested = "Tested-by: Cy Tester <cy@example.org>"
    for trailer in (reply, tested):
        git(tree, "commit", "-q", "--amend", "--no-edit", "--trailer", trailer)
    git(tree, "checkout", "-q", "master")
    pick(git, tree, "drivers/a.c")
    document = status(patchgen, tree)
    stages = [patch["stage"] for patch in document["patches"]]
    assert stages == ["applied", "sent", "sent", "acked"]
    assert states(document) == ["applied", "needed", "needed", "needed"]
    assert document["stages"] == {
        "applied": 1,
        "acked": 1,
        "sent": 2,
        "needed": 0,
        "conflicts": 0,
        "gone": 0,
    }
    sent = [patch["sent"] and patch["sent"]["message_id"] for patch in document["patches"]]
    assert sent == [*ids[1:4], None]
    assert document["patches"][1]["sent"]["to"] == ["list@example.org"]
    assert [patch["tags"] for patch in document["patches"]] == [[], [], [], [reply, tested]]
    shown = patchgen("status", CAMPAIGN, "--tree", tree).out
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert f"sent on {today}: <{ids[2]}>" in shown and f"        {reply}\n" in shown
    tag_as_sent(tree, ids)
    patches = status(patchgen, tree)["patches"]
    assert [patch["sent"] for patch in patches] == [
        {"message_id": message_id, "time": None, "to": [], "cc": []} for message_id in ids[1:]
    ]


def test_all_series_are_listed_where_none_is_checked_out(patchgen, tree, git):
    again = patchgen(
        "run", tree.parent / "zalloc.cocci", "--tree", tree, "--split", "none", "--branch", "whole"
    )
    assert again.code == 0, again.err
    taken = pick(git, tree, "drivers/a.c")
    base = git(tree, "rev-parse", "--short=12", "master~1").strip()
    for head in ("master", "--detach"):
        git(tree, "checkout", "-q", head)
        result = patchgen("status", cwd=tree)
        assert (result.code, result.err) == (0, "")
        assert sorted(result.out.splitlines()) == [
            f"{CAMPAIGN}  against master: 1 applied, 3 needed",
            "whole               against master: 1 needed",
        ]
    [campaign] = [
        series
        for series in json.loads(patchgen("status", "--tree", tree, "--json").out)["series"]
        if series["branch"] == CAMPAIGN
    ]
    assert campaign["onto"] == {"commit": taken, "name": "master"}
    assert (campaign["revision"], campaign["patches"], campaign["newer_commits"]) == (1, 4, 1)
    assert campaign["counts"] == {"applied": 1, "needed": 3, "conflicts": 0, "gone": 0}
    assert campaign["problem"] is None
    # A named base is used for each series; on a series, only its status is printed.
    assert "against HEAD~1: 4 needed" in patchgen("status", "--onto", "HEAD~1", cwd=tree).out
    git(tree, "checkout", "-q", CAMPAIGN)
    assert patchgen("status", cwd=tree).out.startswith(f"{CAMPAIGN} on {base}, against master")


def test_a_series_that_cannot_be_read_is_listed_with_the_reason(patchgen, tree, git):
    message = git(tree, "log", "-1", "--format=%B", f"{CAMPAIGN}~4").replace('"series"', '"serie"')
    broken = git(tree, "commit-tree", "-p", "master", "-m", message, "master^{tree}").strip()
    git(tree, "branch", "broken", broken)
    result = patchgen("status", cwd=tree)
    assert result.code == 0, result.err
    assert any(line.startswith(f"{CAMPAIGN}  against master: ") for line in result.out.splitlines())
    assert "broken              the tracking section in the cover letter's commit" in result.out
    # A repository without a series is an error.
    git(tree, "branch", "-q", "-D", "broken", CAMPAIGN)
    result = patchgen("status", cwd=tree)
    assert (result.code, result.out) == (2, "")
    assert "master is not a series, and no branch has a cover letter's commit" in result.err
