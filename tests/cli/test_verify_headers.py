# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen verify` of headers: a compiler reads them only as part of other files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_verify_builds import ONLY_BUILD, RULE
from tests.conftest import Finished
from tests.support.buildable_tree import write_buildable_tree
from tests.support.programs import log_runs

GUARDED = "#pragma once\n"
FILES = {
    "drivers/Kbuild": "obj-y += sensor/ other/\n",
    "drivers/sensor/Makefile": "obj-y += a.o e.o\nobj-$(CONFIG_UNSET) += b.o\n",
    "drivers/sensor/a.c": '#include "a.h"\n#include <linux/sensor.h>\nint a;\n',
    "drivers/sensor/b.c": '#include "a.h"\n#include "b.h"\nint b;\n',
    "drivers/sensor/e.c": '#include "inner.h"\nint e;\n',
    "drivers/sensor/a.h": f'{GUARDED}#include "inner.h"\n',
    "drivers/sensor/b.h": GUARDED,
    "drivers/sensor/inner.h": GUARDED,
    "drivers/other/Makefile": "obj-y += c.o d.o\n",
    "drivers/other/b.h": GUARDED,
    "drivers/other/c.c": '#include "b.h"\nint c;\n',
    "drivers/other/d.c": '#include "../sensor/../sensor/up.h"\nint d;\n',
    "drivers/sensor/up.h": GUARDED,
    "include/linux/sensor.h": f"{GUARDED}#include <linux/under.h>\n",
    "include/linux/under.h": GUARDED,
    "include/linux/alone.h": GUARDED,
}
BROKEN = "this is not C;\n"


@pytest.fixture
def tree(git, tmp_path) -> Path:
    tree = tmp_path / "linux"
    git(tmp_path, "init", "-q", "-b", "master", tree)
    write_buildable_tree(tree)
    change(tree, FILES)
    git(tree, "add", "-A", "-f")
    git(tree, "commit", "-q", "-m", "Linux")
    return tree


@pytest.fixture
def verify(patchgen, git, tree) -> Callable[..., Finished]:
    """Commit files and check that commit, in one configuration."""

    def run(files: dict[str, str], *options: str) -> Finished:
        change(tree, files)
        git(tree, "add", "-A", "-f")
        git(tree, "commit", "-q", "-m", "x86: Change it")
        config = ("--config", "x86_64", *ONLY_BUILD)
        return patchgen("verify", "HEAD^..HEAD", "--tree", tree, *config, *options)

    return run


