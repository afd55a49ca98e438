# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen run` over headers: as files of their own, and with the files that include them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.kernels import commit_all

HEADER = """\
#ifndef A_H
#define A_H
struct dev_priv {
	int *ring;
	int count;
};
static inline int ring_get(struct dev_priv *p)
{
	return p->count;
}
#endif
"""
SOURCE = '#include "a.h"\n\nint NAME(struct dev_priv *p)\n{\n\treturn p->count + ring_get(p);\n}\n'
MEMBER = "@@\nstruct dev_priv *P;\n@@\n- P->count\n+ P->nr\n"
RENAME = "@@\n@@\n- old_call\n+ new_call\n  ();\n"
CALL = "static inline void NAME(void)\n{\n\told_call();\n}\n"
REPORT = """\
virtual report

@r@
position p;
@@
 old_call@p();

@script:python@
p << r.p;
@@
coccilib.report.print_report(p[0], "old")
"""
CHOOSE = """\
// Options: --local-includes
@r@
identifier f;
@@
 choose(f);

@@
identifier r.f;
@@
- old_call();
+ f();
"""


@pytest.fixture
def make_tree(tmp_path: Path):
    def make(files: dict[str, str]) -> Path:
        folder = tmp_path / "tree"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        commit_all(folder, "start")
        return folder

    return make


@pytest.fixture
def change(patchgen, tmp_path):
    """Return what a semantic patch makes of each file that it changes."""

    def run(rule: str, tree: Path, *args: object) -> dict[str, str]:
        (tmp_path / "rule.cocci").write_text(rule)
        done = patchgen("run", tmp_path / "rule.cocci", *args, "--tree", tree, "--json")
        assert done.code == 0, done.err
        [result] = json.loads(done.out)["results"]
        changed = tmp_path / "changed"
        shutil.rmtree(changed, ignore_errors=True)
        shutil.copytree(tree, changed)
        diff = "".join(edit["diff"] for edit in result["edits"])
        subprocess.run(["git", "apply", "-"], input=diff.encode(), cwd=changed, check=bool(diff))
        paths = [edit["path"] for edit in result["edits"]]
        return {path: (changed / path).read_text() for path in paths}

    return run


def spatch(rule: str, tree: Path, scratch: Path) -> dict[str, str]:
    """Return what plain spatch makes of each file that it changes."""
    (scratch / "plain.cocci").write_text(rule)
    shutil.copytree(tree, scratch / "plain")
    args = ["spatch", "--very-quiet", "--sp-file", "../plain.cocci", "--dir", ".", "--in-place"]
    subprocess.run(args, cwd=scratch / "plain", check=True, capture_output=True)
    texts = {path: path.read_text() for path in (scratch / "plain").rglob("*.[ch]")}
    relative = {str(path.relative_to(scratch / "plain")): text for path, text in texts.items()}
    return {path: text for path, text in relative.items() if (tree / path).read_text() != text}


def test_a_header_is_changed_once_by_way_of_all_files_that_include_it(make_tree, change, tmp_path):
    names = {f"{name}.c": SOURCE.replace("NAME", name) for name in ("x", "y", "z")}
    tree = make_tree({"a.h": HEADER, **names})
    changed = change(MEMBER, tree)
    assert changed == spatch(MEMBER, tree, tmp_path)
    assert changed["a.h"] == HEADER.replace("p->count", "p->nr")
    assert changed.keys() == {"a.h", *names}
    assert change(MEMBER, tree) == changed, "from the cache"
    assert change(MEMBER, tree, "--no-slices", "--no-cache") == changed


def test_hits_in_a_header_are_counted_once(make_tree, patchgen, tmp_path):
    tree = make_tree({"a.h": HEADER, "x.c": SOURCE, "y.c": SOURCE.replace("NAME", "y")})
    (tmp_path / "rule.cocci").write_text(MEMBER)
    done = patchgen("run", tmp_path / "rule.cocci", "--tree", tree)
    assert "line 1: 3 hits in 3 files" in done.err


def test_a_type_that_only_the_includer_knows_is_known_in_the_header(make_tree, change, tmp_path):
    holder = HEADER.replace("#endif", "struct holder {\n\tstruct dev_priv *priv;\n};\n#endif")
    user = "static inline int held(struct holder *h)\n{\n\treturn h->priv->count;\n}\n"
    source = f'#include "a.h"\n#include "b.h"\n{SOURCE}'
    tree = make_tree({"a.h": holder, "b.h": user, "x.c": source})
    changed = change(MEMBER, tree)
    assert changed == spatch(MEMBER, tree, tmp_path)
    assert changed["b.h"] == user.replace("count", "nr")


def test_a_header_is_changed_by_way_of_a_file_where_the_rule_matches_nothing(
    make_tree, change, tmp_path
):
    source = '#include "a.h"\n\nint count;\nint f(struct dev_priv *p)\n{\n\treturn 0;\n}\n'
    tree = make_tree({"sub/a.h": HEADER, "sub/x.c": source})
    assert change(MEMBER, tree) == spatch(MEMBER, tree, tmp_path)


