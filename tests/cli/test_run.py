# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen run` as its users type it, on a small tree with a history."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.kernels import commit_all

ALLOC = b"""\
#include <linux/slab.h>

struct thing {
	int count;
};

int unrelated(int a)
{
	return a + 1;
}

struct thing *make_NAME(void)
{
	struct thing *t = kmalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	memset(t, 0, sizeof(*t));
	return t;
}
"""
ZALLOC = """\
/// Use kzalloc rather than kmalloc and memset
///
//# It is shorter.
// Confidence: High
// Options: --no-includes --include-headers

virtual patch
virtual context
virtual report

@depends on context@
expression x, e;
@@
* x = kmalloc(e, GFP_KERNEL);
  ...
* memset(x, 0, e);

@change depends on patch@
expression x, e;
statement S;
@@
- x = kmalloc(e, GFP_KERNEL);
+ x = kzalloc(e, GFP_KERNEL);
  if (!x) S
- memset(x, 0, e);

@found depends on report@
expression x, e;
position p;
@@
 x = kmalloc@p(e, GFP_KERNEL);
 ... when any
 memset(x, 0, e);

@script:python depends on report@
p << found.p;
@@
coccilib.report.print_report(p[0], "WARNING: use kzalloc")
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a tree with files that match, do not match, and are of no interest."""
    folder = tmp_path / "tree"
    for name in ("drivers/net/a.c", "drivers/net/b.c", "fs/c.c", "include/h.h"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(ALLOC.replace(b"NAME", Path(name).stem.encode()))
    (folder / "fs/plain.c").write_text("int f(void)\n{\n\treturn 0;\n}\n")
    (folder / "fs/notes.txt").write_text("kmalloc, memset\n")
    commit_all(folder, "start")
    return folder


@pytest.fixture
def zalloc(tmp_path: Path) -> Path:
    path = tmp_path / "zalloc.cocci"
    path.write_text(ZALLOC.replace("struct thing *t = kmalloc", "kmalloc"))
    return path


def split_declaration(folder: Path) -> None:
    """Let the allocation be a statement of its own, which the rules want."""
    for path in folder.rglob("*.[ch]"):
        text = path.read_text()
        path.write_text(text.replace("*t = kmalloc", "*t;\n\n\tt = kmalloc"))


@pytest.fixture
def ready(tree: Path, git) -> Path:
    split_declaration(tree)
    git(tree, "commit", "-qam", "split")
    return tree


def test_prints_a_diff_that_git_applies(patchgen, git, ready, zalloc, tmp_path):
    done = patchgen("run", zalloc, "--tree", ready, "--trust")
    assert done.code == 0, done.err
    assert done.out.count("+\tt = kzalloc(sizeof(*t), GFP_KERNEL);") == 4
    assert "change: " in done.err and "in 4" in done.err
    (tmp_path / "diff").write_text(done.out)
    git(ready, "apply", tmp_path / "diff")
    assert git(ready, "diff", "--stat").count("|") == 4
    assert git(ready, "stash", "list") == ""


def test_paths_restrict_it_and_no_work_tree_is_needed(patchgen, git, ready, zalloc, tmp_path):
    bare = tmp_path / "bare.git"
    git(ready, "clone", "-q", "--bare", ready, bare)
    done = patchgen("run", zalloc, "drivers/net", "fs/c.c", "--tree", bare, "--trust", "--json")
    [result] = json.loads(done.out)["results"]
    assert [each["path"] for each in result["edits"]] == [
        "drivers/net/a.c",
        "drivers/net/b.c",
        "fs/c.c",
    ]
    assert result["rules"] == [
        {"rule": "line 11", "hits": 0, "files": 0},
        {"rule": "change", "hits": 6, "files": 3},
        {"rule": "found", "hits": 0, "files": 0},
    ]


def test_report_mode_prints_file_line_and_column(patchgen, ready, zalloc):
    done = patchgen("run", zalloc, "fs", "--mode", "report", "--tree", ready, "--trust")
    assert done.code == 0, done.err
    assert "fs/c.c:16:" in done.out and "WARNING: use kzalloc" in done.out


def test_context_mode_points_at_lines_and_changes_nothing(patchgen, ready, zalloc):
    args = ("--mode", "context", "--tree", ready, "--trust")
    done = patchgen("run", zalloc, "fs", *args)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "fs/c.c:16: t = kmalloc(sizeof(*t), GFP_KERNEL);",
        "fs/c.c:20: memset(t, 0, sizeof(*t));",
    ]


