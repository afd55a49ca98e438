# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen verify` on Debian's 6.1: a series broken by hand, each fault found by its check."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.programs import log_runs

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("kernel")]

FILE = "arch/x86/kernel/kvm.c"
BEFORE = "static void kvm_io_delay(void)\n{\n"
SIGNED = "Signed-off-by: Ada Übergang <ada@example.org>"


def insert(code: str) -> Callable[[str], str]:
    return lambda text: text.replace(BEFORE, code + BEFORE)


# The change of each commit to kvm.c, its message, and the check that must find the fault.
COMMITS = (
    (
        insert("/* Nothing to wait for. */\n"),
        f"x86/kvm: Explain why there is no delay\n\nNo functional change.\n\n{SIGNED}\n",
        None,
    ),
    (
        lambda text: text.replace(BEFORE, BEFORE + "\tbarrier();\n\tcpu_relax();\n"),
        f"x86/kvm: Reword a comment\n\nNo functional change intended.\n\n{SIGNED}\n",
        ("code", 'claims "no functional change", but changes arch/x86/kernel/kvm.o: kvm_io_delay'),
    ),
    (
        insert("static int kvm_unused(void)\n{\n\treturn 0;\n}\n\n"),
        f"x86/kvm: Add a function\n\nIt warns.\n\n{SIGNED}\n",
        ("build", "new warning: 'kvm_unused' defined but not used"),
    ),
    (
        insert(
            "int kvm_missing(void);\n\nint kvm_present(void)\n{\n\treturn kvm_missing();\n}\n\n"
        ),
        f"x86/kvm: Add a caller\n\nNothing defines it.\n\n{SIGNED}\n",
        ("build", "kvm_missing is used, but not defined"),
    ),
    (
        insert("int kvm_broken(void);\n\nint kvm_broken(void)\n{\n\treturn undeclared;\n}\n\n"),
        f"x86/kvm: Break the build\n\nIt does not compile.\n\n{SIGNED}\n",
        ("build", "'undeclared' undeclared"),
    ),
    (
        lambda text: text.replace("return undeclared;", "return 0;"),
        f"x86/kvm: Mend the build\n\nIt compiles.\n\n{SIGNED}\nSuggested-by: B <b@example.org>\n",
        ("lint", "Suggested-by: B <b@example.org> comes after Signed-off-by"),
    ),
    (
        insert("void kvm_style( void );\n\n"),
        f"x86/kvm: Declare a function\n\nIt has spaces.\n\n{SIGNED}\n",
        ("checkpatch", "ERROR:SPACING: space prohibited after that open parenthesis"),
    ),
    (
        insert(
            "static void __init kvm_freed(void)\n{\n}\n\nvoid (*kvm_kept)(void) = kvm_freed;\n\n"
        ),
        f"x86/kvm: Keep a pointer\n\nIt outlives the function.\n\n{SIGNED}\n",
        ("sections", "section mismatch in reference"),
    ),
    (
        insert("void (*kvm_far)(void) = init_hypervisor_platform;\n\n"),
        f"x86/kvm: Keep another pointer\n\nAnother object has it.\n\n{SIGNED}\n",
        ("sections", "section mismatch in reference"),
    ),
    (
        lambda text: text.replace(
            "static void __init kvm_init_platform(void)\n{\n",
            "static void __init kvm_init_platform(void)\n{\n"
            "\tpv_ops.mmu.flush_tlb_user = kvm_freed;\n",
        ),
        f"x86/kvm: Set a callback\n\nmodpost does not see it.\n\n{SIGNED}\n",
        ("sections", "kvm_init_platform() stores the address of kvm_freed() in pv_ops.mmu.flush"),
    ),
)


@pytest.fixture
def broken(kernel_6_1, git, tmp_path) -> Path:
    tree = tmp_path / "linux"
    git(tmp_path, "clone", "-q", "--shared", "--sparse", kernel_6_1, tree)
    git(tree, "sparse-checkout", "set", "--no-cone", f"/{FILE}")
    git(tree, "checkout", "-q", "-b", "broken")
    for change, message, _ in COMMITS:
        text = (tree / FILE).read_text()
        assert change(text) != text
        (tree / FILE).write_text(change(text))
        git(tree, "commit", "-q", "-a", "-m", message)
    return tree


