# SPDX-License-Identifier: GPL-2.0-or-later
"""The owner of a repository, the places of its objects, and the programs in its configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from patchgen.errors import RefusedError, UsageError
from patchgen.git_environment import add_config, reading_environment
from patchgen.odb import Repository, grep_files, plan_search
from tests.support.checks import snapshot
from tests.support.small_variant import apply_small, make_small_tree

BRANCH = "patchgen/pvops-v4"
STRANGER = 1234
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


def dry_run(patchgen, tree: Path, *args: str | Path):
    return patchgen("apply", "--variant", "pvops", "--tree", tree, "--dry-run", *args)


def give_away(tree: Path) -> None:
    subprocess.run(["chown", "-R", str(STRANGER), tree], check=True)


def changed_lines(diffs: str) -> list[str]:
    return [line for line in diffs.splitlines() if line.lstrip().startswith(("+", "-"))]


def write_canary(folder: Path, name: str) -> Path:
    """Return a program that leaves a trace where it is run."""
    program = folder / name
    program.write_text(f"#!/bin/sh\necho {name} >> {folder}/fired\ncat\n")
    program.chmod(0o755)
    return program


def fired(folder: Path) -> list[str]:
    trace = folder / "fired"
    return trace.read_text().split() if trace.exists() else []


# --- owners ----------------------------------------------------------------------------------


@AS_ROOT
@pytest.mark.parametrize(
    "command", ["apply", "run", "audit", "status", "explain", "send", "verify"]
)
def test_refuses_the_repository_of_another_user_before_anything_else(patchgen, toy, command):
    give_away(toy)
    args = {"apply": ["--variant", "pvops"], "run": ["pvops"], "explain": ["HEAD"]}
    args["send"] = ["--dry-run"]
    result = patchgen(command, *args.get(command, []), "--tree", toy)
    assert result.code == 1
    assert result.err == (
        f"patchgen: {toy} belongs to another user; git refuses to open it [repository-unreadable]\n"
        f"hint: if you trust its owner: git config --global --add safe.directory {toy}\n"
    )


@AS_ROOT
def test_opens_the_repository_of_another_user_that_the_user_trusts(
    patchgen, toy, tmp_path, monkeypatch
):
    give_away(toy)
    config = tmp_path / "gitconfig"
    config.write_text(f"[safe]\n\tdirectory = {toy}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert dry_run(patchgen, toy).code == 0


@AS_ROOT
def test_opens_the_repository_of_the_user_who_called_sudo(patchgen, toy, monkeypatch):
    give_away(toy)
    monkeypatch.setenv("SUDO_UID", str(STRANGER))
    assert dry_run(patchgen, toy).code == 0


@AS_ROOT
def test_a_repository_cannot_trust_itself(patchgen, toy, git):
    git(toy, "config", "safe.directory", "*")
    give_away(toy)
    assert "belongs to another user" in dry_run(patchgen, toy).err


# --- where its objects come from -------------------------------------------------------------


def test_variables_of_git_lead_to_no_other_repository(patchgen, toy, git, tmp_path, monkeypatch):
    expected = changed_lines(dry_run(patchgen, toy).out)
    git(tmp_path, "init", "-q", tmp_path / "other")
    other = tmp_path / "other" / ".git"
    for name, value in {
        "GIT_DIR": other,
        "GIT_COMMON_DIR": other,
        "GIT_WORK_TREE": tmp_path / "none",
        "GIT_OBJECT_DIRECTORY": other / "objects",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": other / "objects",
        "GIT_INDEX_FILE": other / "index",
        "GIT_NAMESPACE": "other",
        "GIT_CEILING_DIRECTORIES": "",
        "GIT_REPLACE_REF_BASE": "refs/other",
        "GIT_SHALLOW_FILE": other / "shallow",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_EXTERNAL_DIFF": "false",
        "GIT_DIFF_OPTS": "--unified=9",
        "GIT_CONFIG": other / "config",
    }.items():
        monkeypatch.setenv(name, str(value))
    result = dry_run(patchgen, toy)
    assert result.code == 0, result.err
    assert changed_lines(result.out) == expected != []


def test_many_blobs_are_read_from_the_named_repository(toy, tmp_path, monkeypatch, git):
    """The first reads are by processes of their own; the rest are GitPython's."""
    git(tmp_path, "init", "-q", tmp_path / "other")
    for name in ("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path / "other" / ".git"))
    repository = Repository(toy)
    tree = repository.resolve_tree(repository.resolve_commit("HEAD"))
    oid = repository.run("rev-parse", f"{tree}:Makefile").stdout.decode().strip()
    try:
        contents = {repository.read_blob(oid) for _ in range(40)}
    finally:
        repository.close()
    assert contents == {(toy / "Makefile").read_bytes()}


@pytest.mark.parametrize("where", ["/nonexistent", "/etc"])
def test_a_work_tree_elsewhere_in_the_configuration_does_not_count(patchgen, toy, git, where):
    git(toy, "config", "core.worktree", where)
    result = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert result.code == 0, result.err
    assert (toy / "outgoing").is_dir()


def test_a_work_tree_that_git_cannot_enter_is_one_message(patchgen, toy, git):
    git(toy, "config", "core.worktree", "../../none")
    result = dry_run(patchgen, toy)
    assert result.code == 1
    assert "git cannot open the repository: cannot chdir to '../../none'" in result.err


def test_a_replaced_blob_never_gets_into_a_patch(patchgen, toy, git):
    """Neither with git's own processes nor with GitPython's, nor in scratch repositories."""
    before = changed_lines(dry_run(patchgen, toy).out)
    for path in ("arch/x86/mm/mem_encrypt.c", "MAINTAINERS", "arch/x86/kernel/kvm.c"):
        old = git(toy, "rev-parse", f"HEAD:{path}").strip()
        (toy / "other").write_text(git(toy, "cat-file", "blob", old) + "\nint planted;\n")
        new = git(toy, "hash-object", "-w", "other").strip()
        git(toy, "replace", old, new)
    result = dry_run(patchgen, toy)
    assert result.code == 0, result.err
    assert "planted" not in result.out
    assert changed_lines(result.out) == before != []


def test_a_graft_does_not_change_a_history(patchgen, toy, git):
    git(toy, "commit", "-q", "--allow-empty", "-m", "second")
    head = git(toy, "rev-parse", "HEAD").strip()
    (toy / ".git/info/grafts").write_text(f"{head}\n")
    assert Repository(toy).run("rev-list", "--count", "HEAD").stdout == b"2\n"


@pytest.mark.parametrize(
    "name",
    ["new\nline", b"-byte\xff", '#two  "spaces"', "tab\tand\\slash"],
    ids=repr,
)
def test_works_in_a_tree_of_any_name(patchgen, toy, tmp_path, git, name):
    tree = tmp_path / os.fsdecode(name)
    toy.rename(tree)
    result = patchgen("apply", "--variant", "pvops", "--tree", tree)
    assert result.code == 0, result.err
    assert git(tree, "rev-list", "--count", f"master..{BRANCH}") == "5\n"


def test_missing_borrowed_objects_are_named(patchgen, toy, git, tmp_path):
    git(tmp_path, "clone", "-q", "--shared", "--no-checkout", toy, tmp_path / "borrower")
    toy.rename(tmp_path / "moved")
    result = dry_run(patchgen, tmp_path / "borrower")
    assert result.code == 1
    assert result.err.startswith(
        f"patchgen: {tmp_path}/borrower/.git borrows objects from {toy}/.git/objects, "
        "which does not exist [repository-unreadable]\nhint: "
    )


def test_a_wrong_count_of_settings_is_one_message(patchgen, toy, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "many")
    result = dry_run(patchgen, toy)
    assert (result.code, result.err) == (
        2,
        "patchgen: GIT_CONFIG_COUNT is 'many': expected a number [environment-variable]\n",
    )
    with pytest.raises(UsageError):
        add_config({"GIT_CONFIG_COUNT": "-1"}, {})


def test_settings_of_the_user_in_the_environment_stay(monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "Bea")
    env = reading_environment()
    assert (env["GIT_CONFIG_KEY_0"], env["GIT_CONFIG_VALUE_0"]) == ("user.name", "Bea")
    assert int(env["GIT_CONFIG_COUNT"]) > 1


# --- which programs its configuration names --------------------------------------------------

HOOKS = ("reference-transaction", "post-index-change", "post-checkout", "applypatch-msg")
HOOKS += ("pre-applypatch", "post-applypatch", "pre-auto-gc", "post-rewrite", "commit-msg")
SETTINGS = (
    "core.fsmonitor",
    "core.pager",
    "core.editor",
    "core.sshCommand",
    "core.gitProxy",
    "core.askPass",
    "core.alternateRefsCommand",
    "sequence.editor",
    "pager.log",
    "pager.grep",
    "diff.external",
    "diff.canary.command",
    "diff.canary.textconv",
    "filter.canary.clean",
    "filter.canary.smudge",
    "filter.canary.process",
    "merge.canary.driver",
    "interactive.diffFilter",
    "gpg.program",
    "gpg.x509.program",
    "gpg.ssh.program",
    "gpg.ssh.defaultKeyCommand",
    "credential.helper",
    "uploadpack.packObjectsHook",
    "remote.origin.uploadpack",
    "remote.origin.receivepack",
    "trailer.canary.cmd",
    "trailer.canary.command",
    "browser.canary.cmd",
    "difftool.canary.cmd",
    "alias.log",
)


@pytest.fixture
def canaries(toy: Path, git, tmp_path: Path) -> Path:
    """A folder of programs that the toy tree's repository names wherever it can."""
    folder = tmp_path / "canaries"
    (folder / "hooks").mkdir(parents=True)
    (toy / ".gitattributes").write_text("* diff=canary merge=canary\nMakefile filter=canary\n")
    git(toy, "add", "-f", ".gitattributes")
    git(toy, "commit", "-q", "-m", "attributes")
    git(toy, "branch", "newer")
    git(toy, "update-ref", "refs/remotes/origin/HEAD", "HEAD")
    for name in SETTINGS:
        git(toy, "config", name, str(write_canary(folder, name)))
    for name in ("log.showSignature", "commit.gpgSign", "tag.gpgSign", "push.gpgSign"):
        git(toy, "config", name, "true")
    for name in HOOKS:
        program = write_canary(folder, name)
        (folder / "hooks" / name).symlink_to(program)
        (toy / ".git/hooks").mkdir(exist_ok=True)
        (toy / ".git/hooks" / name).symlink_to(program)
    git(toy, "config", "core.hooksPath", str(folder / "hooks"))
    return folder


@pytest.mark.slow
def test_no_command_that_reads_runs_a_program_of_the_configuration(
    patchgen, toy, canaries, tmp_path, git
):
    box = tmp_path / "box"
    box.write_text(
        "From bea Thu Jan  1 00:00:00 2026\nFrom: Bea <bea@example.org>\nMessage-ID: <1@x>\n"
        "Subject: Re: [PATCH v4 1/4] x86/paravirt: Add an op for page encryption status changes\n"
        "\nReviewed-by: Bea <bea@example.org>\n"
    )
    patch = tmp_path / "x.cocci"
    patch.write_text("@@\nexpression e;\n@@\n- kvm_hypercall3(e,\n+ kvm_hypercall4(e,\n  ...)\n")
    where = ("--tree", toy)
    result = {
        "dry run": dry_run(patchgen, toy),
        "apply": patchgen("apply", "--variant", "pvops", "-o", tmp_path / "mails", *where),
        "run": patchgen("run", patch, *where),
        "status": patchgen("status", BRANCH, "--onto", "newer", *where),
        "explain": patchgen("explain", f"{BRANCH}~1", *where),
        "trailers": patchgen("trailers", BRANCH, box, *where),
        "send": patchgen("send", BRANCH, "--dry-run", *where),
        "import": patchgen("import", tmp_path / "mails", *where),
        "reroll": patchgen("reroll", BRANCH, "--onto", "newer", *where),
        "verify": patchgen(
            "verify",
            BRANCH,
            *(f"--skip={check}" for check in ("build", "code", "checkpatch")),
            *where,
        ),
    }
    # The toy tree has no call graph to audit, and its series has findings.
    assert patchgen("audit", *where).code == 1
    assert fired(canaries) == []
    failed = {name: outcome.err for name, outcome in result.items() if outcome.code}
    assert failed.keys() <= {"verify", "send"}, failed


def test_searching_a_work_tree_runs_no_program_of_the_configuration(toy, canaries, git, tmp_path):
    git(toy, "-c", "core.fsmonitor=false", "rm", "-q", "--cached", "-f", ".gitattributes")
    tree = git(toy, "write-tree").strip()
    env = {**os.environ, "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.hooksPath"}
    env["GIT_CONFIG_VALUE_0"] = os.devnull
    commit = git(toy, "commit-tree", "-m", "plain", tree, env=env).strip()
    git(toy, "update-ref", "HEAD", commit, env=env)
    (toy / ".gitattributes").unlink()
    (canaries / "fired").unlink(missing_ok=True)
    repository = Repository(toy)
    planned = plan_search(repository, tree, (), (".h",))
    found = list(grep_files(repository, planned, frozenset({"kvm_hypercall3"})))
    assert planned.checkout is not None
    assert found == ["arch/x86/include/asm/kvm_para.h"]
    assert fired(canaries) == []


@pytest.mark.parametrize("is_listed", [True, False], ids=["promisor pack", "no promisor pack"])
@pytest.mark.parametrize(
    "url", ["file://{}", "{}", "ssh://localhost{}", "ext::{} %S", "git://localhost{}"]
)
def test_a_missing_object_is_named_and_no_program_fetches_it(
    patchgen, toy, git, tmp_path, url, is_listed
):
    folder = tmp_path / "canaries"
    folder.mkdir()
    oid = git(toy, "rev-parse", "HEAD:Makefile").strip()
    (toy / ".git/objects" / oid[:2] / oid[2:]).unlink()
    for name in ("uploadpack", "vcs"):
        git(toy, "config", f"remote.origin.{name}", str(write_canary(folder, name)))
    if not url.startswith("ext"):
        git(toy, "config", "--unset", "remote.origin.vcs")
    git(toy, "config", "remote.origin.url", url.format(folder / "uploadpack"))
    git(toy, "config", "remote.origin.promisor", "true")
    git(toy, "config", "protocol.allow", "always")
    for name in ("core.sshCommand", "core.gitProxy", "credential.helper", "core.askPass"):
        git(toy, "config", name, str(write_canary(folder, name)))
    if is_listed:
        (toy / ".git/objects/pack/pack-1.promisor").touch()
    for args in (["apply", "--variant", "pvops", "--dry-run"], ["run", "pvops"]):
        result = patchgen(*args, "--tree", toy)
        assert result.code == 1
        assert oid in result.err or "Makefile" in result.err
    assert fired(folder) == []


@pytest.mark.parametrize("url", ["none::x", "::x", "no::x", "0::x"])
def test_an_alias_is_not_the_program_that_fetches(toy, git, tmp_path, url):
    oid = git(toy, "rev-parse", "HEAD:Makefile").strip()
    (toy / ".git/objects" / oid[:2] / oid[2:]).unlink()
    git(toy, "config", "extensions.partialClone", "origin")
    git(toy, "config", "remote.origin.url", url)
    program = write_canary(tmp_path, "alias")
    for name in ("none", "", "no", "0"):
        git(toy, "config", f"alias.remote-{name}", f"!{program}")
    env = reading_environment()
    # A git that does not know it yet (before 2.39.4).
    del env["GIT_NO_LAZY_FETCH"]
    args = ["git", "-C", toy, "cat-file", "blob", oid]
    assert subprocess.run(args, env=env, capture_output=True, check=False).returncode != 0
    assert fired(tmp_path) == []


# --- where results go ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("existing", "new"), [("topic", "topic/v1"), ("topic/v1", "topic"), ("a/b", "a/b/c/d")]
)
def test_a_branch_that_git_cannot_create_is_refused_before_the_work(
    patchgen, toy, git, existing, new
):
    git(toy, "branch", existing)
    git(toy, "pack-refs", "--all")
    before = snapshot(toy, without="none")
    result = patchgen("apply", "--variant", "pvops", "--tree", toy, "--branch", new)
    assert result.code == 1
    assert f"the branch {new} cannot be created, as there is a branch {existing}" in result.err
    assert snapshot(toy, without="none") == before


