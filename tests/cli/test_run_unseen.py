# SPDX-License-Identifier: GPL-2.0-or-later
"""What `patchgen run` reports about code that spatch did not see, and about marks and notes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.kernels import commit_all

Run = Callable[..., Any]


@pytest.fixture
def run(patchgen, tmp_path: Path) -> Run:
    """Return a function that runs a rule over files, and returns the result of `--json`."""
    count = 0

    def run_rule(rule: str, files: Mapping[str, str], *args: str, as_json: bool = True) -> Any:
        nonlocal count
        count += 1
        folder = tmp_path / f"tree{count}"
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        commit_all(folder, "start")
        cocci = tmp_path / "x.cocci"
        cocci.write_text(rule)
        done = patchgen("run", cocci, "--tree", folder, *(["--json"] if as_json else []), *args)
        assert done.code in (0, 1), done.err
        if not as_json:
            return done
        [result] = json.loads(done.out)["results"]
        return result | {"code": done.code, "err": done.err}

    return run_rule


UNPARSED = "static int {name}(int a)\n{{\n\tasm(;\n\t{body}\n}}\n"


def places(result: Any) -> list[tuple[str, int, str | None]]:
    return [(place["path"], place["line"], place["function"]) for place in result["unparsed"]]


def test_context_mode_prints_each_line_that_spatch_marks(run):
    source = "void f(struct a *p)\n{\n\tkfree(p->a);\n\tkfree(p->b);\n\tkfree(\n\t\tp->c);\n}\n"
    result = run("@@\nexpression e;\n@@\n* kfree(e)\n", {"x.c": source}, "--strict")
    assert [report["line"] for report in result["reports"]] == [3, 4, 5, 6]
    assert (result["unparsed"], result["code"]) == ([], 0)


def test_what_spatch_parses_of_its_own_result_is_not_a_place_in_the_source(run):
    marked = (
        "static int unrelated(void)\n{\n\treturn 3;\n}\n\nint f(int a)\n{\n"
        "\treturn weird(a + 1) + weird(\n\t\t2);\n}\n"
    )
    result = run("@r@\nexpression e;\n@@\n* weird(e)\n", {"x.c": marked}, "--strict")
    assert [report["line"] for report in result["reports"]] == [8, 9]
    assert (result["unparsed"], result["code"]) == ([], 0)
    rule = (
        "@@\ntypedef Err;\ntype T;\nidentifier FN;\nparameter P1;\n@@\n T\n"
        "+__attribute__((nonnull(1)))\n FN(P1, Err **errp);\n"
    )
    source = "typedef struct Err Err;\nint aa(int x, Err **errp);\n"
    result = run(rule, {"x.c": source}, "--strict")
    assert "nonnull" in result["edits"][0]["diff"]
    assert (result["unparsed"], result["code"]) == ([], 0)


def test_code_of_a_header_is_attributed_to_the_header_and_once(run):
    header = "struct lib { int nr; };\n" + UNPARSED.format(name="bad", body="old_call(a);")
    source = '#include "lib.h"\n\nint NAME(struct lib *l)\n{\n\treturn old_call(l);\n}\n'
    files = {
        "lib.h": header,
        "x.c": source.replace("NAME", "one"),
        "y.c": source.replace("NAME", "two"),
    }
    rule = "// Options: --local-includes\n@@\nstruct lib *L;\n@@\n- old_call(L)\n+ new_call(L)\n"
    for _ in range(2):
        result = run(rule, files)
        assert len(result["edits"]) >= 2
        assert places(result) == [("lib.h", 2, "bad")]
    result = run(rule.replace("old_call", "other"), files)
    assert places(result) == []


def test_only_unparsed_code_with_the_words_of_the_rule_is_reported(run):
    files = {
        "x.c": UNPARSED.format(name="has_word", body="old_call(a);")
        + UNPARSED.format(name="has_none", body='log("old_call"); /* old_call(1) */')
        + "#define WRAP(x) old_call(x)\n"
        + UNPARSED.format(name="by_macro", body="WRAP(a);")
        + UNPARSED.format(name="longer", body="my_old_call(a);")
        + "int f(int a)\n{\n\told_call(a);\n}\n"
    }
    result = run("@@\nexpression e;\n@@\n- old_call(e);\n", files, "--strict")
    assert places(result) == [("x.c", 1, "has_word"), ("x.c", 12, "by_macro")]
    assert result["code"] == 1
    # Code without one of the two words could not have matched.
    result = run("@@\nexpression e;\n@@\n- old_call(e);\n ...\n- second(e);\n", files)
    assert places(result) == []


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("int f(int a)", "f"),
        ("static inline FORMAT(1) const char *f(int a)", "f"),
        ("static __printf(1, 2) int f(int a)", "f"),
        ("int __f(int a) __acquires(lock) __releases(other)", "__f"),
        ("static void\nf(int a)", "f"),
        ("SYSCALL_DEFINE1(f, int, a)", None),
        ("int (*f(int a))(void)", None),
    ],
)
def test_the_name_of_a_function_is_right_or_absent(run, header, name):
    source = f"{header}\n{{\n\tif (a) {{\n\t\tasm(;\n\t\told_call(a);\n\t}}\n}}\n"
    result = run("@@\nexpression e;\n@@\n- old_call(e);\n", {"x.c": source})
    assert [place["function"] for place in result["unparsed"]] == [name]


def test_a_function_without_a_flow_graph_is_not_parsed(run):
    """spatch parses these, but finds nothing in them."""
    bodies = {
        "jumps": "\tif (a)\n\t\tgoto out;\n",
        "doubles": "l:\n\tlog(a);\nl:\n",
        "falls": "\tcase 3:\n",
        "switches": "\tswitch (a)\n\tcase 1:\n\t\tlog(a);\n",
        "breaks": "\tbreak;\n",
        "is_dead": "\treturn 1;\n",
        "jumps_well": "\tif (a)\n\t\tgoto out;\n\tlog(a);\nout:\n",
    }
    text = "".join(
        f"int {name}(int a)\n{{\n{body}\told_call(a);\n\treturn 1;\n}}\n\n"
        for name, body in bodies.items()
    )
    result = run("@@\nexpression e;\n@@\n- old_call(e);\n", {"x.c": text})
    lost = [place["function"] for place in result["unparsed"]]
    assert sorted(lost) == ["breaks", "doubles", "falls", "jumps", "switches"]
    assert result["leftovers"]["counts"] == {"function not parsed": 5}


CALL = {"x.c": "void f(int a, int b)\n{\n\told_call(a, b);\n\told_call(a);\n}\n"}


def test_a_warning_of_spatch_about_the_rule_is_reported_once(run, tmp_path):
    rule = (
        "@r@\nexpression e,\n  unused;\n@@\n- old_call(e, flags);\n+ new_call(e);\n"
        "@@\nexpression other;\n@@\n- old_call(strange);\n"
    )
    for _ in range(2):
        # The second result is cached.
        result = run(rule, CALL)
        assert result["warnings"] == [
            f"{tmp_path}/x.cocci:5: should flags be a metavariable?",
            f"{tmp_path}/x.cocci:3: r: metavariable unused not used in the - or context code",
            f"{tmp_path}/x.cocci:10: should strange be a metavariable?",
            f"{tmp_path}/x.cocci:8: line 7: metavariable other not used in the - or context code",
        ]
        assert result["err"].count("should flags be") == 1


def test_a_warning_about_an_included_rule_has_its_file_and_line(run, tmp_path):
    lib = "@lib@\nexpression e, unused;\n@@\n- old_call(e, flag);\n+ second(e);\n"
    (tmp_path / "lib.cocci").write_text(lib)
    rule = '#include "lib.cocci"\n@@\nexpression e;\n@@\n- one(e, strange)\n+ first(e)\n'
    assert run(rule, CALL)["warnings"] == [
        "lib.cocci:4: should flag be a metavariable?",
        "lib.cocci:2: lib: metavariable unused not used in the - or context code",
        f"{tmp_path}/x.cocci:5: should strange be a metavariable?",
    ]


def test_a_virtual_identifier_without_a_value_is_left_undefined_and_noted(run):
    rule = (
        "@r@\nexpression e;\n@@\n- old_call(e);\n+ new_call(e);\n\n"
        "@depends on !r@\nidentifier virtual.extra;\nexpression e;\n@@\n- extra(e);\n"
    )
    result = run(rule, CALL)
    assert "new_call(a)" in result["edits"][0]["diff"]
    assert result["notes"] == ["line 7 does not apply: extra has no value"]
    assert run(rule, CALL, "-D", "extra=one")["notes"] == []


@pytest.mark.parametrize("mark", ["#spatch", "// Options:"])
@pytest.mark.parametrize(
    ("option", "rule"),
    [
        ("-D late", "virtual late\n@r depends on late@\nexpression e;\n@@\n- old_call(e);\n"),
        ("-D fn=old_call", "@r@\nidentifier virtual.fn;\nexpression e;\n@@\n- fn(e);\n"),
    ],
    ids=["rule", "identifier"],
)
def test_a_semantic_patch_may_define_its_own_virtual_names(run, mark, option, rule):
    result = run(f"{mark} {option}\n{rule}", CALL)
    assert "-\told_call(a);" in result["edits"][0]["diff"]
    assert [word["word"] for word in result["leftovers"]["words"]] == ["old_call"]


def test_a_script_may_set_a_virtual_identifier_for_another_pass(run):
    rule = """\
