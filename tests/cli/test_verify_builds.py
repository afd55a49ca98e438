# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen verify` where a build fails: in one configuration, or of the base already.

make and gcc build a tree of one object. A real kernel is built in tests/kernel/test_verify.py.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from patchgen.kernel.configs import CONFIGS as SHIPPED
from patchgen.verify.builds import slowest_first
from tests.conftest import Finished
from tests.support.buildable_tree import KVM, write_buildable_tree
from tests.support.programs import log_runs

FILE = "arch/x86/kernel/kvm.c"
CONFIGS = ("x86_64", "no-paravirt", "i386")
ONLY_BUILD = ("--skip", "lint", "--skip", "am", "--skip", "checkpatch", "--skip", "code")
BROKEN = "#ifndef CONFIG_PARAVIRT\nint kvm_other(void) { return undeclared; }\n#endif\n"
UNUSED = "static int kvm_unused(void) { return 0; }\n"


@pytest.fixture
def small(git, tmp_path) -> Path:
    tree = tmp_path / "linux"
    git(tmp_path, "init", "-q", "-b", "master", tree)
    write_buildable_tree(tree)
    git(tree, "add", "-A", "-f")
    git(tree, "commit", "-q", "-m", "Linux")
    return tree


@pytest.fixture
def commit(git, small) -> Callable[..., None]:
    def run(*changes: tuple[str, str]) -> None:
        for name, text in changes:
            path = small / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(small, "add", "-A", "-f")
        git(small, "commit", "-q", "-m", "x86: Change it")

    return run


@pytest.fixture
def verify(patchgen, small, git) -> Callable[..., dict]:
    """Check what is above the branch master."""

    def run(*options: str) -> dict:
        args = [word for name in CONFIGS for word in ("--config", name)]
        result = patchgen("verify", "master..HEAD", "--tree", small, "--json", *args, *options)
        assert result.out, result.err
        return json.loads(result.out)

    def start() -> None:
        git(small, "checkout", "-q", "-b", "series")

    run.start = start
    return run


def builds(findings: list[dict]) -> dict[str, list[tuple[str, str]]]:
    """Return place and text of what failed to build, by configuration."""
    by_config: dict[str, list[tuple[str, str]]] = {}
    for finding in findings:
        if finding["check"] == "build" and finding["failure"]:
            by_config.setdefault(finding["config"], []).append((finding["where"], finding["text"]))
    return by_config


def test_a_configuration_that_fails_does_not_hide_findings_of_others(verify, commit):
    verify.start()
    commit((FILE, KVM + BROKEN + UNUSED))
    commit((FILE, KVM + UNUSED))
    document = verify(*ONLY_BUILD)
    broken, mended = [builds(commit["findings"]) for commit in document["commits"]]
    warning = [(FILE, "new warning: 'kvm_unused' defined but not used [-Wunused-function]")]
    [(where, text)] = broken.pop("no-paravirt")
    assert where.startswith(f"{FILE}:8") and text.startswith("'undeclared' undeclared")
    assert broken == {"x86_64": warning, "i386": warning}
    # What the broken commit adds is found in the next one that builds.
    assert mended == {"no-paravirt": warning}
    assert document["series_findings"] == []


def test_a_base_that_fails_in_one_configuration_is_checked_in_the_others(verify, commit):
    commit((FILE, KVM + BROKEN))
    verify.start()
    commit((FILE, KVM + BROKEN + UNUSED))
    document = verify(*ONLY_BUILD)
    [failure] = document["series_findings"]
    assert failure["config"] == "no-paravirt" and failure["where"].startswith(f"{FILE}:8")
    assert "the base itself does not build: 'undeclared' undeclared" in failure["text"]
    assert "undeclared" in Path(failure["log"]).read_text()
    [findings] = [builds(commit["findings"]) for commit in document["commits"]]
    assert set(findings) == {"x86_64", "i386"}


def test_a_full_disk_is_not_a_fault_of_the_base(verify, commit, patchgen, small):
    # gcc ends its message as it does on a full disk.
    commit((FILE, f"{KVM}#error writing to /out/x.s: No space left on device\n"))
    verify.start()
    commit((FILE, KVM))
    result = patchgen("verify", "master..HEAD", "--tree", small, "--config", "i386", *ONLY_BUILD)
    assert result.code == 1 and "does not build" not in result.out + result.err
    assert "patchgen: No space left on device\nhint: the disk is full; TMPDIR" in result.err


