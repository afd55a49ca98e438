# SPDX-License-Identifier: GPL-2.0-or-later
"""The small commands, and what happens to errors on the command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from patchgen.spec import list_recipes
from patchgen.version import find_version
from tests.support import TOP
from tests.support.terminal import run_on_terminal


def test_version_and_help(patchgen):
    assert patchgen("--version").out == f"patchgen, version {find_version()}\n"
    result = patchgen("--help")
    for command in ("apply", "verify", "compare", "variants", "show", "doctor", "completion"):
        assert command in result.out
        assert patchgen(command, "--help").code == 0


def test_variants(patchgen):
    document = json.loads(patchgen("variants", "--json").out)
    pvops = next(variant for variant in document if variant["name"] == "pvops")
    assert pvops["backends"] == ["sev", "tdx"]
    sev = ["hypercall", "sev", "whole-pages", "direct"]
    tdx = ["prepare", "tdx-order", "tdx-guest", "tdx-mapgpa", "tdx-keep", "tdx-keep-vendor"]
    tdx += ["tdx-percpu", "convert", "tdx-notify", "tdx-private-first"]
    assert pvops["patches"] == ["op", "callers", *sev, *tdx]
    assert "pvops" in patchgen("variants").out


def test_no_package_is_imported_because_it_extends_pydantic(tmp_path):
    package = tmp_path / "extension-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: extension\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[pydantic]\nextension = extension:plugin\n")
    (tmp_path / "extension.py").write_text("raise SystemExit('imported')\n")
    result = subprocess.run(
        [sys.executable, "-m", "patchgen", "variants"],
        env={**os.environ, "PYTHONPATH": f"{TOP}:{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "pvops" in result.stdout


def test_show(patchgen):
    document = json.loads(patchgen("show", "pvops", "--json").out)
    assert {"hypercall", "tested"} <= {v["name"] for v in document["variables"]}
    assert any(need["tokens"] == "KVM_HC_MAP_GPA_RANGE" for need in document["needs"])
    result = patchgen("show", "pvops")
    assert result.code == 0
    for text in ("hypercall", "KVM_HC_MAP_GPA_RANGE", "op/member.cocci.j2"):
        assert text in result.out
    assert patchgen("show", "nope").code == 2


@pytest.mark.parametrize("recipe", list_recipes(), ids=lambda recipe: recipe.name)
def test_show_prints_the_rules_of_a_recipe(patchgen, tmp_path, recipe):
    text = recipe.path.read_text(encoding="utf-8")
    document = json.loads(patchgen("show", recipe.name, "--json", cwd=tmp_path).out)
    assert document["title"] and document["help"] and document["rules"] == text
    # Code that must not change has no result.
    files = {Path(case["file"]) for case in document["cases"]}
    assert files == set(recipe.path.parent.rglob("*.c"))
    results = {Path(case["result"]) for case in document["cases"] if case["result"]}
    assert results == set(recipe.path.parent.rglob("*.res")) and results
    shown = patchgen("show", recipe.name, cwd=tmp_path)
    assert shown.code == 0 and text in shown.out and str(recipe.path) in shown.out
    for need in document["needs"]:
        assert need["tokens"] in shown.out and need["files"][0] in shown.out


def test_show_prefers_a_variant_of_the_user_to_a_recipe(patchgen, tmp_path):
    assert "did you mean 'strscpy'?" in patchgen("show", "strscp", cwd=tmp_path).err
    folder = tmp_path / "semantic-patches/strscpy"
    folder.mkdir(parents=True)
    head = '[variant]\nname = "strscpy"\ntitle = "Mine"\ncover = "cover.j2"\n'
    (folder / "manifest.toml").write_text(f"schema = 1\n{head}")
    (folder / "cover.j2").write_text("Mine\n")
    shown = patchgen("show", "strscpy", cwd=tmp_path)
    assert shown.out.startswith("strscpy: Mine\n"), shown.err


def test_doctor_prints_how_to_install_missing_programs(patchgen, monkeypatch, tmp_path):
    findings = {f["program"]: f for f in json.loads(patchgen("doctor", "--json").out)}
    assert findings["spatch"]["found"]
    assert findings["git"]["found"]
    # MAINTAINERS is read without the tree's perl script.
    needed = {name for name, finding in findings.items() if finding["needed"]}
    assert needed == {"patchgen", "git", "spatch"}
    path = tmp_path / "bin"
    path.mkdir()
    for program in ("git", "python3"):
        (path / program).symlink_to(str(shutil.which(program)))
    monkeypatch.setenv("PATH", str(path))
    result = patchgen("doctor")
    assert result.code == 1
    assert "apt-get install coccinelle" in result.out


def test_doctor_refuses_an_old_spatch(patchgen, monkeypatch, tmp_path):
    old = tmp_path / "spatch"
    old.write_text("#!/bin/sh\necho spatch version 1.0.8 compiled with OCaml version 4.05.0\n")
    old.chmod(0o755)
    monkeypatch.setenv("SPATCH", str(old))
    findings = {f["program"]: f for f in json.loads(patchgen("doctor", "--json").out)}
    assert "1.1.1 or later is needed" in findings["spatch"]["problem"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(patchgen, shell):
    result = patchgen("completion", shell)
    assert result.code == 0
    assert "_PATCHGEN_COMPLETE" in result.out


def test_completes_commands(patchgen, monkeypatch):
    monkeypatch.setenv("_PATCHGEN_COMPLETE", "bash_complete")
    completions = patchgen("patchgen ap", "ap").out
    assert [line.split("\t")[:2] for line in completions.splitlines()] == [
        ["plain", "apply"],
        ["word", "ap"],
    ]
    variants = patchgen("patchgen apply --variant pv", "pv").out
    assert variants == "plain\tpvops\tvariant\nword\tpv\t\n"


def test_help_shows_what_the_option_shows(patchgen):
    assert patchgen("help", "apply") == patchgen("apply", "--help")
    assert patchgen("help", "help").out.startswith("Usage: patchgen help [OPTIONS] [TOPIC]\n")


def test_help_lists_its_topics(patchgen, monkeypatch):
    listed = patchgen("help").out
    commands, _, guides = listed.partition("\nGuides:\n")
    assert "\n  apply " in commands
    assert "\n  first-treewide-change  one semantic patch over the whole kernel" in guides
    assert max(map(len, listed.splitlines())) <= 80
    monkeypatch.setenv("_PATCHGEN_COMPLETE", "zsh_complete")
    topics = ("format", "first-series", "first-treewide-change", "from-v4-to-merged")
    found = {line.split("\t")[1] for line in patchgen("help", "f").out.splitlines()}
    assert set(topics) <= found and all(topic.startswith("f") for topic in found)


def test_help_shows_a_guide_without_notes_for_its_tests(patchgen):
    result = patchgen("help", "first-series")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("# A first series\n\n")
    assert "<!--" not in result.out
    assert "\n```console\n$ patchgen doctor\n" in result.out


@pytest.mark.parametrize("written", ["not-a-repository", "[not-a-repository]"])
def test_help_explains_the_code_of_an_error(patchgen, tmp_path, written):
    error = patchgen("list", cwd=tmp_path)
    assert "is not in a git repository [not-a-repository]\n" in error.err
    result = patchgen("help", written)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("The current folder is not in a git repository.")
    assert result.out.endswith(".\n") and "###" not in result.out


def test_an_error_on_a_terminal_names_the_command_that_explains_it(patchgen, tmp_path):
    command = "`patchgen help not-a-repository` explains this error\n"
    shown = run_on_terminal([sys.executable, "-m", "patchgen", "list"], cwd=tmp_path)
    assert shown.code == 1 and shown.text.endswith(command)
    assert command not in patchgen("list", cwd=tmp_path).err
    listed = patchgen("help")
    assert "Errors:\n  CODE" in listed.out and listed.code == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["help", "nonsense"], "hint: `patchgen help` lists commands and guides; the code of an e"),
        (
            ["help", "first-seris"],
            "unknown topic 'first-seris' [name-unknown]\nhint: did you mean 'first-series'?",
        ),
        (["help", "aply"], "unknown topic 'aply' [name-unknown]\nhint: did you mean 'apply'?"),
        (["help", "index"], "unknown topic 'index'"),
        (["help", "anchor-mising"], "did you mean 'anchor-missing'?"),
        (["help", "../README"], "unknown topic '../README'"),
        (["aply"], "Did you mean apply?"),
        (["apply"], "Missing option '--variant'"),
        # The nearest option only, and none that has just the dashes in common.
        (["apply", "--varian", "x"], "No such option '--varian'. Did you mean '--variant'?\n"),
        (["run", "--spilt"], "No such option '--spilt'. Did you mean '--split'?\n"),
        (["run", "--signof"], "No such option '--signof'. Did you mean '--signoff'?\n"),
        (["run", "--no-signof"], "No such option '--no-signof'. Did you mean '--no-signoff'?\n"),
        (["--verison"], "No such option '--verison'. Did you mean '--version'?\n"),
        (["send", "--bas"], "No such option '--bas'.\n"),
        (["send", "-Q"], "No such option '-Q'.\n"),
        (["list", "-C", "linux"], "Put it before the command: patchgen -C DIR list\n"),
        (["status", "-Clinux"], "Put it before the command: patchgen -C DIR status\n"),
        (["list", "--no-pager"], "Put it before the command: patchgen --no-pager list\n"),
        (["send", "--no-pager"], "Put it before the command: patchgen --no-pager send\n"),
        (["verify", "--no-pager"], "patchgen verify does not show its output in a pager.\n"),
        (["new", "--no-pager"], "patchgen new does not show its output in a pager.\n"),
        (["list", "--version"], "Use it without a command: patchgen --version\n"),
        (["apply", "pvops", "--variant", "pvops"], "VARIANT cannot be combined with --variant"),
        (["completion", "tcsh"], "is not one of"),
    ],
)
def test_wrong_usage_ends_with_2(patchgen, args, message):
    result = patchgen(*args)
    assert result.code == 2
    assert message in result.err


@pytest.mark.parametrize("command", ["new", "check", "show", "send"])
def test_of_many_extra_arguments_the_first_are_named(patchgen, tmp_path, command):
    names = [f"{number:03}.c" for number in range(200)]
    for name in names:
        (tmp_path / name).touch()
    done = patchgen(command, "first", *names, cwd=tmp_path)
    assert done.code == 2 and len(done.err) < 500
    assert ", '0" in done.err and re.search(r"and 19[78] others\. If the shell", done.err)
    assert "quote the pattern, as in 'drivers/**/*.c'" in done.err
    done = patchgen(command, "first", "second", "third", cwd=tmp_path)
    assert done.code == 2 and "'third'." in done.err and "pattern" not in done.err


@pytest.mark.parametrize("args", [["nope"], ["--variant", "nope"]])
def test_a_variant_is_an_argument_or_an_option(patchgen, toy, args):
    result = patchgen("apply", *args, "--tree", toy)
    assert (result.code, "unknown variant 'nope'" in result.err) == (2, True), result.err
    assert "hint: known variants: pvops" in result.err and "strscpy" not in result.err


def test_a_bug_is_reported_without_a_traceback(toy, tmp_path):
    """A broken GitPython causes the bug."""
    broken = tmp_path / "broken"
    (broken / "git").mkdir(parents=True)
    (broken / "git" / "__init__.py").write_text("raise RuntimeError('boom')\n")
    script = tmp_path / "run.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(broken)!r})\n"
        f"sys.path.insert(1, {str(TOP)!r})\n"
        "from patchgen.cli.main import main; main()\n"
    )
    result = subprocess.run(
        [sys.executable, script, "apply", "--variant", "pvops", "--tree", toy],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 3
    assert "Traceback" not in result.stderr
    log = Path(result.stderr.split("the details are in ")[1].split(";")[0])
    assert "boom" in log.read_text()
    log.unlink()