def test_a_header_that_two_files_change_in_different_ways_is_an_error_that_names_both(
    make_tree, patchgen, tmp_path
):
    source = '#include "a.h"\n\nvoid NAME(void)\n{\n\tchoose(NAME_call);\n\told_call();\n}\n'
    names = {f"{name}.c": source.replace("NAME", name) for name in ("one", "two")}
    tree = make_tree({"a.h": CALL, **names})
    (tmp_path / "rule.cocci").write_text(CHOOSE)
    args = ("run", tmp_path / "rule.cocci", "--tree", tree)
    for _ in range(2):
        done = patchgen(*args)
        assert done.code == 1 and done.out == ""
        assert "a.h is changed differently when spatch runs on one.c and on two.c" in done.err
        assert "--no-headers" in done.err
    assert patchgen(*args, "--no-headers").out.count("diff --git") == 2
    assert patchgen(*args, "one.c").out.count("diff --git") == 2


def test_a_header_that_only_one_of_two_files_changes_is_a_note_that_names_both(
    make_tree, patchgen, tmp_path
):
    one = '#include "a.h"\n\nvoid one(void)\n{\n\tchoose(one_call);\n\told_call();\n}\n'
    two = '#include "a.h"\n\nvoid two(void)\n{\n\tchoose(1);\n\told_call();\n}\n'
    tree = make_tree({"a.h": CALL, "one.c": one, "two.c": two, "b.h": CALL})
    (tmp_path / "rule.cocci").write_text(CHOOSE)
    args = ("run", tmp_path / "rule.cocci", "--tree", tree)
    # The second result is cached.
    for _ in range(2):
        done = patchgen(*args)
        assert done.out.count("diff --git") == 2
        assert "a.h is changed when spatch runs on one.c, but not on two.c" in done.err
    assert "is changed" not in patchgen(*args, "one.c").err
    assert "is changed" not in patchgen(*args, "--no-headers").err


def test_no_headers_leaves_them_out_unless_the_rule_or_the_command_line_names_them(
    make_tree, change
):
    tree = make_tree({"a.c": CALL, "include/h.h": CALL})
    assert change(RENAME, tree).keys() == {"a.c", "include/h.h"}
    assert change(RENAME, tree, "--no-headers").keys() == {"a.c"}
    assert change(RENAME, tree, "--no-headers", "include/h.h").keys() == {"include/h.h"}
    assert change(RENAME, tree, "--no-headers", "include").keys() == set()
    own = f"// Options: --include-headers\n{RENAME}"
    assert change(own, tree, "--no-headers").keys() == {"a.c", "include/h.h"}


def test_no_headers_changes_none_by_way_of_an_include_either(make_tree, change):
    tree = make_tree({"a.h": HEADER, "x.c": SOURCE})
    assert change(MEMBER, tree, "--no-headers").keys() == {"x.c"}
    own = f"// Options: --include-headers-for-types --no-headers\n{MEMBER}"
    assert "x.c" in change(own.replace(" --no-headers", ""), tree)


def test_report_mode_reads_headers_only_if_they_are_named(make_tree, patchgen, tmp_path):
    tree = make_tree({"a.c": CALL, "include/h.h": CALL})
    (tmp_path / "rule.cocci").write_text(REPORT)
    args = ("run", tmp_path / "rule.cocci", "--trust", "--tree", tree)
    assert [line.split(":")[0] for line in patchgen(*args).out.splitlines()] == ["a.c"]
    named = patchgen(*args, "include/h.h").out.splitlines()
    assert [line.split(":")[0] for line in named] == ["include/h.h"]


def test_a_header_outside_of_the_paths_is_not_recalled_from_another_commit(make_tree, change, git):
    source = SOURCE.replace('"a.h"', '"../a.h"')
    tree = make_tree({"a.h": HEADER, "sub/x.c": source})
    assert change(MEMBER, tree, "sub")["a.h"] == HEADER.replace("p->count", "p->nr")
    newer = HEADER.replace("#endif", "extern int newer;\n#endif")
    (tree / "a.h").write_text(newer)
    git(tree, "commit", "-qam", "newer")
    assert change(MEMBER, tree, "sub")["a.h"] == newer.replace("p->count", "p->nr")


def test_a_named_header_is_found_among_many_files_and_after_a_change(make_tree, change, git):
    files = {f"d{number}/a.c": CALL for number in range(401)}
    tree = make_tree({**files, "include/h.h": CALL, "include/other.h": CALL})
    args = ("--no-headers", "include/h.h", "d1")
    assert change(RENAME, tree, *args).keys() == {"include/h.h", "d1/a.c"}
    (tree / "include/h.h").write_text(CALL + CALL.replace("NAME", "more"))
    git(tree, "commit", "-qam", "more")
    assert change(RENAME, tree, *args)["include/h.h"].count("new_call") == 2


def test_a_header_is_changed_by_way_of_a_file_that_is_run_again_with_macros(make_tree, change):
    loop = "#define scope(x) for (x = 0; x < 1; x++)\n"
    source = (
        SOURCE + "\nvoid g(struct dev_priv *p, int x)\n{\n\tscope(x) {\n\t\tp->count = 1;\n\t}\n}\n"
    )
    tree = make_tree({"a.h": HEADER, "include/linux/scope.h": loop, "x.c": source})
    changed = change(MEMBER, tree, "x.c")
    assert changed == {
        "a.h": HEADER.replace("p->count", "p->nr"),
        "x.c": source.replace("p->count", "p->nr"),
    }