def test_a_base_that_needs_a_make_variable(verify, commit, patchgen, small):
    commit(("tools/tool.c", "static int unused(void) { return 0; }\n"))
    verify.start()
    commit((FILE, KVM.replace("0", "1")))
    failures = verify(*ONLY_BUILD)["series_findings"]
    assert [failure["config"] for failure in failures] == list(CONFIGS)
    assert "-Werror=unused-function" in failures[0]["text"]
    assert failures[0]["where"].startswith("tools/tool.c:1")
    result = patchgen("verify", "master..HEAD", "--tree", small, "--config", "i386", *ONLY_BUILD)
    assert result.code == 1 and "series: build [i386]: tools/tool.c:1:12: the base" in result.out
    assert "hint: the compiler is newer than this tree: WERROR=0 builds its tools" in result.out
    assert "(--make-var)" in result.out
    # What several configurations say is printed once.
    args = ("--tree", small, "--config", "i386", "--config", "x86_64", *ONLY_BUILD[:-2])
    result = patchgen("verify", "master..HEAD", *args)
    [line] = [line for line in result.out.splitlines() if line.startswith("series: ")]
    assert line.startswith("series: build [i386, x86_64]: tools/tool.c:1:12: the base")
    document = verify("--make-var", "WERROR=0", *ONLY_BUILD)
    assert document["passed"], json.dumps(document, indent=1)


@pytest.mark.parametrize(
    ("name", "reported"),
    [
        (".config", ".config"),
        ("include/config/auto.conf", "include/config"),
        ("include/generated/asm-offsets.h", "include/generated"),
    ],
)
def test_committed_build_products_are_left_out(verify, commit, name, reported):
    commit((name, "CONFIG_OLD=y\n"))
    verify.start()
    commit((FILE, KVM.replace("0", "1")))
    document = verify(*ONLY_BUILD)
    assert document["passed"], json.dumps(document, indent=1)
    [note] = document["series_findings"]
    assert note["text"].endswith(f"which were left out: {reported}") and not note["failure"]


def test_names_the_script_that_has_no_exec_bit(verify, commit, patchgen, small):
    (small / "scripts/check.sh").chmod(0o644)
    commit()
    verify.start()
    commit((FILE, KVM.replace("0", "1")))
    result = patchgen("verify", "master..HEAD", "--tree", small, "--config", "i386", *ONLY_BUILD)
    assert result.code == 1
    assert "scripts/check.sh: the base itself does not build: the script has no exec" in result.out
    assert (
        "hint: `git update-index --chmod=+x scripts/check.sh`, and commit the change" in result.out
    )


def test_a_tree_without_any_exec_bit_is_built_and_reported(verify, commit, small, git):
    for path in (small / "scripts").iterdir():
        path.chmod(0o644)
    commit()
    verify.start()
    commit((FILE, KVM.replace("0", "1")))
    commit((FILE, KVM.replace("0", "2")))
    document = verify(*ONLY_BUILD)
    assert document["passed"], json.dumps(document, indent=1)
    [note] = document["series_findings"]
    assert "no script of the base has the exec bit" in note["text"] and not note["failure"]
    assert git(small, "ls-tree", "HEAD", "scripts/check.sh").startswith("100644")


@pytest.mark.parametrize(
    ("variable", "message"),
    [("WERROR", "expected NAME=VALUE"), ("=0", "expected NAME=VALUE"), ("O=/x", "sets O itself")],
)
def test_refuses_a_make_variable_that_it_cannot_set(patchgen, small, variable, message):
    result = patchgen("verify", "master", "--tree", small, "--make-var", variable)
    assert (result.code, result.out) == (2, "") and message in result.err
    assert "(--make-var)" not in result.err or "hint" in result.err


KCONFIG = "arch/x86/Kconfig"


@pytest.fixture
def list_steps(monkeypatch, tmp_path) -> Callable[[str], list[str]]:
    """Return the last argument of each run of make for a configuration."""
    log = log_runs("make", tmp_path, monkeypatch)
    return lambda config: [
        run.split()[-1] for run in log.read_text().splitlines() if f"/{config} " in run
    ]


