# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job on real kernels: Debian's 6.1 without the op, and 6.1 and 6.12 as they are."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Patchgen
from tests.support import TOP
from tests.support.checks import apply_mails, checkpatch, snapshot
from tests.support.kernels import clone_bare
from tests.support.prepared import WITHOUT_OP as BASE

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

BRANCH = "patchgen/pvops-v4"
SERIES = ("--variant", "pvops", "--backend", "sev", "--base", BASE, "--signoff")


@dataclass(frozen=True)
class AppliedSeries:
    """A bare clone of 6.1 with the op removed on BASE, and the series on top of it."""

    repository: Path
    document: dict
    mails: tuple[Path, ...]


def apply(patchgen: Patchgen, *args: str | Path) -> dict:
    result = patchgen("apply", "--json", *args)
    assert result.code == 0, result.err
    return json.loads(result.out)


@pytest.fixture
def series(without_op, patchgen, tmp_path, monkeypatch) -> AppliedSeries:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1629460000")
    document = apply(patchgen, *SERIES, "--tree", without_op, "-o", tmp_path / "outgoing")
    mails = tuple(Path(mail) for mail in document["mails"])
    return AppliedSeries(without_op, document, mails)


@pytest.fixture
def mail_tree(series, git, tmp_path) -> Path:
    """Return a checkout for `git am`, which needs only the files that the mails change."""
    tree = tmp_path / "mail-tree"
    git(tmp_path, "clone", "-q", "--shared", "--sparse", "-b", BASE, series.repository, tree)
    git(tree, "sparse-checkout", "set", "arch/x86")
    return tree


def test_the_series_on_6_1_without_the_op(series, mail_tree, git, patchgen, kernel_6_1, tmp_path):
    assert [p["status"] for p in series.document["patches"]] == ["made"] * 4

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for mail in series.mails[1:]:
        assert checkpatch(kernel_6_1, mail, scratch) == (0, 0, 0), mail.name

    tip_tree = git(series.repository, "rev-parse", f"{BRANCH}^{{tree}}").strip()
    assert apply_mails(mail_tree, f"origin/{BASE}", series.mails[1:]) == tip_tree

    tree = ("--tree", series.repository, "--force")
    again = apply(patchgen, *SERIES, *tree, "-o", tmp_path / "again")
    assert again["tip"] == series.document["tip"]
    for mail in series.mails:
        assert (tmp_path / "again" / mail.name).read_bytes() == mail.read_bytes()

    result = subprocess.run(
        ["git", "send-email", "--dry-run", "--confirm=never", "--quiet", *series.mails],
        cwd=mail_tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr

    # The interface of the series is that of 6.1 itself.
    for tokens, path in (
        (
            "void (*notify_page_enc_status_changed)(unsigned long pfn, int npages, bool enc);",
            "arch/x86/include/asm/paravirt_types.h",
        ),
        (
            "kvm_sev_hypercall3(unsigned int nr, unsigned long p1,",
            "arch/x86/include/asm/kvm_para.h",
        ),
    ):
        assert tokens in git(series.repository, "show", f"master:{path}")
        assert tokens not in git(series.repository, "show", f"{BASE}:{path}")
        assert tokens in git(series.repository, "show", f"{BRANCH}:{path}")


def verify(patchgen: Patchgen, repository: Path, *args: str | Path) -> dict:
    result = patchgen("verify", *args, "--tree", repository, "--json")
    assert result.out, result.err
    document = json.loads(result.out)
    assert document["passed"], document
    # Only the sender knows the values that the notes ask for, such as the Link.
    findings = [finding["text"] for finding in document["series_findings"]]
    assert not [text for text in findings if not re.match(r"the variable \w+ is empty: ", text)]
    return document


def test_every_commit_passes_with_both_backends_and_the_tip_boots(series, patchgen, tmp_path):
    args = ("--variant", "pvops", "--tree", series.repository, "--base", BASE, "--signoff")
    document = apply(patchgen, *args, "--branch", "both", "-o", tmp_path / "both")
    assert document["backends"] == ["sev", "tdx"]
    checked = verify(patchgen, series.repository, "both", "--base", BASE, "--boot")
    assert [commit["subject"] for commit in checked["commits"]] == [
        patch["subject"] for patch in document["patches"]
    ]
    assert set(checked["checks"]) == {
        *("lint", "checkpatch", "am", "sections", "code", "boot"),
        *("x86_64", "no-amd-mem-encrypt", "no-paravirt", "i386", "allmodconfig"),
    }
    # The first patch adds an operation without callers: it changes the table, and code that writes
    # to a member whose offset changes. The other patches change code.
    changed = [commit["changed_functions"]["x86_64"] for commit in checked["commits"]]
    assert [bool(names) for names in changed] == [True, True, False, *[True] * 5]
    assert set(changed[0]) == {
        "arch/x86/kernel/paravirt.o: (.data)",
        "arch/x86/kernel/kvm.o: kvm_guest_init",
    }
    assert any(name.endswith(": notify_range_enc_status_changed") for name in changed[1])


def start(tree: Path, *args: str | Path) -> subprocess.Popen[bytes]:
    """Run apply in a new process group, so that a signal reaches all of its processes."""
    return subprocess.Popen(
        [sys.executable, "-m", "patchgen", "apply", "--variant", "pvops", "--tree", tree, *args],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(TOP)},
        start_new_session=True,
    )