def test_what_would_run_code_is_refused_with_its_line(patchgen, ready, zalloc, tmp_path):
    line = ZALLOC.splitlines().index("@script:python depends on report@") + 1
    words = ("run", zalloc, "--tree", ready, "--mode", "report")
    done = patchgen(*words)
    assert done.code == 1 and done.out == ""
    assert f"zalloc.cocci:{line}" in done.err and "--trust" in done.err
    done = patchgen(*words, "--trust-folder", tmp_path / "other")
    assert done.code == 1
    done = patchgen(*words, "--trust-folder", tmp_path)
    assert done.code == 0 and "kzalloc" in done.out


def test_a_script_that_cannot_run_in_this_mode_needs_no_trust(patchgen, ready, zalloc):
    trusted = patchgen("run", zalloc, "--tree", ready, "--trust")
    done = patchgen("run", zalloc, "--tree", ready)
    assert done.code == 0 and "kzalloc" in done.out
    assert (done.out, done.err.count("was not run")) == (trusted.out, 0)
    text = zalloc.read_text()
    refused = (
        # It runs in each mode; or in this one.
        text.replace("@script:python depends on report@", "@script:python@"),
        text.replace("@script:python depends on report@", "@script:python depends on !report@"),
        # Options in it are obeyed in any mode.
        text + "# spatch --python /evil\n",
        text + "// Options: --python /evil\n",
        # Another rule takes a name from it.
        text.replace("@script:python depends on report@", "@script:python s depends on report@")
        + "@depends on s@\n@@\n- f();\n",
    )
    for changed in refused:
        zalloc.write_text(changed)
        done = patchgen("run", zalloc, "--tree", ready)
        assert done.code == 1 and "--trust" in done.err, changed
    # A constraint is code of a rule that runs.
    rule = '\n@depends on patch@\nidentifier f : script:python() { f == "a" };\n@@\n- f();\n'
    zalloc.write_text(text + rule)
    assert patchgen("run", zalloc, "--tree", ready).code == 1


def test_nothing_is_run_twice_and_the_result_is_the_same(patchgen, git, ready, zalloc):
    args = ("run", zalloc, "--tree", ready, "--trust", "--json")
    first, second = (json.loads(patchgen(*args).out)["results"][0] for _ in range(2))
    assert (
        first["files"]["run"] == 4
        and second["files"]["run"] == 0
        and second["files"]["cached"] == 5
    )
    assert first["edits"] == second["edits"] and first["rules"] == second["rules"]
    # The same content at another place, in another commit, is known as well.
    git(ready, "mv", "fs/c.c", "fs/d.c")
    (ready / "fs/plain.c").write_text("int g(void)\n{\n\treturn 1;\n}\n")
    git(ready, "commit", "-qam", "move")
    third = json.loads(patchgen(*args).out)["results"][0]
    assert (
        third["files"]["run"] == 0
        and third["files"]["cached"] == 4
        and third["files"]["candidates"] == 0
    )
    assert [each["path"] for each in third["edits"]][-2:] == ["fs/d.c", "include/h.h"]
    assert all(each["path"] in each["diff"] for each in third["edits"])
    uncached = json.loads(patchgen(*args, "--no-cache").out)["results"][0]
    assert uncached["files"]["run"] == 4 and uncached["edits"] == third["edits"]


