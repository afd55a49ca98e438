# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen apply` on the toy tree, as a user sees it."""

from __future__ import annotations

import email
import email.policy
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from patchgen.commands.apply import ApplyRequest, apply_variant
from patchgen.version import find_version
from tests.conftest import Patchgen
from tests.support.checks import apply_mails, snapshot
from tests.support.programs import list_programs
from tests.support.small_variant import apply_small, make_small_tree

BRANCH = "patchgen/pvops-v4"
EPOCH = "1629460000"


def apply(patchgen: Patchgen, tree: Path, *args: str | Path) -> dict:
    completed = patchgen("apply", "--variant", "pvops", "--tree", tree, "--json", *args)
    assert completed.code == 0, completed.err
    return json.loads(completed.out)


def line_of(path: Path, text: str) -> int:
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if text in line)


def test_makes_four_commits_in_the_order_of_their_need(pvops_on, toy, git):
    document = pvops_on()
    assert [p["name"] for p in document["patches"]] == ["op", "callers", "hypercall", "sev"]
    assert {p["status"] for p in document["patches"]} == {"made"}
    cover, *commits = git(toy, "rev-list", "--reverse", f"master..{BRANCH}").split()
    assert cover == document["cover_commit"]
    assert commits == [p["commit"] for p in document["patches"]]
    assert document["tip"] == commits[-1]
    assert [p["subject"] for p in document["patches"]] == git(
        toy, "log", "--reverse", "--format=%s", f"{cover}..{BRANCH}"
    ).splitlines()


def test_reports_where_each_rule_matched(pvops_on, toy):
    rules = {r["rule"]: r for p in pvops_on()["patches"] for r in p["rules"]}
    assert rules["early_notifies"]["hits"] == 2
    for rule, path, text in (
        ("op_member", "arch/x86/include/asm/paravirt_types.h", "(*exit_mmap)"),
        ("sev_hypercall", "arch/x86/include/asm/kvm_para.h", "kvm_hypercall4("),
    ):
        assert rules[rule]["sites"] == [f"{path}:{line_of(toy / path, text)}"]


def test_counts_lines_as_git_does(pvops_on, toy, git):
    for patch in pvops_on()["patches"]:
        numstat = git(toy, "show", "--numstat", "--format=", patch["commit"])
        rows = [line.split("\t") for line in numstat.splitlines()]
        assert patch["insertions"] == sum(int(row[0]) for row in rows)
        assert patch["deletions"] == sum(int(row[1]) for row in rows)
        assert patch["files"] == [row[2] for row in rows]


def test_git_am_of_the_mails_gives_the_same_tree(pvops_on, toy, git, tmp_path):
    document = pvops_on()
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", toy, clone)
    mails = [Path(mail) for mail in document["mails"][1:]]
    assert (
        apply_mails(clone, "origin/master", mails)
        == git(toy, "rev-parse", f"{BRANCH}^{{tree}}").strip()
    )


@pytest.mark.slow
def test_the_cover_letter_claims_no_path_that_the_base_does_not_have(patchgen, toy, git):
    def paths(*args) -> str:
        cover = apply(patchgen, toy, "--force", *args)["mails"][0]
        raw = Path(cover).read_bytes()
        text = email.message_from_bytes(raw, policy=email.policy.default).get_content()
        return text[text.index("Which call is") : text.index("A tool, patchgen, made")]

    kvm = "arch/x86/kernel/kvm.c"
    cover_text = paths()
    site = line_of(toy / kvm, "early_set_memory_decrypted(")
    assert f"  apf_reason: {kvm}:{site} kvm_map_percpu_data()\n    -> early_set_mem" in cover_text
    assert "  steal_time: no call leads to the op\n" in cover_text
    assert "    -> early_set_memory_and_notify() ->\n    notify_range_enc_status_cha" in cover_text
    callback = git(toy, "grep", "-n", "kvm_sev_hypercall3(", BRANCH, "--", kvm).split(":")[2]
    assert f"  {kvm}:{callback} kvm_sev_notify_enc_status()\n    the op calls it" in cover_text

    # The same call, but of something that does not notify the hypervisor.
    source = toy / kvm
    source.write_text(source.read_text().replace("early_set_memory_decrypted(", "mark_shared("))
    git(toy, "commit", "-q", "-a", "-m", "another way")
    assert "  apf_reason: no call leads to the op\n" in paths()