def test_kill_9_on_a_full_kernel(series, git, tmp_path):
    """A few tries; tests/git/test_killed.py makes many, on the toy tree."""
    before = snapshot(series.repository, without=BRANCH)
    tip = git(series.repository, "rev-parse", BRANCH)
    args = ["--base", BASE, "--backend", "sev", "--signoff", "--force", "-o", tmp_path / "killed"]
    begin = time.monotonic()
    assert start(series.repository, *args).wait() == 0
    seconds = time.monotonic() - begin
    for part in (0.2, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95):
        git(series.repository, "update-ref", "-d", f"refs/heads/{BRANCH}")
        process = start(series.repository, *args)
        time.sleep(part * seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        refs = git(
            series.repository, "for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}"
        )
        assert refs in ("", tip), part
        assert snapshot(series.repository, without=BRANCH) == before, part
    output = git(series.repository, "fsck", "--connectivity-only")
    assert "missing" not in output and "broken" not in output, output


@pytest.mark.parametrize("version", ["kernel_6_1", "kernel_6_12"])
def test_a_kernel_that_has_the_op_calls_it_everywhere(version, request, patchgen, git, tmp_path):
    kernel = request.getfixturevalue(version)
    repository = clone_bare(kernel, tmp_path / "linux.git")
    args = ("--variant", "pvops", "--backend", "sev", "--tree", repository)
    document = apply(patchgen, *args, "--signoff", "-o", tmp_path / "outgoing")
    status = ["already there"] * 4 + ["made"] * 2
    assert [patch["status"] for patch in document["patches"]] == status
    new = [patch for patch in document["patches"] if patch["status"] == "made"]
    assert [patch["name"] for patch in new] == ["whole-pages", "direct"]
    assert all(patch["files"] == ["arch/x86/kernel/kvm.c"] for patch in new)

    # One direct call remains; the letter shows the path from each other call to the op.
    [remaining] = document["cites"]["direct"]
    path, _, line = remaining["site"].partition(":")
    source = git(repository, "show", f"{BRANCH}:{path}")
    assert "kvm_sev_hypercall3(" in source.splitlines()[int(line) - 1]
    assert remaining["function"] == "kvm_sev_hc_page_enc_status"
    assert source.count("kvm_sev_hypercall3(") == 1
    for name in ("ghcb", "apf_reason", "steal_time", "kvm_apic_eoi"):
        [call] = document["cites"][name]
        assert "early_set_memory_decrypted" in call["via"]
        assert call["via"][-1] == "notify_page_enc_status_changed"
        assert call["site"] in Path(document["mails"][0]).read_text()

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for mail in document["mails"][1:]:
        assert checkpatch(kernel, Path(mail), scratch) == (0, 0, 0)

    configs = [w for name in ("x86_64", "no-amd-mem-encrypt", "i386") for w in ("--config", name)]
    verify(patchgen, repository, BRANCH, "--base", "master", *configs)

    before = snapshot(repository, without="none")
    result = patchgen("apply", *args, "--base", BRANCH)
    assert result.code == 0, result.err
    assert result.out.count("already there (arch/x86/") == 6
    assert f"    {remaining['site']} {remaining['function']}(): the op calls it\n" in result.out
    assert "patches are already in" in result.out
    assert snapshot(repository, without="none") == before
    assert not (repository / "outgoing").exists()