@pytest.mark.slow
def test_another_tree_costs_what_differs_and_the_result_is_the_same(
    patchgen, git, ready, zalloc, tmp_path
):
    """Each step is taken from the one before it, and the last one back to the first."""

    def run(*args):
        done = patchgen("run", zalloc, "--trust", "--json", *args)
        [result] = json.loads(done.out)["results"]
        return result

    def commit(name):
        git(ready, "add", "-A")
        git(ready, "commit", "-qm", name)
        return git(ready, "rev-parse", "HEAD").strip()

    first = git(ready, "rev-parse", "HEAD").strip()
    run("--tree", ready)
    (ready / "fs/c.c").unlink()
    (ready / "drivers/net/b.c").unlink()
    (ready / "drivers/net/b.c").symlink_to("a.c")
    text = (ready / "drivers/net/a.c").read_text()
    (ready / "drivers/net/new.c").write_text(text.replace("make_a", "make_new"))
    (ready / "include/h.h").write_text("/* nothing */\n")
    (ready / "fs/notes.txt").write_text("not looked at\n")
    commit("all kinds of changes")
    (ready / "drivers/net/b.c").unlink()
    (ready / "drivers/net/b.c").write_text("int b;\n")
    last = commit("a file again")

    for base, in_question, looked_at in (("HEAD~1", 4, 2), (last, 5, 1), (first, 5, 0)):
        cached = run("--tree", ready, "--base", base)
        uncached = run("--tree", ready, "--base", base, "--no-cache")
        assert cached["edits"] == uncached["edits"] and cached["rules"] == uncached["rules"]
        assert cached["files"]["in_question"] == uncached["files"]["in_question"] == in_question
        assert in_question - cached["files"]["cached"] == looked_at
    # Only some paths, and a repository that has never had the tree that was asked for before.
    assert run("fs", "--tree", ready, "--base", first)["files"]["in_question"] == 2
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{ready}", tmp_path / "shallow")
    for args in ((), ("fs",), ("drivers/net",)):
        cached = run(*args, "--tree", tmp_path / "shallow")
        uncached = run(*args, "--tree", tmp_path / "shallow", "--no-cache")
        assert cached["edits"] == uncached["edits"]
        assert cached["files"]["in_question"] == uncached["files"]["in_question"]


def test_since_looks_at_what_changed(patchgen, git, ready, zalloc):
    text = (ready / "fs/c.c").read_text()
    (ready / "fs/c.c").write_text(text.replace("make_c", "make_d"))
    git(ready, "commit", "-qam", "change")
    args = ("--tree", ready, "--trust", "--json", "--since", "HEAD~1")
    [result] = json.loads(patchgen("run", zalloc, *args).out)["results"]
    assert result["files"]["in_question"] == 1 and result["edits"][0]["path"] == "fs/c.c"


def test_a_folder_runs_all_and_reports_what_it_skips(patchgen, ready, zalloc, tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "a.cocci").write_text("@@\n@@\n- unrelated(1)\n+ related(1)\n")
    (folder / "b.cocci").write_text("@@\n@@\n- f(\n")
    (folder / "c.cocci").write_text("// Requires: 99.0\n@@\n@@\n- f()\n+ g()\n")
    done = patchgen("run", folder, "--tree", ready)
    assert done.code == 0
    assert "a.cocci: " in done.err
    assert "b.cocci was not run" in done.err and "c.cocci was not run: " in done.err
    assert "99.0" in done.err
    assert patchgen("run", folder, "--tree", ready, "--strict").code == 1


def test_the_tree_s_own_semantic_patches_can_be_named(patchgen, git, ready):
    path = ready / "scripts/coccinelle/zalloc.cocci"
    path.parent.mkdir(parents=True)
    path.write_text(ZALLOC)
    git(ready, "add", "-A")
    git(ready, "commit", "-qm", "scripts")
    name = "scripts/coccinelle/zalloc.cocci"
    done = patchgen("run", name, "--tree", ready, "--trust-folder", "scripts/coccinelle")
    assert done.code == 0 and done.out.count("+\tt = kzalloc") == 4