@pytest.fixture
def make_log(monkeypatch, tmp_path) -> Path:
    """Return a file that gets the arguments of each run of make."""
    return log_runs("make", tmp_path, monkeypatch)


def test_the_right_check_reports_each_fault(broken, make_log, patchgen, git, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    args = ("verify", "--tree", broken, "--config", "x86_64")
    result = patchgen(*args, "--json")
    assert result.code == 1, result.err
    document = json.loads(result.out)
    commits = document["commits"]
    for (_, message, expected), commit in zip(COMMITS, commits, strict=True):
        assert commit["subject"] == message.partition("\n")[0]
        failures = [(f["check"], f["text"]) for f in commit["findings"] if f["failure"]]
        if expected is None:
            assert failures == []
            continue
        check, text = expected
        assert any(c == check and text in t for c, t in failures), (expected, failures)
        # Each commit has one fault, but several of them break rules of checkpatch, too.
        assert {c for c, _ in failures} <= {check, "checkpatch"}, failures
    assert document["first_failing"] == commits[1]["commit"]
    [failure] = [f for f in commits[4]["findings"] if f["check"] == "build"]
    assert failure["where"].startswith(f"{FILE}:") and failure["config"] == "x86_64"
    assert "undeclared" in Path(failure["log"]).read_text()

    # The second run builds only the commit that does not compile, and finds the same.
    builds = make_log.read_text().count("kvm.o")
    assert builds == 1 + len(COMMITS)  # the base is built, too
    again = json.loads(patchgen(*args, "--json").out)
    assert again["commits"] == commits
    assert make_log.read_text().count("kvm.o") == builds + 1
    assert git(broken, "status", "--porcelain") == ""

    result = patchgen(*args)
    assert (
        f"first failing commit: {commits[1]['commit'][:12]} x86/kvm: Reword a comment" in result.out
    )


def test_a_configuration_that_the_base_cannot_have(broken, patchgen, tmp_path):
    dot_config = tmp_path / "x.config"
    dot_config.write_text("CONFIG_64BIT=y\n")
    result = patchgen(
        "verify", "HEAD~9..HEAD~8", "--tree", broken, "--config", dot_config, "--json"
    )
    # A .config without KVM_GUEST builds no kvm.c, which is reported.
    document = json.loads(result.out)
    [commit] = document["commits"]
    assert any(FILE in (f["where"] or "") for f in commit["findings"]), document


def test_checkpatch_is_about_the_source_and_separates_old_code(kernel_6_1, git, patchgen, tmp_path):
    """A rename in adm1026.c carries a line along that ends in a parenthesis."""
    file = "drivers/hwmon/adm1026.c"
    tree = tmp_path / "linux"
    git(tmp_path, "clone", "-q", "--shared", "--sparse", kernel_6_1, tree)
    git(tree, "sparse-checkout", "set", "--no-cone", f"/{file}")
    git(tree, "checkout", "-q", "-b", "renamed")
    lines = (tree / file).read_text().replace("return sprintf(", "return sysfs_emit(").split("\n")
    [number] = [n for n, line in enumerate(lines, 1) if line.startswith("static int adm1026_probe")]
    lines.insert(number - 1, "static int  new_fault( void );")
    (tree / file).write_text("\n".join(lines))
    message = f"hwmon: (adm1026) Use sysfs_emit()\n\nIt is shorter.\n\n{SIGNED}\n"
    git(tree, "commit", "-q", "-a", "-m", message)
    skipped = [f"--skip={check}" for check in ("lint", "am", "sections", "build")]
    result = patchgen("verify", "master..renamed", "--tree", tree, "--json", *skipped)
    [commit] = json.loads(result.out)["commits"]
    findings = commit["findings"]
    assert findings and {f["check"] for f in findings} == {"checkpatch"}
    places = {f["where"] for f in findings if f["failure"] and "SPACING" in f["text"]}
    assert places == {f"{file}:{number}"}
    old = [f for f in findings if f["in_old_code"]]
    assert any("OPEN_ENDED_LINE" in f["text"] for f in old), findings
    for finding in old:
        _, _, at = finding["where"].partition(":")
        assert "sysfs_emit(" in lines[int(at) - 1]
