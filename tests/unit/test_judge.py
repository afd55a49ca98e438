# SPDX-License-Identifier: GPL-2.0-or-later
"""From builds to findings: what a commit adds, and what it claims."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from patchgen.kernel import find_config
from patchgen.model.base import Oid
from patchgen.model.build import Build, BuildFailure, BuiltObject
from patchgen.model.commit import Commit
from patchgen.model.finding import Finding, count_old
from patchgen.verify.judge import (
    claims_no_change,
    judge_base_failure,
    judge_build,
    judge_code,
    judge_sections,
    list_changed_functions,
    list_never_built,
)

WHO = "Ada <ada@example.org>"
KVM = "arch/x86/kernel/kvm.o"
KVM_C = "arch/x86/kernel/kvm.c"
UNUSED = "arch/x86/kernel/kvm.c: 'f' defined but not used"


def commit(message: str = "x86/kvm: Do it\n") -> Commit:
    files = (PurePosixPath("arch/x86/kernel/kvm.c"),)
    return Commit(Oid("1"), Oid("2"), WHO, WHO, message, files)


def build(
    *warnings: str, functions: dict[str, str] | None = None, **more: tuple[str, ...]
) -> Build:
    return Build({KVM: BuiltObject(warnings, functions or {})}, **more)


def texts(before: Build, after: Build) -> list[tuple[str, str]]:
    return [(f.where, f.text) for f in judge_build(commit(), "x86_64", before, after) if f.failure]


def test_a_new_warning_is_reported_and_an_old_one_is_not():
    new = [("arch/x86/kernel/kvm.c", "new warning: 'f' defined but not used")]
    assert texts(build(), build(UNUSED)) == new
    assert texts(build(UNUSED), build(UNUSED)) == []
    assert texts(build(UNUSED), build()) == []
    # The same text a second time is another warning.
    assert texts(build(UNUSED), build(UNUSED, UNUSED)) == new
    # In an object that was not there before, all warnings are new.
    assert texts(Build(), build(UNUSED)) == new


def test_a_warning_of_a_header_is_reported_once_for_all_objects():
    header = "arch/x86/include/asm/a.h: unused"
    before = Build({name: BuiltObject() for name in ("a.o", "b.o")})
    after = Build({name: BuiltObject((header,)) for name in ("a.o", "b.o")})
    assert texts(before, after) == [("arch/x86/include/asm/a.h", "new warning: unused")]


def test_a_symbol_that_nothing_defines_is_reported_once_it_is_new():
    missing = [("", "f is used, but not defined")]
    assert texts(build(), build(undefined=("f",))) == missing
    assert texts(build(undefined=("f",)), build(undefined=("f",))) == []


def test_a_failure_is_reported_with_its_place_its_log_and_what_to_do():
    failure = BuildFailure("'x' undeclared", "a.c:1:2", "do that", "configs", Path("/log"))
    [finding] = judge_build(commit(), "i386", build(), Build(failure=failure))
    assert (finding.where, finding.text, finding.config) == ("a.c:1:2", "'x' undeclared", "i386")
    assert (finding.log, finding.hint, finding.parameter) == (Path("/log"), "do that", "configs")
    base = judge_base_failure("build", "i386", failure)
    assert (base.commit, base.where, base.failure) == (None, "a.c:1:2", True)
    assert (base.hint, base.parameter) == ("do that", "configs")


def test_a_new_section_mismatch_is_reported():
    mismatch = "section mismatch in reference: ops (section: .data) -> f (section: .init.text)"
    after = build(mismatches=(mismatch,))
    [finding] = judge_sections(commit(), "x86_64", build(), after)
    assert (finding.check, finding.text, finding.failure) == ("sections", mismatch, True)
    assert not list(judge_sections(commit(), "x86_64", after, after))
    # A check whose program cannot run has not passed.
    [finding] = judge_sections(commit(), "x86_64", build(), Build(unchecked="modpost: killed"))
    assert "modpost could not check the sections: modpost: killed" in finding.text


@pytest.mark.parametrize(
    "message",
    [
        "No functional change.",
        "no functional changes intended",
        "No intended functional change.\n",
        "Because.\n\nNo functional change intended.\n\nSigned-off-by: A <a@b>\n",
        "No functional changes are expected.",
    ],
)
def test_claims_that_nothing_changes(message):
    assert claims_no_change(message)


@pytest.mark.parametrize(
    "message",
    ["It does more.", "No functional change as long as it is off.", "A functional change."],
)
def test_claims_nothing_of_the_kind(message):
    assert not claims_no_change(message)


def test_a_commit_that_claims_no_change_and_changes_code_is_reported():
    before = build(functions={"f": "1", "g": "1"})
    after = build(functions={"f": "2", "g": "1"})
    changed = {"x86_64": list_changed_functions(before, after)}
    assert changed == {"x86_64": [f"{KVM}: f"]}
    configs = [find_config("x86_64"), find_config("no-paravirt")]
    claim = commit("x86/kvm: Move it\n\nNo functional change.\n")
    [finding] = judge_code(claim, configs, changed)
    assert (finding.config, finding.failure) == ("x86_64", True)
    assert finding.text == f'claims "no functional change", but changes {KVM}: f'
    # Another message claims nothing, and equal code is what was claimed.
    assert not list(judge_code(commit(), configs, changed))
    assert not list(judge_code(claim, configs, {"x86_64": list_changed_functions(after, after)}))


def test_many_changed_functions_are_counted():
    claim = commit("x86/kvm: Move it\n\nNo functional change.\n")
    [finding] = judge_code(claim, [find_config("x86_64")], {"x86_64": [f"f{n}" for n in range(7)]})
    assert finding.text.endswith("f0, f1, f2, f3, f4 and 2 more")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1 finding in old code: the removed lines have it, too"),
        (2, "2 findings in old code: the removed lines have them, too"),
    ],
)
def test_findings_in_old_code_are_counted(number, text):
    found = [Finding("checkpatch", f"{n}", in_old_code=True) for n in range(number)]
    assert count_old(found) == [Finding("checkpatch", text, failure=False)]


def test_a_file_that_no_configuration_builds_is_noted():
    configs = [find_config("x86_64")]
    [note] = list_never_built([commit()], configs, {(Oid("1"), "x86_64"): Build(unread=(KVM_C,))})
    assert note.where == "arch/x86/kernel/kvm.c" and not note.failure
    assert not list(list_never_built([commit()], configs, {(Oid("1"), "x86_64"): build()}))
    # The base failed in it.
    assert not list(list_never_built([commit()], configs, {}))


@pytest.mark.parametrize(
    ("path", "text", "hint"),
    [
        ("lib/x.c", "built in no configuration", "name a .config that builds it"),
        ("lib/x.h", "built in no configuration", "name a .config that builds a file that inc"),
        ("tools/perf/x.c", "no configuration builds tools/", ""),
        ("tools/include/x.h", "no configuration builds tools/", ""),
        ("Documentation/x.c", "no configuration builds Documentation/", ""),
    ],
)
def test_a_configuration_is_a_hint_only_if_one_can_build_the_file(path, text, hint):
    changed = replace(commit(), files=(PurePosixPath(path),))
    builds = {(Oid("1"), "x86_64"): Build(unread=(path,))}
    [note] = list_never_built([changed], [find_config("x86_64")], builds)
    assert note.text == f"not checked: {text}" and note.hint.startswith(hint)
    assert (bool(note.hint), note.parameter) == (bool(hint), "configs" if hint else "")


def test_the_configuration_of_the_architecture_that_a_file_needs_is_named(monkeypatch):
    changed = replace(commit(), files=(PurePosixPath("drivers/x.c"),))
    builds = {(Oid("1"), "x86_64"): Build(unread=("drivers/x.c",))}
    config = find_config("x86_64")

    def hint(archs: tuple[str, ...] = ("x86_64",)) -> str:
        configs = [replace(config, arch=arch) for arch in archs]
        found = ("CONFIG_X, which depends on ARM64", "arm64")
        [note] = list_never_built([changed], configs, builds, lambda commit, file: found)
        return note.hint

    own = "name a .config with CONFIG_X, which depends on ARM64"
    monkeypatch.setattr("patchgen.kernel.configs.shutil.which", lambda name: None)
    assert hint() == f"{own}; or allmodconfig-arm64, which needs gcc-aarch64-linux-gnu"
    monkeypatch.setattr("patchgen.kernel.configs.shutil.which", lambda name: name)
    assert hint() == f"{own}; or allmodconfig-arm64"
    # It was built for arm64 already.
    assert hint(("x86_64", "arm64")) == own
