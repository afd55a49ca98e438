# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that options for spatch name: next to the rule, in the tree, or on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.kernels import commit_all

SOURCE = """\
int f(void)
{
	_auto_free_(put) struct thing *t = NULL;

	old_log(1);
	if (old_call(t) > 0)
		return;
	return 0;
}
"""
MACROS = "#define _auto_free_(x)\n"
ISOMORPHISMS = "Expression\n@ pos @\nexpression X;\n@@\nX => X > 0\n"
LOG = "@@\nexpression list es;\n@@\n- old_log(es)\n+ new_log(es)\n"
CALL = "@@\nexpression e;\n@@\n- if (old_call(e)) return;\n+ new_call(e);\n"
WITHOUT_MACRO = SOURCE.replace("_auto_free_(put) ", "")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "tools").mkdir(parents=True)
    (folder / "a.c").write_text(SOURCE)
    (folder / "b.c").write_text(WITHOUT_MACRO)
    (folder / "tools/hacks.h").write_text(MACROS)
    (folder / "tools/my.iso").write_text(ISOMORPHISMS)
    (folder / "tools/lib.cocci").write_text(LOG)
    commit_all(folder, "start")
    return folder


def _write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    rule = folder / "x.cocci"
    rule.write_text(text)
    return rule


with_each_kind = pytest.mark.parametrize(
    ("option", "content", "rule", "path", "result"),
    [
        ("--macro-file", MACROS, LOG, "a.c", "new_log(1)"),
        ("--iso-file", ISOMORPHISMS, CALL, "b.c", "new_call(t)"),
    ],
    ids=["macros", "isomorphisms"],
)


@pytest.mark.parametrize("mark", ["#spatch", "// Options:"])
@with_each_kind
def test_a_file_that_an_option_names_is_next_to_the_rule_or_in_the_tree(
    tree, tmp_path, patchgen, monkeypatch, mark, option, content, rule, path, result
):
    near = _write(tmp_path / "near", f"{mark} {option} named\n{rule}")
    # A file of the current folder is another one.
    (tmp_path / "named").write_text("@@\n")
    monkeypatch.chdir(tmp_path)
    done = patchgen("run", near, path, "--trust", "--tree", tree)
    assert done.code == 1
    assert "near/x.cocci:1: it names named, which does not exist" in done.err
    assert "and at the top of the tree" in done.err
    (near.parent / "named").write_text(content)
    assert result in patchgen("run", near, path, "--trust", "--tree", tree).out
    name = "tools/hacks.h" if option == "--macro-file" else "tools/my.iso"
    far = _write(tmp_path / "far", f"{mark} {option} {name}\n{rule}")
    assert result in patchgen("run", far, path, "--trust", "--tree", tree).out


def test_another_content_of_a_named_file_is_another_result(tree, tmp_path, patchgen):
    rule = _write(tmp_path / "near", f"#spatch --macro-file hacks.h\n{LOG}")
    macros = rule.parent / "hacks.h"
    macros.write_text("\n")
    args = ("run", rule, "a.c", "--trust", "--tree", tree)
    assert "new_log" not in patchgen(*args).out
    macros.write_text(MACROS)
    assert "new_log" in patchgen(*args).out


@with_each_kind
def test_a_file_on_the_command_line_is_relative_to_the_current_folder(
    tree, tmp_path, patchgen, monkeypatch, option, content, rule, path, result
):
    written = _write(tmp_path / "near", rule)
    monkeypatch.chdir(tmp_path)
    done = patchgen("run", written, path, option, "given", "--tree", tree)
    assert done.code == 2
    assert f"{option} given: No such file or directory" in done.err
    (tmp_path / "given").write_text(content)
    done = patchgen("run", written, path, option, "given", "--tree", tree)
    assert result in done.out, done.err


def test_isomorphisms_of_the_command_line_may_not_run_code(tree, tmp_path, patchgen, monkeypatch):
    rule = _write(tmp_path / "near", CALL)
    given = tmp_path / "given.iso"
    given.write_text(ISOMORPHISMS.replace("X;", "X : script:python() { True };"))
    done = patchgen("run", rule, "--iso-file", given, "--tree", tree)
    assert done.code == 1
    assert "--iso-file:3: a script runs code" in done.err


def test_an_included_rule_is_next_to_the_rule_or_in_the_tree(tree, tmp_path, patchgen, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lib.cocci").write_text("@@\n@@\n- f()\n+ g()\n")
    rule = _write(tmp_path / "near", '#include "lib.cocci"\n' + CALL)
    done = patchgen("run", rule, "b.c", "--tree", tree)
    assert done.code == 1
    assert "near/x.cocci:1: it names lib.cocci, which does not exist" in done.err
    (rule.parent / "lib.cocci").write_text(LOG)
    assert "new_log(1)" in patchgen("run", rule, "b.c", "--tree", tree).out
    rule.write_text('#include "tools/lib.cocci"\n' + CALL)
    assert "new_log(1)" in patchgen("run", rule, "b.c", "--tree", tree).out


def test_a_script_in_an_included_rule_needs_trust(tree, tmp_path, patchgen):
    rule = _write(tmp_path / "near", '#include "lib.cocci"\n' + LOG)
    (rule.parent / "lib.cocci").write_text("@initialize:python@\n@@\nprint(1)\n")
    done = patchgen("run", rule, "--tree", tree)
    assert done.code == 1
    assert "lib.cocci:1: an initialize rule runs code" in done.err


@pytest.mark.parametrize("name", ["../tools/hacks.h", "/etc/passwd", "patchgen.cocci", "groups"])
def test_an_option_cannot_name_a_file_outside(tree, tmp_path, patchgen, name):
    rule = _write(tmp_path / "near", f"#spatch --macro-file {name}\n{LOG}")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/hacks.h").write_text(MACROS)
    (rule.parent / "groups").write_text(MACROS)
    done = patchgen("run", rule, "a.c", "--trust", "--tree", tree)
    assert done.code == 1
    assert f"it names {name}, which does not exist" in done.err


def test_headers_are_found_in_the_folders_of_an_option(tree, tmp_path, patchgen, monkeypatch):
    rule = "@@\nstruct thing *t;\n@@\n- t->old\n+ t->new\n"
    (tree / "own/include").mkdir(parents=True)
    (tree / "own/include/thing.h").write_text("extern struct thing *the_thing;\n")
    (tree / "c.c").write_text('#include "thing.h"\nint f(void)\n{\n\treturn the_thing->old;\n}\n')
    commit_all(tree, "more")
    options = "// Options: --all-includes"
    monkeypatch.chdir(tree)
    without = _write(tmp_path / "near", f"{options}\n{rule}")
    assert patchgen("run", without, "c.c").out == ""
    assert "the_thing->new" in patchgen("run", without, "c.c", "-I", "own/include").out
    assert patchgen("run", without, "c.c", "-I", "own/none").code == 1
    named = _write(tmp_path / "far", f"{options} -I own/include\n{rule}")
    assert "the_thing->new" in patchgen("run", named, "c.c", "--trust").out
    named.write_text(f"{options} -I own/none\n{rule}")
    done = patchgen("run", named, "c.c", "--trust")
    assert "it names the folder own/none, which does not exist" in done.err
    given = patchgen(
        "run", _write(tmp_path / "near", rule), "c.c", "--include", "own/include/thing.h"
    )
    assert "the_thing->new" in given.out