@pytest.mark.slow
def test_the_cover_letter_states_the_problem_of_the_base_in_hand(patchgen, toy, git):
    def read_letter(document):
        message = email.message_from_bytes(Path(document["mails"][0]).read_bytes())
        return " ".join(message.get_payload().partition("Which call is served")[0].split())

    letter = read_letter(apply(patchgen, toy))
    assert "In this base SEV and SEV-ES guests do not report these changes" in letter
    # What one participant proposed was not agreed on by all (LKML, 20 August 2021).
    assert "Ashish Kalra proposed an abstraction" in letter and "settled" not in letter

    args = ("--base", f"{BRANCH}~2", "--branch", "rest")
    letter = read_letter(apply(patchgen, toy, *args))
    assert "do not report" not in letter
    assert "This base has pv_ops.mmu.notify_page_enc_status_changed() (arch/x86/" in letter
    assert "- SEV guests on KVM get a callback" in letter and "early_set_memory" not in letter


def test_the_mails_have_cover_letter_base_and_recipients(pvops_on, toy, git):
    names = [Path(mail).name for mail in pvops_on()["mails"]]
    assert names[0] == "v4-0000-cover-letter.patch"
    assert [name[:8] for name in names[1:]] == ["v4-0001-", "v4-0002-", "v4-0003-", "v4-0004-"]
    raw = (toy / "outgoing" / "pvops-v4" / names[0]).read_bytes()
    cover = email.message_from_bytes(raw, policy=email.policy.default)
    assert cover["Subject"].startswith("[PATCH v4 0/4] x86: Route page encryption status changes")
    base = git(toy, "rev-parse", "master").strip()
    assert f"\nbase-commit: {base}\n" in cover.get_content()
    assert "files changed" in cover.get_content()
    assert "Changes in v4:" in cover.get_content()
    raw = (toy / "outgoing" / "pvops-v4" / names[2]).read_bytes()
    patch = email.message_from_bytes(raw, policy=email.policy.default)
    assert "Mem Maintainer <mem@example.org>" in patch["To"]
    assert "Jürgen Reviewer <juergen@example.org>" in patch["Cc"]
    assert "kvm@example.org" not in patch["To"]
    assert "kvm@example.org" in cover["To"]
    assert raw.split(b"\n\n", 1)[0].isascii()