def test_virtual_names_are_checked(patchgen, ready, tmp_path):
    path = tmp_path / "named.cocci"
    path.write_text("@@\nidentifier virtual.fn;\n@@\n- unrelated\n+ fn\n (...) { ... }\n")
    done = patchgen("run", path, "--tree", ready)
    assert done.code == 2 and "give fn=VALUE (--define)" in done.err
    done = patchgen("run", path, "--tree", ready, "-D", "fn=other")
    assert done.code == 0 and done.out.count("+int other(int a)") == 4, done.err
    done = patchgen("run", path, "--tree", ready, "-D", "fn=other", "-D", "gn=x")
    assert done.code == 2 and "no virtual identifier gn" in done.err


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["missing.cocci"], 2, "no such file or folder: missing.cocci"),
        (["no-such-variant"], 2, "unknown variant"),
        (["strscp"], 2, "did you mean 'strscpy'?"),
        (["RULE", "no/such/path"], 1, "the tree has no no/such/path"),
        (["RULE", "../outside"], 2, "is not a path in the tree"),
        (["RULE", "--base", "nowhere"], 1, "has no commit 'nowhere'"),
        (["RULE", "--since", "nowhere"], 1, "has no commit 'nowhere'"),
        (["RULE", "--mode", "org"], 2, "has no org mode"),
        (["RULE", "--executor", "dask"], 2, "require each other"),
        (["RULE", "--mode", "other"], 2, "Invalid value"),
    ],
)
def test_says_what_is_wrong(patchgen, ready, zalloc, args, code, message):
    args = [zalloc if word == "RULE" else word for word in args]
    done = patchgen("run", *args, "--tree", ready, "--trust")
    assert (done.code, done.out) == (code, ""), done.err
    assert message in done.err


def test_a_wrong_semantic_patch_is_refused_at_its_line(patchgen, ready, tmp_path):
    path = tmp_path / "wrong.cocci"
    path.write_text("@@\nexpression x;\n@@\n- f(x\n")
    done = patchgen("run", path, "--tree", ready)
    assert done.code == 1 and "wrong.cocci:" in done.err and "spatch" in done.err
    path.write_bytes(b"@@\n@@\n- f(\xff)\n")
    done = patchgen("run", path, "--tree", ready)
    assert done.code == 1 and "wrong.cocci:3" in done.err


def test_unparsed_code_is_reported_and_fails_with_strict(patchgen, git, ready, tmp_path):
    (ready / "fs/bad.c").write_text("int f(void)\n{\n\tasm(;\n\tkfree(1 1);\n}\n")
    git(ready, "add", "-A")
    git(ready, "commit", "-qm", "bad")
    path = tmp_path / "kfree.cocci"
    path.write_text("@@\nexpression x;\n@@\n- kfree(x);\n")
    done = patchgen("run", path, "--tree", ready, "--verbose")
    assert done.code == 0 and "not parsed: 1 place in 1 file" in done.err
    assert "fs/bad.c:1 f()" in done.err
    assert patchgen("run", path, "--tree", ready, "--strict").code == 1


SLOW = """\
@@
expression p;
@@
- p = kmalloc(1, 2);
+ p = kvmalloc(1, 2);
 <+...
 g();
 ...+>
 kfree(p);
"""


@pytest.mark.slow
def test_a_file_that_takes_too_long_is_reported_and_others_are_run(patchgen, git, ready, tmp_path):
    for name, branches in (("slow", 4000), ("quick", 1)):
        body = "\tif (a)\n\t\tg();\n" * branches
        text = f"int f(int a)\n{{\n\tp = kmalloc(1, 2);\n{body}\tg();\n\tkfree(p);\n}}\n"
        (ready / f"fs/{name}.c").write_text(text)
    git(ready, "add", "-A")
    git(ready, "commit", "-qm", "slow")
    path = tmp_path / "slow.cocci"
    path.write_text(SLOW)
    args = ("run", path, "--tree", ready, "--timeout", "1")
    done = patchgen(*args)
    assert done.code == 0 and "not finished: fs/slow.c: it took too long" in done.err, done.err
    assert "b/fs/quick.c" in done.out
    # It is not cached: another machine, or a higher limit, may finish it.
    assert "not finished: fs/slow.c" in patchgen(*args).err
    assert patchgen(*args, "--strict").code == 1