def test_a_branch_beside_one_with_a_longer_name_can_be_made(toy, git):
    git(toy, "branch", "topics/v1")
    git(toy, "branch", "topic/v2")
    assert Repository(toy).find_branch("refs/heads/topic/v1") == (None, None)


def test_nothing_is_put_into_a_bare_repository(patchgen, toy, git, tmp_path):
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", toy, bare)
    result = patchgen("apply", "--variant", "pvops", "--tree", ".", cwd=bare)
    assert result.code == 2
    assert "mails cannot be written into it" in result.err
    assert not (bare / "outgoing").exists()
    work = tmp_path / "work"
    work.mkdir()
    assert patchgen("apply", "--variant", "pvops", "--tree", bare, cwd=work).code == 0
    assert (work / "outgoing").is_dir()


# --- what a revision is ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "revision", ["^HEAD", "HEAD^@", "HEAD^!", "HEAD..HEAD", "", "HEAD:Makefile"]
)
def test_a_revision_that_names_no_single_commit_is_refused(toy, revision):
    with pytest.raises(RefusedError):
        Repository(toy).resolve_commit(revision)


# Each changes what git prints, or what it writes into commits and mails.
FORMS = {
    "i18n.logOutputEncoding": "UTF-16",
    "i18n.commitEncoding": "nosuch",
    "color.ui": "always",
    "color.diff": "always",
    "core.abbrev": "4",
    "core.quotePath": "false",
    "core.commentChar": "#",
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.context": "0",
    "diff.renames": "copies",
    "diff.algorithm": "histogram",
    "diff.submodule": "log",
    "log.date": "human",
    "log.decorate": "full",
    "log.follow": "true",
    "log.mailmap": "false",
    "log.abbrevCommit": "true",
    "format.pretty": "oneline",
    "format.attach": "x",
    "format.numbered": "false",
    "format.signOff": "true",
    "format.subjectPrefix": "X",
    "format.suffix": ".txt",
    "format.thread": "deep",
    "format.headers": "X-Y: z",
    "format.to": "x@example.org",
    "format.notes": "true",
    "format.useAutoBase": "true",
    "format.encodeEmailHeaders": "false",
    "format.filenameMaxLength": "8",
    "format.coverLetter": "false",
    "format.outputDirectory": "/nonexistent",
    "status.showUntrackedFiles": "no",
}


def test_no_configuration_changes_how_git_is_read(patchgen, tmp_path, git, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1629460000")
    tree = make_small_tree(tmp_path, git)
    (tree / "Kconfig").write_text('config LAST\n\tbool "\u00fc"\n')
    git(tree, "commit", "-qam", "with a letter that ASCII does not have: \u00fc")
    plain = apply_small(patchgen, tree, "--branch", "made", "-o", tmp_path / "plain")
    made = git(tree, "rev-parse", "made")
    for key, value in FORMS.items():
        git(tree, "config", key, value)
    apply_small(patchgen, tree, "--branch", "made", "--force", "-o", tmp_path / "odd")
    assert git(tree, "rev-parse", "made") == made
    for mail in (Path(mail) for mail in plain["mails"]):
        assert (tmp_path / "odd" / mail.name).read_bytes() == mail.read_bytes()