def change(tree: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def read_commit(result: Finished) -> dict:
    [commit] = json.loads(result.out)["commits"]
    return commit


@pytest.mark.parametrize(
    "header",
    [
        "drivers/sensor/a.h",
        "drivers/sensor/inner.h",
        "drivers/sensor/up.h",
        "include/linux/sensor.h",
        "include/linux/under.h",
    ],
)
def test_a_fault_of_a_header_is_found_in_an_unchanged_file_that_includes_it(verify, header):
    sound = verify({header: f"{GUARDED}extern int other;\n"}, "--json")
    commit = read_commit(sound)
    assert (sound.code, commit["built_in"], commit["findings"]) == (0, ["x86_64"], [])
    result = verify({header: BROKEN}, "--json")
    [finding] = read_commit(result)["findings"]
    assert result.code == 1 and finding["where"].startswith(f"{header}:1")
    assert (finding["check"], finding["config"]) == ("build", "x86_64")


@pytest.mark.parametrize("header", ["drivers/sensor/b.h", "include/linux/alone.h"])
def test_a_configuration_that_compiles_no_includer_did_not_pass(verify, header):
    """Another folder's file includes its own b.h, not the changed one."""
    result = verify({header: BROKEN})
    assert result.code == 0, result.err
    [row, _] = [line.split() for line in result.out.splitlines() if "x86: Change it" in line]
    assert row[-2:] == ["-", "-"]
    assert f"note: build: {header}: not checked: built in no configuration" in result.out
    assert "1 commit had nothing to check (" in result.out
    assert "hint: name a .config that builds a file that includes it (--config)" in result.out
    document = json.loads(verify({header: f"{BROKEN}more\n"}, "--json").out)
    assert document["commits"][0]["built_in"] == []


def test_a_commit_without_a_check_does_not_pass(verify):
    result = verify({"include/linux/alone.h": BROKEN}, "--skip", "sections")
    assert "1 commit had nothing to check (" in result.out and "passed" not in result.out


def test_a_header_that_a_changed_file_includes_through_others_is_built(verify):
    files = {"include/linux/low.h": GUARDED, "include/linux/mid.h": "#include <linux/low.h>\n"}
    files |= {"drivers/sensor/inner.h": "#include <linux/mid.h>\n"}
    verify(files)
    low = {"include/linux/low.h": f"{GUARDED}extern int low;\n"}
    # Neither a file nor a header that a file includes names it.
    alone = read_commit(verify(low, "--json"))
    assert (alone["built_in"], len(alone["findings"])) == ([], 1)
    both = {"include/linux/low.h": GUARDED, "drivers/sensor/a.c": '#include "a.h"\nint aa;\n'}
    together = read_commit(verify(both, "--json"))
    assert (together["built_in"], together["findings"]) == (["x86_64"], [])


def test_a_removed_header_is_not_reported_as_unchecked(verify, tree):
    (tree / "include/linux/alone.h").unlink()
    commit = read_commit(verify({}, "--json"))
    assert (commit["built_in"], commit["findings"]) == ([], [])


def test_few_of_many_includers_are_built(verify, monkeypatch, tmp_path):
    """Half of the kernel includes some headers."""
    names = [f"many{number}" for number in range(20)]
    objects = " ".join(f"{name}.o" for name in names)
    files = {f"arch/x86/kernel/{name}.c": "#include <linux/alone.h>\n" for name in names}
    verify({**files, "arch/x86/kernel/Makefile": f"obj-y += {objects}\n"})
    log = log_runs("make", tmp_path, monkeypatch)
    assert verify({"include/linux/alone.h": "extern int one;\n"}).code == 0
    built = [
        [arg for arg in run.split() if arg.endswith(".o")] for run in log.read_text().splitlines()
    ]
    base, tip = filter(None, built)
    assert base == tip and len(base) == 8


def test_a_header_without_includers_is_not_recorded_as_tested(
    patchgen, git, tree, tmp_path, verify
):
    header = "include/linux/alone.h"
    # `verify --record` is refused for a base that cannot be configured.
    verify({header: "static inline int one(void)\n{\n\treturn 0;\n}\n", "Kconfig": ""})
    rule = tmp_path / "one.cocci"
    rule.write_text(RULE)
    args = ("--tree", tree, "--split", "directory")
    made = patchgen("run", rule, header, *args)
    assert made.code == 0, made.err
    result = patchgen("verify", "patchgen/one-v1", "--tree", tree, *ONLY_BUILD, "--record")
    assert result.code == 1 and "nothing to record: no configuration built a file" in result.err


def test_a_built_includer_is_found_after_many_that_are_not_built(verify):
    """A folder near the header may be disabled as a whole."""
    near = {f"include/linux/unset{number}.c": "#include <linux/alone.h>\n" for number in range(60)}
    verify({**near, "arch/x86/kernel/kvm.c": "#include <linux/alone.h>\nint kvm;\n"})
    result = verify({"include/linux/alone.h": BROKEN}, "--json")
    [finding] = read_commit(result)["findings"]
    assert finding["failure"] and finding["where"].startswith("include/linux/alone.h:1")


def test_only_changed_files_are_built_for_a_header_that_they_include(verify, monkeypatch, tmp_path):
    """Also if it includes the header through another one, as most files do with asm/ headers."""
    log = log_runs("make", tmp_path, monkeypatch)
    source = '#include "a.h"\nint changed;\n'
    files = {"drivers/sensor/inner.h": f"{GUARDED}extern int b;\n", "drivers/sensor/a.c": source}
    assert read_commit(verify(files, "--json"))["built_in"] == ["x86_64"]
    runs = log.read_text().splitlines()
    objects = {arg for run in runs for arg in run.split() if arg.endswith(".o")}
    assert objects == {"drivers/sensor/a.o"}