def test_only_a_commit_that_changes_kconfig_configures_again(verify, commit, small, list_steps):
    """Configuring takes longer than building the objects of a series."""
    verify.start()
    for number, text in enumerate(("config A\n", "config B\n", "config B\n", None, "config C\n")):
        if text is None:
            (small / KCONFIG).unlink()
        commit((FILE, f"{KVM}/* {number} */\n"), *([(KCONFIG, text)] if text else []))
    assert verify(*ONLY_BUILD)["passed"]
    for config in CONFIGS:
        steps = list_steps(config)
        configured = [i for i, step in enumerate(steps) if step == "olddefconfig"]
        builds = [i for i, step in enumerate(steps) if step.endswith("kvm.o")]
        # Of the base and five commits, all but the third commit have another Kconfig.
        assert len(builds) == 6 and len(configured) == 5
        assert not any(builds[2] < i < builds[3] for i in configured)


def test_after_a_commit_that_cannot_be_configured_the_next_is_configured(
    verify, commit, list_steps
):
    commit((KCONFIG, "config A\n"))
    verify.start()
    check = "scripts/check.sh"
    commit((FILE, f"{KVM}/* 1 */\n"), (KCONFIG, "config B\n"), (check, "#!/bin/sh\nexit 1\n"))
    commit((FILE, f"{KVM}/* 2 */\n"), (KCONFIG, "config A\n"), (check, "#!/bin/sh\nexit 0\n"))
    failed, passed = verify(*ONLY_BUILD)["commits"]
    assert set(builds(failed["findings"])) == set(CONFIGS)
    assert not builds(passed["findings"])
    for config in CONFIGS:
        assert list_steps(config).count("olddefconfig") == 3


def test_prerequisites_are_built_with_the_flags_of_objects(verify, commit, monkeypatch, tmp_path):
    """make remakes what was made with other flags, for each configuration."""
    log = log_runs("make", tmp_path, monkeypatch)
    verify.start()
    commit((FILE, f"{KVM}/* changed */\n"))
    assert verify(*ONLY_BUILD)["passed"]
    runs = [run.split() for run in log.read_text().splitlines()]
    flags = {target: "W=1" in run for run in runs for target in run[-2:]}
    assert flags["prepare"] and flags["scripts"] and flags[FILE.replace(".c", ".o")]


RULE = """\
/// Return 1 instead of 0
@@
identifier f;
@@
 int f(void)
 {
-	return 0;
+	return 1;
 }
"""


@pytest.fixture
def campaign(patchgen, git, small, tmp_path, monkeypatch) -> Callable[..., Finished]:
    """Verify a campaign over several architectures. There is a compiler for x86 and arm64."""
    for name, makefile, objects in [
        ("arch/arm64/kernel", "", "a"),
        ("arch/s390/kernel", "", "s"),
        ("drivers", "obj-$(CONFIG_OTHER) += e.o f.o\n", "d"),
    ]:
        folder = small / name
        folder.mkdir(parents=True)
        (folder / "Makefile").write_text(f"obj-y += {objects}.o\n{makefile}")
        (folder.parent / "Kbuild").write_text("obj-y += kernel/\n")
        for stem in re.findall(r"\w(?=\.o)", (folder / "Makefile").read_text()):
            (folder / f"{stem}.c").write_text(KVM.replace("kvm", stem))
    (small / "Kbuild").unlink()
    (small / "drivers/Kconfig").write_text("config OTHER\n\tbool\n\tdepends on S390\n")
    (small / "arch/s390/Kconfig").write_text("config S390\n\tdef_bool y\n")
    # `verify --record` is refused for a base that cannot be configured.
    (small / "Kconfig").touch()
    git(small, "add", "-A", "-f")
    git(small, "commit", "-q", "-m", "More folders")
    rule = tmp_path / "one.cocci"
    rule.write_text(RULE)
    made = patchgen("run", rule, "--tree", small, "--split", "directory")
    assert made.code == 0, made.err
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("gcc", "nm", "ld"):
        (programs / f"aarch64-linux-gnu-{program}").symlink_to(shutil.which(program))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return lambda *args: patchgen("verify", "patchgen/one-v1", "--tree", small, *ONLY_BUILD, *args)