def test_send_email_takes_the_mails(pvops_on, toy):
    if not (
        Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-send-email"
    ).is_file():
        pytest.fail("git send-email is missing: apt-get install git-email")
    mails = pvops_on()["mails"]
    completed = subprocess.run(
        [
            "git",
            "-C",
            toy,
            "send-email",
            "--dry-run",
            "--confirm=never",
            "--quiet",
            "--to=list@example.org",
            *mails,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(patchgen, toy, git, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    first = apply(patchgen, toy, "-o", tmp_path / "a")
    second = apply(patchgen, toy, "-o", tmp_path / "b", "--force")
    assert first["tip"] == second["tip"]
    for mail in first["mails"]:
        other = tmp_path / "b" / Path(mail).name
        assert Path(mail).read_bytes() == other.read_bytes()
    assert git(toy, "show", "-s", "--format=%at %ct", BRANCH).split() == [EPOCH, EPOCH]


def test_touches_nothing_but_the_branch(patchgen, toy, git):
    (toy / "Makefile").write_text("dirty\n")
    (toy / "arch/x86/kernel/kvm.c").unlink()
    (toy / "untracked").write_text("mine\n")
    hooks = toy / ".git/hooks"
    for name in ("reference-transaction", "post-commit", "post-checkout", "pre-commit"):
        (hooks / name).write_text("#!/bin/sh\ntouch HOOK-RAN\n")
        (hooks / name).chmod(0o755)
    index = (toy / ".git/index").read_bytes()
    before = snapshot(toy, without=BRANCH)
    apply(patchgen, toy)
    assert (toy / ".git/index").read_bytes() == index
    assert snapshot(toy, without=BRANCH) == before
    assert not list(toy.rglob("HOOK-RAN"))
    assert "patchgen: apply pvops v4" in git(toy, "reflog", BRANCH)


def test_a_dry_run_shows_the_diffs_and_writes_nothing(patchgen, toy):
    before = snapshot(toy, without="none")
    objects = sorted((toy / ".git/objects").rglob("*"))
    completed = patchgen("apply", "--variant", "pvops", "--tree", toy, "--dry-run")
    assert completed.code == 0
    assert "+\tvoid (*notify_page_enc_status_changed)(" in completed.out
    assert "\x1b[" not in completed.out
    assert snapshot(toy, without="none") == before
    assert sorted((toy / ".git/objects").rglob("*")) == objects
    assert not (toy / "outgoing").exists()


def test_applied_on_its_own_result_everything_is_already_there(patchgen, pvops_on, toy):
    pvops_on()
    completed = patchgen(
        "apply",
        "--variant",
        "pvops",
        "--tree",
        toy,
        "--base",
        BRANCH,
        "--branch",
        "again",
        "-o",
        toy / "again",
    )
    assert completed.code == 0
    assert "op: already there (arch/x86/include/asm/paravirt_types.h:16)" in completed.out
    assert "patches are already in" in completed.out
    assert not (toy / "again").exists()


def test_makes_what_remains_where_a_part_is_there(patchgen, pvops_on, toy, git):
    pvops_on()
    document = apply(patchgen, toy, "--base", f"{BRANCH}~2", "--branch", "rest", "-o", toy / "r")
    assert [p["status"] for p in document["patches"]] == ["already there"] * 2 + ["made"] * 2
    assert git(toy, "rev-parse", f"{BRANCH}^{{tree}}") == git(toy, "rev-parse", "rest^{tree}")


def test_signs_off_only_with_the_option(patchgen, pvops_on, toy, git):
    pvops_on()
    assert "Signed-off-by" not in git(toy, "log", f"master..{BRANCH}")
    apply(patchgen, toy, "--force", "--signoff")
    log = git(toy, "log", "--format=%(trailers:key=Signed-off-by)", f"master..{BRANCH}")
    assert log.split("\n").count("Signed-off-by: Ada Übergang <ada@example.org>") == 4


def test_a_variable_reaches_code_and_message(patchgen, toy, git):
    apply(patchgen, toy, "--define", "hypercall=kvm_early_call3")
    assert "kvm_early_call3(KVM_HC_MAP_GPA_RANGE" in git(toy, "show", BRANCH)
    assert "Add kvm_early_call3()" in git(toy, "show", "-s", f"{BRANCH}~1")


REFUSALS = {
    "unknown variant": (["--variant", "pvop"], 2, "did you mean 'pvops'?"),
    "unknown backend": (["--backend", "sve"], 2, "its backends: sev"),
    "unknown variable": (["--define", "hypercal=x"], 2, "did you mean 'hypercall'?"),
    "a keyword": (["--define", "hypercall=int"], 2, "is not a C identifier"),
    "wrong value": (["--define", "hypercall=a b"], 2, "is not a C identifier"),
    "no value": (["--define", "hypercall"], 2, "expected NAME=VALUE (--define)"),
    "unknown base": (["--base", "nope"], 1, "has no commit 'nope'"),
    "an option as base": (["--base=--all"], 2, "is not a revision"),
    "bad branch": (["--branch", "a..b"], 2, "is not a valid branch name"),
    "zero": (["-v", "0"], 2, "0 is not in the range"),
    "checked out": (["--branch", "master", "--force"], 1, "is checked out in"),
}


@pytest.mark.parametrize(("args", "code", "problem"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(patchgen, toy, args, code, problem):
    before = snapshot(toy, without="none")
    completed = patchgen("apply", "--variant", "pvops", "--tree", toy, *args)
    assert (completed.code, completed.out) == (code, "")
    assert problem in completed.err
    assert snapshot(toy, without="none") == before


def test_refuses_an_existing_branch_without_force(patchgen, pvops_on, toy):
    pvops_on()
    completed = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert completed.code == 1
    assert f"the branch {BRANCH} already exists" in completed.err


def test_reports_the_unmet_needs_of_a_tree(patchgen, tmp_path, git):
    git(tmp_path, "init", "-q", "-b", "master")
    (tmp_path / "README").write_text("no kernel\n")
    git(tmp_path, "add", "README")
    git(tmp_path, "commit", "-q", "-m", "x")
    completed = patchgen("apply", "--variant", "pvops", cwd=tmp_path)
    assert completed.code == 1
    assert "is not a kernel tree" in completed.err
    assert completed.err.count("\n") < 15


def test_reports_that_a_base_is_too_old_for_the_hypercall(patchgen, toy, git):
    uapi = toy / "include/uapi/linux/kvm_para.h"
    uapi.write_text(uapi.read_text().replace("#define KVM_HC_MAP_GPA_RANGE\t\t12\n", ""))
    git(toy, "commit", "-q", "-a", "-m", "like v5.10")
    completed = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert completed.code == 1
    assert "include/uapi/linux/kvm_para.h lacks `KVM_HC_MAP_GPA_RANGE`" in completed.err
    assert "v5.14" in completed.err


def test_reports_the_rule_that_matched_nothing(patchgen, toy, git):
    source = toy / "arch/x86/mm/pat/set_memory.c"
    source.write_text(source.read_text().replace("cpa_flush(&cpa, 0)", "cpa_flush(&cpa, 2)"))
    git(toy, "commit", "-q", "-a", "-m", "other shape")
    completed = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert completed.code == 1
    assert "the rule set_memory_notifies matched nothing" in completed.err
    assert "in arch/x86/mm/pat/set_memory.c" in completed.err
    assert "notify/late.cocci.j2:6" in completed.err


def test_reports_that_a_target_cannot_be_parsed(patchgen, toy, git):
    header = toy / "arch/x86/include/asm/kvm_para.h"
    header.write_text(header.read_text().replace("ALTERNATIVE(", "OTHER_ALTERNATIVE("))
    git(toy, "commit", "-q", "-a", "-m", "unknown macro")
    completed = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert completed.code == 1
    assert "its target is code that spatch cannot parse" in completed.err
    line = line_of(header, "kvm_hypercall4(")
    assert f"arch/x86/include/asm/kvm_para.h:{line} kvm_hypercall4()" in completed.err


def test_needs_no_identity_from_a_guess(patchgen, toy, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{role}_NAME")
        monkeypatch.delenv(f"GIT_{role}_EMAIL")
    completed = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert completed.code == 1
    assert "git does not know who you are" in completed.err


@pytest.mark.slow
def test_an_odd_environment_changes_nothing(patchgen, toy, tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    plain = apply(patchgen, toy, "-o", tmp_path / "plain")
    for name, value in (
        ("GIT_DIFF_OPTS", "-u0"),
        ("GIT_ICASE_PATHSPECS", "1"),
        ("GIT_DIR", "/nowhere"),
        ("GIT_EXTERNAL_DIFF", "false"),
        ("GIT_CONFIG_PARAMETERS", "'diff.noprefix=true' 'format.signature=me'"),
    ):
        monkeypatch.setenv(name, value)
    odd = apply(patchgen, toy, "-o", tmp_path / "odd", "--force")
    assert odd["tip"] == plain["tip"]
    for mail in plain["mails"]:
        assert (tmp_path / "odd" / Path(mail).name).read_bytes() == Path(mail).read_bytes()


def test_ignores_the_trees_own_cocciconfig(patchgen, toy, git):
    (toy / ".cocciconfig").write_text("[spatch]\n\toptions = --no-such-option\n")
    git(toy, "add", "-f", ".cocciconfig")
    git(toy, "commit", "-q", "-m", "config")
    assert len(apply(patchgen, toy)["patches"]) == 4


def test_without_spatch_reports_how_to_install_it(patchgen, toy, monkeypatch):
    monkeypatch.setenv("SPATCH", "no-such-spatch")
    completed = patchgen("apply", "--variant", "pvops", "--tree", toy)
    assert completed.code == 1
    assert "apt-get install coccinelle" in completed.err


@pytest.mark.slow
def test_prints_the_two_commands_to_run_next(patchgen, toy):
    completed = patchgen("apply", "--variant", "pvops", cwd=toy)
    assert completed.code == 0, completed.err
    assert "git log --reverse --patch" in completed.out
    assert "git send-email outgoing/pvops-v4/v4-*.patch" in completed.out
    assert patchgen("apply", "--variant", "pvops", "--force", "--quiet", cwd=toy).out == ""


def test_messages_say_how_the_change_was_made_and_tested(patchgen, pvops_on, toy, git):
    pvops_on("--signoff")
    message = git(toy, "show", "-s", "--format=%B", BRANCH)
    provenance, _, trailers = message.strip().rpartition("\n\n")
    assert trailers.splitlines()[-1] == "Signed-off-by: Ada Übergang <ada@example.org>"
    # What holds for one version of the series only does not belong into permanent history.
    assert provenance.rpartition("\n\n")[2].startswith("Generated by patchgen ")
    assert "neither built" not in message
    apply(patchgen, toy, "--force", "--define", "tested=booted it in a guest.")
    assert "Testing done: booted it in a guest." in git(toy, "show", "-s", BRANCH)
    for line in git(toy, "log", "--max-count=4", "--format=%B", BRANCH).splitlines():
        assert len(line) <= 75, line


def test_takes_a_branch_name_with_braces(patchgen, toy, git):
    apply(patchgen, toy, "--branch", "a{b}")
    git(toy, "rev-parse", "--verify", "refs/heads/a{b}")


@pytest.mark.slow
def test_a_run_starts_fewer_than_46_programs(toy):
    # Only a checkout of patchgen runs git to read its own version.
    find_version()
    with list_programs() as started:
        apply_variant(ApplyRequest(variant="pvops", tree=toy))
    # The command line starts two more.
    assert 12 < len(started) < 44, "\n".join(started)


def test_a_branch_in_a_folder_named_series_is_made(tmp_path, patchgen, git):
    tree = make_small_tree(tmp_path, git)
    document = apply_small(patchgen, tree, "--branch", "series/v1")
    assert document["tip"] == git(tree, "rev-parse", "refs/heads/series/v1").strip()


def test_each_mail_names_the_commit_of_the_branch(pvops_on, toy):
    document = pvops_on()
    commits = [document["tip"], *(patch["commit"] for patch in document["patches"])]
    named = [Path(mail).read_text().split()[1] for mail in document["mails"]]
    assert named == commits


def test_a_branch_without_its_mails_gets_them_from_the_same_command(patchgen, toy, git):
    """A run that was killed between the two leaves one."""
    args = ("apply", "--variant", "pvops", "--tree", toy, "--json")
    first = json.loads(patchgen(*args).out)
    mails = {Path(path): Path(path).read_bytes() for path in first["mails"]}
    shutil.rmtree(next(iter(mails)).parent)
    # On another day.
    again = json.loads(patchgen(*args).out)
    assert again["tip"] == first["tip"]
    assert {Path(path): Path(path).read_bytes() for path in again["mails"]} == mails
    assert len(git(toy, "reflog", "show", first["branch"]).splitlines()) == 1
    git(toy, "update-ref", f"refs/heads/{first['branch']}", f"{first['tip']}^")
    shutil.rmtree(next(iter(mails)).parent)
    completed = patchgen(*args)
    assert completed.code == 1 and "already exists" in completed.err
    assert not next(iter(mails)).parent.exists()
    assert git(toy, "rev-parse", f"{first['branch']}").strip() != first["tip"]