virtual after_start

@initialize:ocaml@
@@
let rename fn file =
  let it = new iteration() in
  it#set_files [file];
  it#add_virtual_rule After_start;
  it#add_virtual_identifier Fn fn;
  it#register()

@r depends on !after_start@
identifier f;
position p;
@@
f(...) {
 ...
 old_start@p();
 ...
}

@script:ocaml@
f << r.f;
p << r.p;
@@
rename f (List.hd p).file

@depends on after_start@
identifier virtual.fn;
@@
- fn(...)
+ fn(0)
"""
    source = (
        "int one(int a)\n{\n\told_start();\n\treturn a;\n}\n\n"
        "int two(int a)\n{\n\treturn one(a);\n}\n"
    )
    result = run(rule, {"x.c": source, "y.c": source.replace("one", "three")}, "--trust")
    diffs = [edit["diff"] for edit in result["edits"]]
    assert len(diffs) == 2
    assert "+\treturn one(0);" in diffs[0] and "+\treturn three(0);" in diffs[1]
    assert "line 28 does not apply in the first pass: fn has no value" in " ".join(result["notes"])


def test_a_rule_that_cannot_apply_is_an_error_with_the_reason(patchgen, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/x.c").write_text(CALL["x.c"])
    commit_all(tmp_path / "tree", "start")
    cocci = tmp_path / "x.cocci"
    head = "virtual patch\nvirtual other\n"
    for rule, why in (
        ("@a depends on patch && other@\n@@\n- f();\n", "a: it depends on patch && other"),
        (
            "@a depends on other@\nexpression e;\n@@\n f(e)\n@b@\nexpression a.e;\n@@\n- g(e);\n",
            "b: it inherits from a, which cannot apply",
        ),
    ):
        cocci.write_text(head + rule)
        done = patchgen("run", cocci, "--tree", tmp_path / "tree")
        assert done.code == 1 and why in done.err, done.err


WRITING = """\
@r@
position p;
@@
 old_call@p(...)