def test_a_campaign_is_built_for_each_architecture_with_a_compiler(campaign):
    document = json.loads(campaign("--json").out)
    assert document["passed"], json.dumps(document, indent=1)
    assert document["checks"] == ["allmodconfig", "allmodconfig-arm64", "sections"]
    built = {commit["subject"].partition(":")[0]: commit for commit in document["commits"]}
    assert {prefix: commit["built_in"] for prefix, commit in built.items()} == {
        "arm64": ["allmodconfig-arm64"],
        "s390": [],
        "x86": ["allmodconfig"],
        "treewide": ["allmodconfig", "allmodconfig-arm64"],
    }
    [note] = built["s390"]["findings"]
    assert note["where"] == "arch/s390/kernel/s.c" and not note["failure"]
    assert note["text"] == "not checked: no configuration of s390 was built"
    assert note["hint"] == "allmodconfig-s390 needs gcc-s390x-linux-gnu"
    assert [finding["where"] for finding in built["treewide"]["findings"]] == [
        "drivers/e.c",
        "drivers/f.c",
    ]
    assert document["series_findings"] == []


def test_the_table_shows_which_configurations_build_no_file_of_a_patch(campaign):
    result = campaign()
    assert result.code == 0, result.err
    rows = [line.split() for line in result.out.splitlines()]
    marks = {row[1]: row[-3:] for row in rows if row[1:] and row[1].endswith(":")}
    assert marks["arm64:"] == ["-", "ok", "ok"] and marks["x86:"] == ["ok", "-", "ok"]
    assert marks["s390:"] == ["-", "-", "-"] and marks["treewide:"] == ["ok"] * 3
    # One line names all files of a patch.
    [unbuilt] = [line for line in result.out.splitlines() if "drivers/e.c" in line]
    assert unbuilt == (
        "  note: build: drivers/e.c, drivers/f.c: not checked: built in no configuration"
    )
    assert (
        "    hint: name a .config with CONFIG_OTHER, which depends on S390; or allmodconfig-s390, "
        "which needs gcc-s390x-linux-gnu (--config)"
    ) in result.out
    assert "    hint: allmodconfig-s390 needs gcc-s390x-linux-gnu (--config)" in result.out
    assert "; 2 notes above" in result.out
    assert (
        "\n4 commits passed allmodconfig (2 of 4), allmodconfig-arm64 (2 of 4), sections (3 of 4) ("
    ) in result.out


def test_a_campaign_that_claims_no_functional_change_is_compared(campaign, git, small):
    git(small, "checkout", "-q", "patchgen/one-v1")
    message = git(small, "show", "-s", "--format=%B")
    git(small, "commit", "-q", "--amend", "-m", f"{message}\n\nNo functional change.")
    configs = ["x86_64", "allmodconfig", "allmodconfig-arm64"]
    assert json.loads(campaign("--json").out)["checks"] == [*configs, "sections"]


def test_a_configuration_that_builds_no_file_of_a_series_is_not_recorded(campaign, git, small):
    oids = git(small, "rev-list", "--reverse", "master..patchgen/one-v1").split()
    subjects = [git(small, "show", "-s", "--format=%s", oid) for oid in oids]
    assert [subject.partition(":")[0] for subject in subjects[1:3]] == ["arm64", "s390"]
    git(small, "update-ref", "refs/heads/patchgen/one-v1", oids[2])
    result = campaign("--record", "--config", "allmodconfig", "--config", "allmodconfig-arm64")
    assert result.code == 0, result.err
    cover = " ".join(git(small, "show", "-s", "--format=%B", "patchgen/one-v1~2").split())
    assert "no new warnings for allmodconfig-arm64 (" in cover
    assert "not built: arch/s390/kernel/s.c" in cover


@pytest.mark.parametrize(
    ("paths", "message", "configs"),
    [
        (["drivers/d.c", "net/n.c"], "", ["allmodconfig"]),
        (["drivers/d.c"], "No functional change.", ["x86_64", "allmodconfig"]),
        (["drivers/d.c", "mm/m.c"], "", [config.name for config in SHIPPED]),
        ([FILE], "", [config.name for config in SHIPPED]),
    ],
)
def test_a_series_of_modules_is_built_with_allmodconfig(
    patchgen, git, small, paths, message, configs
):
    git(small, "checkout", "-q", "-b", "series")
    for path in paths:
        (small / path).parent.mkdir(parents=True, exist_ok=True)
        (small / path).write_text("int d;\n")
    git(small, "add", "-A", "-f")
    git(small, "commit", "-q", "-m", f"d: Change it\n\n{message}")
    result = patchgen("verify", "master..HEAD", "--tree", small, "--json", *ONLY_BUILD)
    assert json.loads(result.out)["checks"] == [*configs, "sections"]