@pytest.mark.slow
def test_an_interrupted_run_continues_from_its_cached_results(ready, zalloc, git, tmp_path):
    for number in range(150):
        text = ALLOC.replace(b"NAME", b"n%d" % number).replace(b"*t = km", b"*t;\n\n\tt = km")
        (ready / f"fs/many{number}.c").write_bytes(text * 12)
    git(ready, "add", "-A")
    git(ready, "commit", "-qm", "many")
    args = [sys.executable, "-m", "patchgen", "run", zalloc, "--tree", ready, "--trust", "-j1"]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = subprocess.Popen(args, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    database = Path(os.environ["HOME"]) / ".cache/patchgen/cache.sqlite-wal"
    for _ in range(600):
        if database.exists() and database.stat().st_size > 100_000:
            break
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    _, errors = started.communicate()
    assert started.returncode == 130, errors
    assert b"Traceback" not in errors
    done = subprocess.run([*args, "--json"], env=env, capture_output=True, check=True)
    [result] = json.loads(done.stdout)["results"]
    files = result["files"]
    assert files["cached"] > 0 and files["run"] == files["candidates"]
    # One file does not have the words.
    assert files["cached"] + files["candidates"] == files["in_question"] - 1
    assert len(result["edits"]) == 154


def test_an_option_that_spatch_does_not_know_is_named(patchgen, ready, zalloc):
    zalloc.write_text(ZALLOC.replace("--no-includes", "--no-such-option"))
    done = patchgen("run", zalloc, "--tree", ready, "--trust")
    assert done.code == 1 and "unknown option '--no-such-option'" in done.err


def test_headers_are_run_if_a_semantic_patch_has_the_option(patchgen, ready, git, tmp_path):
    (ready / "include/linux").mkdir(parents=True)
    (ready / "include/linux/slab.h").write_text("struct odd {\n\tunsigned char small;\n};\n")
    (ready / "fs/odd.c").write_text(
        "#include <linux/slab.h>\n\nint f(struct odd *odd)\n{\n\treturn odd->small < 0;\n}\n"
    )
    git(ready, "add", "-A")
    git(ready, "commit", "-qm", "odd")
    path = tmp_path / "unsigned.cocci"
    rule = "virtual patch\n@@\nunsigned char c;\n@@\n- c < 0\n+ 0\n"
    path.write_text("// Options: --all-includes\n" + rule)
    assert "+\treturn 0;" in patchgen("run", path, "--tree", ready).out
    path.write_text("// Options: --no-includes\n" + rule)
    assert patchgen("run", path, "--tree", ready).out == ""


def test_only_what_a_config_builds(patchgen, git, ready, zalloc, tmp_path):
    (ready / "Makefile").write_text("core-y := fs/\ndrivers-$(CONFIG_NET) := drivers/\n")
    (ready / "fs/Makefile").write_text("obj-y := plain.o\nobj-$(CONFIG_C) += c.o\n")
    (ready / "drivers/Makefile").write_text("obj-y := net/\n")
    (ready / "drivers/net/Makefile").write_text("obj-y := a.o\n")
    git(ready, "add", "-A")
    git(ready, "commit", "-qm", "makefiles")
    config = tmp_path / "config"

    def changed(text: str, *args: str) -> list[str]:
        config.write_text(text)
        run = ("run", zalloc, "--tree", ready, "--trust", "--json", "--only-built", config)
        [result] = json.loads(patchgen(*run, *args).out)["results"]
        return [each["path"] for each in result["edits"]]

    assert changed("CONFIG_A=y\n") == ["include/h.h"]
    assert changed("CONFIG_C=y\n") == ["fs/c.c", "include/h.h"]
    assert changed("CONFIG_NET=y\n") == ["drivers/net/a.c", "include/h.h"]
    assert changed("CONFIG_NET=y\n", "--since", "HEAD~") == []
    config.write_text("# nothing\n")
    refusals = (
        (tmp_path / "none", "cannot be read"),
        (config, "has no CONFIG_ option"),
        (zalloc, "zalloc.cocci:1: this line does not belong in a .config"),
    )
    for name, message in refusals:
        done = patchgen("run", zalloc, "--tree", ready, "--trust", "--only-built", name)
        assert done.code == 2 and message in done.err and done.out == ""


def test_no_cocciconfig_of_home_or_tree_changes_how_spatch_is_started(patchgen, ready, tmp_path):
    path = tmp_path / "x.cocci"
    path.write_text("@r@\n@@\n- kzalloc(...)\n+ other()\n")
    before = patchgen("run", path, "--tree", ready, cwd=ready)
    for folder in (Path(os.environ["HOME"]), ready):
        (folder / ".cocciconfig").write_text("[spatch]\n\toptions = --no-such-option --timeout 0\n")
    after = patchgen("run", path, "--tree", ready, "--no-cache", cwd=ready)
    assert (after.code, after.out) == (before.code, before.out) == (0, before.out)
