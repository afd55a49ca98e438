# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen run` on trees whose file names are hostile or odd, and on caches that are damaged."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

from tests.support.kernels import commit_all

RULE = "@r@\nexpression e;\nposition p;\n@@\n- kfree@p(e);\n+ vfree(e);\n"
FOUND = (
    "@r@\nexpression e;\nposition p;\n@@\nkfree@p(e)\n\n"
    "@script:python@\np << r.p;\n@@\ncoccilib.report.print_report(p[0], 'found')\n"
)
SOURCE = "void f(void *p)\n{\n\tkfree(p);\n}\n"
NAMES = [
    b"$(touch PWNED)/x.c",
    b"`touch PWNED`.c",
    b"a b.c",
    b"a;touch PWNED;.c",
    b"it's.c",
    b'"q".c',
    b"back\\slash.c",
    b"-o.c",
    b"~/x.c",
    "é.c".encode(),
    b"lat\xe9in.c",
    b"line\nend.c",
    b"plain.c",
    b"a_20_b.c",
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a repository in which each file has another text, so that each is run."""
    folder = tmp_path / "tree"
    for number, name in enumerate(NAMES):
        file = os.fsencode(folder) + b"/" + name
        Path(os.fsdecode(file)).parent.mkdir(parents=True, exist_ok=True)
        Path(os.fsdecode(file)).write_text(f"{SOURCE}// {number}\n")
    commit_all(folder, "start")
    return folder


def shown(name: bytes) -> str:
    """Return a file's name as --json has it: what is not UTF-8 becomes an escape."""
    return name.decode("utf-8", "backslashreplace")


def test_no_name_runs_a_command_or_loses_an_edit(patchgen, tree, tmp_path):
    rule = tmp_path / "rule.cocci"
    rule.write_text(RULE)
    done = patchgen("run", rule, "--tree", tree, "--json", "--strict", cwd=tmp_path)
    assert done.code == 0, done.err
    [result] = json.loads(done.out)["results"]
    assert {edit["path"] for edit in result["edits"]} == set(map(shown, NAMES))
    assert result["rules"] == [{"rule": "r", "hits": len(NAMES), "files": len(NAMES)}]
    assert not list(tmp_path.rglob("PWNED")) and not Path("PWNED").exists()


def test_reports_name_the_file_of_the_tree(patchgen, tree, tmp_path):
    rule = tmp_path / "rule.cocci"
    rule.write_text(FOUND)
    done = patchgen("run", rule, "--tree", tree, "--trust", "--json")
    assert done.code == 0, done.err
    [result] = json.loads(done.out)["results"]
    found = {report["path"] for report in result["reports"]}
    # A newline in a name ends a report's line, and is in the output of scripts, too.
    assert found | {"line\nend.c"} >= set(map(shown, NAMES)) and "end.c" in json.dumps(result)
    assert {report["rule"] for report in result["reports"]} == {"r"}


@pytest.mark.parametrize("key", ["= 20", "!= 20"], ids=["results of blobs", "facts of the run"])
def test_a_damaged_row_is_replaced(patchgen, tree, tmp_path, key):
    rule = tmp_path / "rule.cocci"
    rule.write_text(RULE)
    args = ("run", rule, "--tree", tree, "--json")
    first = json.loads(patchgen(*args).out)["results"][0]["edits"]
    cache = Path.home() / ".cache/patchgen/cache.sqlite"
    with sqlite3.connect(cache) as connection:
        changed = connection.execute(f"UPDATE cached SET value = x'00' WHERE length(key) {key}")
        assert changed.rowcount > 0
    connection.close()
    again = patchgen(*args)
    assert again.code == 0, again.err
    assert json.loads(again.out)["results"][0]["edits"] == first


def test_a_folder_of_which_nothing_can_be_run_is_an_error(patchgen, tree, tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "broken.cocci").write_text("@@\nexpression x\n@@\n- f(x);\n")
    (folder / "empty.cocci").write_text("// nothing\nvirtual patch\n")
    (folder / "code.cocci").write_text("@r@\n@@\nf();\n@script:python@\n@@\npass\n")
    done = patchgen("run", folder, "--tree", tree)
    assert done.code == 1
    assert f"{folder}/empty.cocci was not run: {folder}/empty.cocci has no rule" in done.err
    assert "code.cocci was not run: a script runs code (line 4: @script:python@)" in done.err
    assert "broken.cocci was not run: spatch: " in done.err and "(line " in done.err
    (folder / "good.cocci").write_text(RULE)
    assert patchgen("run", folder, "plain.c", "--tree", tree).code == 0
    assert patchgen("run", folder, "plain.c", "--tree", tree, "--strict").code == 1


def test_a_path_is_relative_to_the_current_folder(patchgen, tree, tmp_path):
    rule = tmp_path / "rule.cocci"
    rule.write_text(RULE)
    (tree / "deep").mkdir()
    for number, name in enumerate(("deep/one.c", "deep/two.c")):
        (tree / name).write_text(f"{SOURCE}// deep {number}\n")
    commit_all(tree, "deep")
    here = patchgen("run", rule, "one.c", "../plain.c", "--json", cwd=tree / "deep")
    assert here.code == 0, here.err
    there = patchgen("run", rule, "deep/one.c", "plain.c", "--tree", tree, "--json", cwd=tmp_path)
    for done in (here, there):
        [result] = json.loads(done.out)["results"]
        assert sorted(each["path"] for each in result["edits"]) == ["deep/one.c", "plain.c"]


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["RULE", "*.c"], 1, "the tree has no *.c"),
        (["RULE", "README"], 2, "README is neither a C file nor a folder"),
        (["RULE", ""], 2, "'' is not a path in the tree"),
        (["../nowhere.cocci"], 2, "no such file or folder: ../nowhere.cocci"),
        (["RULE", "-D", "x="], 2, "invalid definition 'x='"),
        (["RULE", "--since", "nowhere"], 1, "--since takes a branch"),
        (
            ["RULE", "--split", "none", "--to", "not an address"],
            2,
            "'not an address' is not an address",
        ),
    ],
)
def test_a_wrong_argument_is_named(patchgen, tree, tmp_path, args, code, message):
    rule = tmp_path / "rule.cocci"
    rule.write_text(RULE)
    (tree / "README").write_text("nothing\n")
    commit_all(tree, "more")
    done = patchgen("run", *[str(rule) if word == "RULE" else word for word in args], cwd=tree)
    assert (done.code, done.out) == (code, "") and message in done.err, done.err


def test_a_mode_can_be_defined_as_for_spatch(patchgen, tree, tmp_path):
    rule = tmp_path / "rule.cocci"
    rule.write_text(
        "virtual patch\nvirtual report\n"
        "@depends on patch@\nexpression e;\n@@\n- kfree(e);\n"
        "@r depends on report@\nexpression e;\nposition p;\n@@\nkfree@p(e)\n\n"
        "@script:python depends on report@\np << r.p;\n@@\n"
        "coccilib.report.print_report(p[0], 'found')\n"
    )
    args = ("run", rule, "plain.c", "--tree", tree, "--trust")
    assert patchgen(*args, "-D", "report").out == "plain.c:3:2: found\n"
    assert patchgen(*args, "-D", "patch").out.count("kfree") == 1
    assert patchgen(*args, "-D", "report", "--mode", "patch").code == 2