CLAIM = "No functional change."
INVERTED = KVM.replace("return 0", "return 1")
SAME = f"{KVM}/* More. */\n"
UNCHECKED = 'note: code: claims "no functional change", which was not checked: '


@pytest.mark.parametrize(
    ("path", "text", "message", "config", "mark", "note"),
    [
        (FILE, SAME, CLAIM, "x86_64", "ok", ""),
        (FILE, SAME, "It has a comment.", "x86_64", "-", ""),
        (FILE, INVERTED, "It is on.", "x86_64", "-", ""),
        (FILE, INVERTED, CLAIM, "x86_64", "1 !", ""),
        (
            FILE,
            INVERTED,
            CLAIM,
            "allmodconfig",
            "-",
            "the machine code of allmodconfig cannot be compared\n"
            "    hint: name one whose machine code is compared: x86_64 (--config)",
        ),
        (
            "drivers/d.c",
            INVERTED,
            CLAIM,
            "x86_64",
            "-",
            "its files are not built in x86_64\n"
            "    hint: name a .config of x86_64 that builds them, if it can (--config)",
        ),
        ("Documentation/d.rst", "Text\n", CLAIM, "x86_64", "-", ""),
    ],
)
def test_code_passes_if_a_claim_was_checked(
    patchgen, git, small, path, text, message, config, mark, note
):
    (small / path).parent.mkdir(parents=True, exist_ok=True)
    git(small, "checkout", "-q", "-b", "series")
    for name, content in ((path, text), (FILE, f"{SAME}/* And more. */\n")):
        (small / name).write_text(content)
        git(small, "add", "-A", "-f")
        git(small, "commit", "-q", "-m", f"d: Change it\n\n{message}")
        message = "It has a comment."
    args = ("--tree", small, "--config", config, *ONLY_BUILD[:-2])
    result = patchgen("verify", "master..HEAD", *args)
    assert result.code == ("!" in mark), result.err
    rows = [line.partition("d: Change it")[2] for line in result.out.splitlines()]
    marks = [row.strip().rpartition("  ")[2] for row in rows if row.strip()]
    assert marks == [mark, "-"]
    assert result.out.count(f"{UNCHECKED}{note}") == bool(note)
    assert ("sections, code (" in result.out) == (mark == "ok")


def test_a_note_names_files_for_which_a_claim_was_not_checked(patchgen, git, small):
    git(small, "checkout", "-q", "-b", "series")
    for name, content in ((FILE, SAME), ("drivers/d.c", INVERTED)):
        (small / name).parent.mkdir(parents=True, exist_ok=True)
        (small / name).write_text(content)
    git(small, "add", "-A", "-f")
    git(small, "commit", "-q", "-m", f"d: Change it\n\n{CLAIM}")
    args = ("--tree", small, "--config", "x86_64", *ONLY_BUILD[:-2])
    result = patchgen("verify", "master..HEAD", *args)
    assert result.code == 0, result.err
    claim = 'note: code: claims "no functional change", which was checked in part: '
    assert f"{claim}not built in x86_64: drivers/d.c" in result.out


def test_a_configuration_without_a_compiler_is_refused(campaign):
    result = campaign("--config", "allmodconfig-s390")
    assert result.code == 1 and "no compiler for s390 is installed" in result.err
    assert "apt-get install gcc-s390x-linux-gnu" in result.err
    result = campaign("--config", "allmodconfig-um")
    assert result.code == 2 and "unknown configuration 'allmodconfig-um'" in result.err
    assert "i386, allmodconfig, allmodconfig-ARCH; or the path of a .config, with a /" in result.err


def test_the_slowest_configuration_is_built_first():
    """If it came last, it would be built alone, with one processor."""
    names = [config.name for config in SHIPPED]
    assert [config.name for config in slowest_first(SHIPPED, {})] == names
    seconds = {names[-1]: 9.0, names[1]: 2.5, names[0]: 2.0}
    ordered = [config.name for config in slowest_first(SHIPPED, seconds)]
    assert ordered == [names[-1], names[1], names[0], *names[2:-1]]