@script:python@
p << r.p;
@@
import os
os.makedirs("out", exist_ok=True)
with open("out/places.txt", "a") as out:
    out.write(f"{p[0].file}:{p[0].line}\\n")
"""


def test_files_that_scripts_write_are_named_or_kept(run, tmp_path):
    files = {f"{name}.c": CALL["x.c"] for name in ("a", "b", "c")}
    for args in ((), ("-j1",)):
        # A cached result would lack the files.
        result = run(WRITING, files, "--trust", *args)
        assert result["written"] == ["out/places.txt"]
        assert "its scripts wrote out/places.txt" in result["err"] and "--keep" in result["err"]
    kept = tmp_path / "kept"
    result = run(WRITING, files, "--trust", "--keep", kept)
    expected = [f"{name}:{line}" for name in files for line in (3, 4)]
    assert sorted((kept / "out/places.txt").read_text().split()) == expected
    assert "deleted" not in result["err"]


def test_a_folder_with_files_is_not_overwritten(patchgen, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/mine").write_text("")
    (tmp_path / "x.cocci").write_text(WRITING)
    for folder, why in (("kept", "is not empty"), ("no/such", "does not exist")):
        done = patchgen("run", tmp_path / "x.cocci", "--keep", tmp_path / folder)
        assert done.code == 2 and why in done.err


LEFT = {
    "drivers/a.c": (
        "/* old_call() is documented here */\n"
        "#define NAME(x) do_it(old_call, x)\n\n"
        'int f(int a)\n{\n\tlog("old_call");\n\told_call(a); old_call(a + old_call(1, 2));\n'
        "\treturn old_call;\n}\n\n"
        "int g(int a)\n{\n\tasm(;\n\told_call(a);\n}\n"
    ),
    "drivers/b.c": "int h(int a)\n{\n\treturn my_old_call(a) + old_call(a, 1);\n}\n",
    "drivers/if0.c": (
        "int j(int a)\n{\n#if 0\n# ifdef X\n\told_call(a);\n# endif\n\told_call(a);\n#else\n"
        "\told_call(a);\n#endif\n#if 1\n\ta++;\n#else\n\told_call(a);\n#endif\n}\n"
    ),
    # spatch cannot change the same token twice.
    "drivers/c.c": "int i(int a)\n{\n\treturn old_call(old_call(a));\n}\n",
    "include/a.h": "int old_call(int a);\n",
    "Documentation/a.rst": "Use old_call() and old_call().\n",
    "drivers/Kconfig": 'config A\n\tbool "old_call"\n',
    "arch/a\nb.S": "\tcall old_call\n",
}
INCLUDING = """\
#include <linux/old_call/a.h>
# include "old_call.h"
/*
#include <linux/old_call.h>
*/
#include <linux/my_old_call.h>
int f(int a)
{
\told_call(a);
\treturn old_call > a;
}
"""
RENAME = "@@\nexpression e;\n@@\n- old_call(e)\n+ new_call(e)\n"
ELSEWHERE = "documentation, Kconfig, assembly or another language"


def test_a_part_of_the_path_of_a_header_is_not_reported_as_code(run):
    files = {"a.c": INCLUDING, "b.c": '#include "old_call.h"\n', "a.h": "#include <old_call>\n"}
    result = run(RENAME, files)
    places = [
        (each["path"], each["line"], each["reason"]) for each in result["leftovers"]["places"]
    ]
    path, code = "path of an included header", "code that the semantic patch does not change"
    assert places == [
        ("a.c", 1, path),
        ("a.c", 2, path),
        ("a.c", 4, "comment or string"),
        ("a.c", 10, code),
        ("a.h", 1, path),
        ("b.c", 1, path),
    ]
    only_path = {"a.c": files["b.c"] + "int f(int a)\n{\n\told_call(a);\n}\n"}
    assert run(RENAME, only_path, "--strict")["code"] == 0
    assert run(RENAME, {"a.c": INCLUDING}, "--strict")["code"] == 1


def test_an_include_line_of_a_removed_header_is_code(run):
    rule = "@@\n@@\n- #include <linux/old.h>\n"
    files = {"a.c": "#include <linux/old.h>\n", "b.c": '#include "linux/old.h"\n'}
    [place] = run(rule, files)["leftovers"]["places"]
    expected = ("b.c", "code that the semantic patch does not change")
    assert (place["path"], place["reason"]) == expected


def test_words_before_are_those_changed_and_those_left_and_named(run):
    for _ in range(2):
        # The second result is cached.
        result = run(RENAME, LEFT, "--strict")
        left = result["leftovers"]
        places = [(each["path"], each["line"], each["reason"]) for each in left["places"]]
        unseen = {"include/a.h": "code that the semantic patch does not change"}
        unseen |= {each[0]: each[2] for each in places if each[2] == "header not looked at"}
        assert sorted(places) == [
            ("Documentation/a.rst", 1, ELSEWHERE),
            ("Documentation/a.rst", 1, ELSEWHERE),
            ("arch/a\nb.S", 1, ELSEWHERE),
            ("drivers/Kconfig", 2, ELSEWHERE),
            ("drivers/a.c", 1, "comment or string"),
            ("drivers/a.c", 2, "body of a macro"),
            ("drivers/a.c", 6, "comment or string"),
            ("drivers/a.c", 7, "code that the semantic patch does not change"),
            ("drivers/a.c", 8, "code that the semantic patch does not change"),
            ("drivers/a.c", 14, "function not parsed"),
            ("drivers/b.c", 3, "code that the semantic patch does not change"),
            ("drivers/c.c", 3, "file given up on"),
            ("drivers/c.c", 3, "file given up on"),
            ("drivers/if0.c", 5, "code in #if 0"),
            ("drivers/if0.c", 7, "code in #if 0"),
            ("drivers/if0.c", 14, "code in #if 0"),
            ("include/a.h", 1, unseen["include/a.h"]),
        ]
        [count] = left["words"]
        before = sum(len(re.findall(r"\bold_call\b", text)) for text in LEFT.values())
        assert (count["before"], count["changed"]) == (before, 3)
        assert count["left"] == len(places) == before - 3
        assert left["counts"]["comment or string"] == 2
        details = {each["detail"] for each in left["places"] if each["path"] == "drivers/c.c"}
        assert "already tagged token" in str(details)
        assert result["code"] == 1


def test_a_variant_reports_what_it_left_as_its_semantic_patch_does(patchgen, tmp_path):
    folder, variant = tmp_path / "tree", tmp_path / "mine"
    for name, text in LEFT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    commit_all(folder, "start")
    on = ("--on", "drivers/**.c", "--tree", folder)
    assert patchgen("new", variant, "--rename", "old_call=new_call", *on).code == 0
    left = []
    for target in (variant, variant / "mine.cocci"):
        done = patchgen("run", target, "--tree", folder, "drivers", "--leftovers")
        left.append(re.findall(r"    drivers/\w+\.c:\d+: old_call: .*", done.err))
        assert "  left: " in done.err
    assert left[0] == left[1] and len(left[0]) > 5
    done = patchgen("run", variant, "--tree", folder, "--leftovers")
    assert re.findall(r"    \S+: old_call: .*", done.err) == left[0]
    assert f"  left: {len(left[0])} places of `on` with old_call, " in done.err
    # The semantic patch alone is run over the tree.
    done = patchgen("run", variant / "mine.cocci", "--tree", folder, "--leftovers")
    assert "include/a.h:1: old_call: " in done.err and "of `on`" not in done.err


def test_a_file_of_a_variant_without_its_tokens_is_not_looked_at(patchgen, tmp_path):
    folder, variant = tmp_path / "tree", tmp_path / "mine"
    call = "int f(int a)\n{\n\treturn old_call(a);\n}\n"
    for name, text in {"a/a.c": call, "a/b.c": f"{call}int token;\n", "b/c.c": call}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    commit_all(folder, "start")
    args = ("--rename", "old_call=new_call", "--on", "a/*.c", "--tree", folder)
    assert patchgen("new", variant, *args).code == 0
    manifest = variant / "manifest.toml"
    manifest.write_text(
        manifest.read_text().replace('containing = "old_call"', 'containing = "token"')
    )
    done = patchgen("run", variant, "--tree", folder, "--leftovers")
    assert "    a/a.c:3: old_call: file not looked at\n" in done.err and "b/c.c" not in done.err
    manifest.write_text(manifest.read_text().replace('"a/*.c"', '"a/b.c"'))
    done = patchgen("run", variant, "--tree", folder, "--strict")
    assert "  left: no place of `on` with old_call\n" in done.err and done.code == 0


def test_leftovers_are_counted_always_and_listed_on_request(patchgen, tmp_path):
    folder = tmp_path / "tree"
    for name, text in LEFT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    commit_all(folder, "start")
    (tmp_path / "x.cocci").write_text(RENAME)
    args = ("run", tmp_path / "x.cocci", "--tree", folder)
    done = patchgen(*args)
    assert "left: 17 places with old_call, 11 in code; function not parsed: 1" in done.err
    assert "(--leftovers lists them)" in done.err and "drivers/b.c:3" not in done.err
    done = patchgen(*args, "--leftovers")
    assert "    drivers/a.c:2: old_call: body of a macro\n" in done.err
    assert "drivers/c.c:3: old_call: file given up on: rule starting on line 1: already tagged" in (
        done.err
    )
    done = patchgen(*args, "drivers", "--sarif", tmp_path / "out.sarif", "--leftovers")
    assert "left: 13 places" in done.err and "include/a.h" not in done.err
    log = json.loads((tmp_path / "out.sarif").read_text())
    notes = log["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert len([note for note in notes if note["descriptor"]["id"] == "left"]) == 13
    # A work tree that differs from the commit is not what is looked at.
    (folder / "drivers/b.c").write_text("old_call old_call old_call\n")
    assert "left: 17 places" in patchgen(*args).err


def test_words_of_included_rules_are_searched_for(patchgen, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a.c").write_text("/* one two */\nint f(int a)\n{\n\tone(a);\n\ttwo(a);\n}\n")
    commit_all(tmp_path / "tree", "start")
    (tmp_path / "lib.cocci").write_text("@@\nexpression e;\n@@\n- two(e)\n+ second(e)\n")
    rule = '#include "lib.cocci"\n@@\nexpression e;\n@@\n- one(e)\n+ first(e)\n'
    (tmp_path / "x.cocci").write_text(rule)
    done = patchgen("run", tmp_path / "x.cocci", "--tree", tmp_path / "tree")
    assert "left: 2 places with one, two, 0 in code; comment or string: 2 (" in done.err


def test_nothing_left_and_words_that_no_file_has_are_reported(run):
    source = {"a.c": "int f(int a)\n{\n\told_call(a);\n\treturn ret(a);\n}\n"}
    done = run(RENAME, source, "--strict", as_json=False)
    assert "left: no place with old_call\n" in done.err and done.code == 0
    rule = "@@\nexpression e;\n@@\n(\n- old_call(e);\n|\n- old_cal(e);\n)\n"
    done = run(rule, source, as_json=False)
    assert "no file has old_cal\n" in done.err


def test_a_word_that_is_too_common_is_named_but_not_listed(run):
    source = "int f(int a)\n{\n\told_call(a, NONE);\n" + "\tg(NONE);\n" * 300 + "}\n"
    rule = "@@\nexpression e;\n@@\n- old_call(e, NONE)\n+ new_call(e)\n"
    done = run(rule, {"a.c": source}, as_json=False)
    assert (
        "left: NONE in 300 places in files of any kind (1 changed): too common to show" in done.err
    )
    result = run(rule, {"a.c": source}, "--strict")
    assert (result["leftovers"]["places"], result["code"]) == ([], 0)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("@@\n@@\n- no_such_call();\n", "no searched .c or .h file has no_such_call"),
        (
            "@@\nidentifier f = {no_such, nor_such};\n@@\n- f(1);\n+ f(2);\n",
            "no searched .c or .h file has no_such or nor_such",
        ),
        (
            "@@\n@@\n- old_call(1);\n  ...\n- other_call(1);\n",
            "no searched .c or .h file has all of old_call and other_call",
        ),
        (
            "@@\n@@\n- old_call(1);\n- other_call(1);\n@@\n@@\n- other_call(1);\n- old_call(1);\n",
            "no searched .c or .h file has all of old_call and other_call",
        ),
        ("@@\nexpression e;\n@@\n* no_such(e)\n", "no searched .c file has no_such"),
        ("@@\n@@\n- old_call(1, 2, 3);\n", ""),
    ],
)
def test_a_rule_without_a_match_says_which_words_are_nowhere(run, rule, why):
    files = {"a.c": "void f(void)\n{\n\told_call(1);\n}\n", "b.c": "int b = other_call(1);\n"}
    files["a.txt"] = "no_such_call no_such\n"
    rule = "// Options: --no-includes\n" + rule
    for _ in range(2):
        notes = [note for note in run(rule, files)["notes"] if "no file can match" in note]
        assert notes == ([f"no file can match: {why}"] if why else [])


@pytest.mark.parametrize(
    ("mark", "change", "expected"),
    [
        ("*", "", "  r: 4 marked parts in 1 file\n"),
        ("-", "+ h(e);\n", "  r: 4 hits in 1 file\n"),
    ],
)
def test_marked_parts_are_not_called_hits(run, mark, change, expected):
    rule = f"@r@\nexpression e;\n@@\n{mark} if (e)\n{mark}  g(e);\n{change}"
    source = "int f(int a)\n{\n\tif (a)\n\t\tg(a);\n\tif (a)\n\t\tg(a);\n}\n"
    assert expected in run(rule, {"a.c": source}, as_json=False).err


def test_a_match_of_a_rule_whose_position_is_read_is_one_hit(run):
    rule = (
        "virtual report\n@r depends on report@\nexpression e;\nposition p;\n@@\n"
        "* if (e)\n*  g@p(e);\n\n@found depends on report@\nposition r.p;\n@@\n h@p(...)\n"
    )
    source = "int f(int a)\n{\n\tif (a)\n\t\tg(a);\n\tif (a)\n\t\tg(a);\n}\n"
    for cached in (0, 1):
        done = run(rule, {"a.c": source}, "--mode", "report", as_json=False)
        assert f", {cached} cached, " in done.err
        assert "  r: 2 hits in 1 file\n" in done.err
    mark = "@r@\nexpression e;\n@@\n* if (e)\n*  g(e);\n"
    for cached in (0, 1):
        done = run(mark, {"a.c": source}, as_json=False)
        assert f", {cached} cached, " in done.err
        assert "  r: 4 marked parts in 1 file\n" in done.err
