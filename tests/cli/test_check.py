# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen check` prints all errors of a variant at once, each with its file, line and key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.kernels import commit_all

MANIFEST = """\
schema = 1

[variant]
name = "mine"
title = "toy: Mine"
cover = "cover.txt.j2"
macros = "none.h"
covr = "x"

[variables.callee]
type = "identifier"
default = "two words"
help = "what is called"

[facts.has_extra]
file = "lib/*.c"
tokens = "extra("

[[patch]]
name = "one"
message = "one.txt.j2"
when = "has_extr"

[[patch.rules]]
file = "one.cocci.j2"
on = "lib/**.c"
must_fire = { renam = ">=1", rename = "many" }
text = { BODY = "body.j2" }

[[patch.rules]]
file = "two.cocci.j2"
on = "/lib/a.c"

[[patch]]
name = "two words"
message = "two.txt.j2"

[[patch.lines]]
file = "Kconfig"
template = "lines.j2"

[[patch]]
name = "three"
message = "../three.txt.j2"

[[patch.replace]]
file = "Makefile"
old = "old.j2"
new = "new.j2"
"""
FILES = {
    "manifest.toml": MANIFEST,
    "cover.txt.j2": "toy: Mine\n\n{{ patchs }}{% set x = 1 %}{{ x }}\n",
    "one.txt.j2": "toy: One\n\n{{ callee }} {{ patch.name }}\n{% if %}\n",
    "two.txt.j2": '{{ nothing }}\n{% include "provenance.txt.j2" %}{% include "no.j2" %}\n',
    "one.cocci.j2": "@rename@\nposition p;\n@@\n-old@p();\n+new();\n+/* patchgen: BODY */\n",
    "two.cocci.j2": "@r@\nexpression e;\n@@\n-f(e;\n<% if has.has_extra %>\n<%= wrong %>\n"
    "<% endif %>\n",
    "body.j2": "x();\n<% for %>\n",
    "lines.j2": "config NEW\n",
    "old.j2": "obj-y += <%= other %>\n",
    "golden/golden.cocci": "@golden@\n@@\n-a();\n+b();\n",
    "golden/golden.c": "void f(void)\n{\n\ta();\n}\n",
    "golden/golden.res": "void f(void)\n{\n\tc();\n}\n",
}  # fmt: skip
# Where each error is, and a part of its message.
ERRORS = [
    ("cover.txt.j2", 3, None, "'patchs' is undefined"),
    ("golden/golden.c", None, None, "the result differs from golden.res"),
    ("manifest.toml", 7, "variant.macros", "the file none.h does not exist"),
    ("manifest.toml", 8, "variant.covr", "unknown key 'covr'"),
    ("manifest.toml", 12, "variables.callee.default", "'two words' is not a C identifier"),
    ("manifest.toml", 22, "patch[1].when", "unknown fact 'has_extr'"),
    ("manifest.toml", 27, "patch[1].rules[1].must_fire.renam", "no rule 'renam'"),
    ("manifest.toml", 27, "patch[1].rules[1].must_fire.rename", "expected a number"),
    ("manifest.toml", 32, "patch[1].rules[2].on[1]", "must be a path inside the tree"),
    ("manifest.toml", 35, "patch[2].name", "pattern"),
    ("manifest.toml", 38, "patch[2].lines[1]", "needs exactly one of `before` and `after`"),
    ("manifest.toml", 44, "patch[3].message", "is not the name of a file"),
    ("manifest.toml", 49, "patch[3].replace[1].new", "the file new.j2 does not exist"),
    ("old.j2", 1, None, "'other' is undefined"),
    ("body.j2", 2, None, "template: "),
    ("one.txt.j2", 4, None, "template: "),
    ("two.cocci.j2", 4, None, "spatch: minus: parse error"),
    ("two.cocci.j2", 6, None, "'wrong' is undefined"),
    ("two.txt.j2", 1, None, "'nothing' is undefined"),
    ("two.txt.j2", 2, None, "the template no.j2 does not exist"),
]


@pytest.fixture
def broken(tmp_path) -> Path:
    folder = tmp_path / "mine"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_all_errors_of_a_variant_are_printed_at_once(patchgen, broken):
    result = patchgen("check", broken, "--json")
    assert (result.code, result.err) == (1, "")
    document = json.loads(result.out)
    assert document["passed"] is False
    found = [
        (str(Path(each["file"]).relative_to(broken)), each["line"], each["field"])
        for each in document["errors"]
    ]
    for file, line, field, message in ERRORS:
        assert (file, line, field) in found, (file, line, field, document["errors"])
        index = found.index((file, line, field))
        assert message in document["errors"][index]["message"]
    assert len(found) == len(ERRORS), set(found) - {error[:3] for error in ERRORS}


def test_errors_are_printed_with_their_places(patchgen, broken):
    result = patchgen("check", "mine", cwd=broken.parent)
    assert result.code == 1
    assert result.out.endswith(f"mine: {len(ERRORS)} errors\n")
    assert "mine/manifest.toml:8: variant.covr: unknown key 'covr'" in result.out
    assert "did you mean 'cover'?" in result.out


def test_a_backend_with_an_error_is_checked(patchgen, tmp_path):
    folder = tmp_path / "mine"
    (folder / "backends/one").mkdir(parents=True)
    head = 'schema = 1\n[variant]\nname = "mine"\ntitle = "x"\ncover = "c.txt.j2"\n'
    (folder / "manifest.toml").write_text(head + 'backends = ["one", "two", "../out"]\n')
    (folder / "c.txt.j2").write_text("x\n")
    (folder / "backends/one/manifest.toml").write_text("schema = 1\nbackend = 2\n")
    errors = json.loads(patchgen("check", folder, "--json").out)["errors"]
    places = [(each["file"].removeprefix(f"{folder}/"), each["line"]) for each in errors]
    assert places == [
        ("backends/one/manifest.toml", 2),
        ("backends/two/manifest.toml", None),
        ("manifest.toml", 6),
    ]


@pytest.mark.parametrize("text", ["schema = \n", "[patch]\nx = 1\n", "patch = 1\n", "\xff"])
def test_what_is_not_a_manifest_has_errors(patchgen, tmp_path, text):
    (tmp_path / "manifest.toml").write_bytes(text.encode("latin1"))
    result = patchgen("check", f"{tmp_path}/")
    assert result.code == 1 and "manifest.toml" in result.out


def test_a_new_variant_has_no_errors(patchgen, tmp_path):
    assert patchgen("new", "mine", "--rename", "a=b", cwd=tmp_path).code == 0
    result = patchgen("check", "mine", cwd=tmp_path)
    lines = result.out.splitlines()
    assert (result.code, lines[-1], result.err) == (0, "mine: 0 errors", "")
    notes = [line.partition(": EDITME")[0] for line in lines if not line.startswith(" ")]
    texts = [f"note: mine/{name}.txt.j2:3" for name in ("message", "cover")]
    assert notes == [*texts, "mine: 0 errors"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pvops", "vmmcall-default"])
def test_the_shipped_variants_have_no_errors(patchgen, name):
    result = patchgen("check", name)
    assert (result.code, result.err) == (0, "")


APPLICABLE = {
    "manifest.toml": """\
schema = 1

[variant]
name = "mine"
title = "toy: Mine"
cover = "cover.txt.j2"
backends = ["one"]

[facts.has_extra]
file = "lib/*.c"
tokens = "extra("

[variables.callee]
type = "identifier"
default = "new_call"
help = "what is called"

[[patch]]
name = "one"
message = "one.txt.j2"
when = "!has_extra"

[[patch.rules]]
file = "one.cocci.j2"
on = "lib/a.c"
must_fire = { rename = 1 }
""",
    "backends/one/manifest.toml": """\
schema = 1

[backend]
name = "one"
title = "One"

[[patch]]
name = "file"
message = "one.txt.j2"

[[patch.new_files]]
path = "lib/new.c"
template = "new.c.j2"
""",
    "cover.txt.j2": "toy: Mine\n\nBody.\n",
    "one.txt.j2": "toy: One\n\nCall {{ callee }}().\n",
    "one.cocci.j2": "@rename@\nposition p;\n@@\n-old@p\n+<%= callee %>\n (...)\n",
    "new.c.j2": "void <%= callee %>(void);\n",
}
# The file to change, the change, and what both commands print about it.
MISTAKES = {
    "a rule": (
        "manifest.toml",
        ("{ rename", "{ renam"),
        "manifest.toml:26: patch[1].rules[1].must_fire.renam: "
        "the semantic patch one.cocci.j2 has no rule 'renam' [name-unknown]\n"
        "hint: did you mean 'rename'?\n",
    ),
    "a rule without a name": (
        "one.cocci.j2",
        ("@rename@", "@@"),
        "must_fire.rename: the semantic patch one.cocci.j2 has no rule 'rename' [name-unknown]\n"
        "hint: name a rule: @rename@\n",
    ),
    "a key": ("manifest.toml", ("cover =", "covr ="), ":6: variant.covr: unknown key 'covr' ["),
    "a fact": (
        "manifest.toml",
        ("!has_extra", "!has_extr"),
        "manifest.toml:21: patch[1].when: unknown fact 'has_extr' [name-unknown]\n"
        "hint: did you mean 'has_extra'?\n",
    ),
    "a file": (
        "manifest.toml",
        ("one.cocci.j2", "on.cocci.j2"),
        "manifest.toml:24: patch[1].rules[1].file: the file on.cocci.j2 does not exist [file-missi",
    ),
    "a backend": (
        "backends/one/manifest.toml",
        ('name = "one"', 'name = "two"'),
        'manifest.toml:4: backend.name: is "two", but the folder is named backends/one [toml-inva',
    ),
    "a variable of a semantic patch": (
        "one.cocci.j2",
        ("callee", "calle"),
        "one.cocci.j2:5: template: 'calle' is undefined [template-failed]\n"
        "    +<%= calle %>\nhint: did you mean 'callee'?\n",
    ),
    "a variable of a message": (
        "one.txt.j2",
        ("callee", "calle"),
        "one.txt.j2:3: template: 'calle' is undefined [template-failed]\n"
        "    Call {{ calle }}().\nhint: did you mean 'callee'?\n",
    ),
    "a variable of a new file": (
        "new.c.j2",
        ("callee", "calle"),
        "new.c.j2:1: template: 'calle' is undefined [template-failed]\n"
        "    void <%= calle %>(void);\nhint: did you mean 'callee'?\n",
    ),
    "a fact of a semantic patch": (
        "one.cocci.j2",
        ("callee", "has.has_extr"),
        "one.cocci.j2:5: template: 'dict object' has no attribute 'has_extr' [template-failed]\n"
        "    +<%= has.has_extr %>\nhint: did you mean 'has_extra'?\n",
    ),
    "a filter": (
        "cover.txt.j2",
        ("Body.", "{{ 1 | uper }}"),
        "cover.txt.j2:3: template: No filter named 'uper'. [template-failed]\n"
        "    {{ 1 | uper }}\nhint: did you mean 'upper'?\n",
    ),
    "an included file": (
        "cover.txt.j2",
        ("Body.", 'Body. {% include "no.j2" %}'),
        'cover.txt.j2:3: the template no.j2 does not exist [file-missing]\n    Body. {% include "n',
    ),
    "a tag": (
        "one.cocci.j2",
        ("callee %>\n", "callee >\n+"),
        "one.cocci.j2:5: template: the tag <%= has no %> [template-failed]\n    +<%= callee >\n",
    ),
    "SmPL": (
        "one.cocci.j2",
        (" (...)", " (..."),
        "one.cocci.j2:6:1: spatch: minus: parse error [smpl-refused]\n     (...\n",
    ),
    "a rule that changes nothing": (
        "one.cocci.j2",
        ("-old@p\n+<%= callee %>\n", " old@p\n"),
        "one.cocci.j2: has no `-` or `+` line, so it changes no file [changes-nothing]\nhint: ",
    ),
    "a rule that only marks": (
        "one.cocci.j2",
        ("-old@p\n+<%= callee %>\n", "*old@p\n"),
        "one.cocci.j2:1: only marks lines with `*`, so it changes no file [changes-nothing]\n",
    ),
    "a rule that does not run": (
        "one.cocci.j2",
        ("position p;\n@@\n-old@p", "identifier virtual.X;\n@@\n-X"),
        "one.cocci.j2: spatch finds no rule to apply [no-rule-applies]\nhint: ",
    ),
    "a script": (
        "one.cocci.j2",
        ("@rename@", "@script:python@\n@@\nx\n\n@rename@"),
        "one.cocci.j2:1: a script runs code; a variant must not do that [code-in-variant]\n",
    ),
    "a marker": (
        "one.cocci.j2",
        ("%>\n", "%>\n+/* patchgen: X */\n"),
        "one.cocci.j2:6:2: no text is declared for the marker X [marker-mismatch]\n",
    ),
    "a text without a marker": (
        "manifest.toml",
        ("must_fire", 'text = { X = "new.c.j2" }\nmust_fire'),
        "one.cocci.j2: has no marker for the text X [marker-mismatch]\nhint: ",
    ),
}


@pytest.fixture
def applicable(tmp_path) -> Path:
    folder = tmp_path / "mine"
    for name, text in APPLICABLE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (tmp_path / "tree/lib").mkdir(parents=True)
    (tmp_path / "tree/Makefile").write_text("VERSION = 6\nPATCHLEVEL = 1\n")
    (tmp_path / "tree/lib/a.c").write_text("void f(void)\n{\n\told(1);\n}\n")
    commit_all(tmp_path / "tree", "tree")
    return folder


@pytest.mark.parametrize(("file", "change", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_apply_prints_an_error_as_check_does(patchgen, applicable, file, change, expected):
    text = (applicable / file).read_text()
    assert change[0] in text
    (applicable / file).write_text(text.replace(*change))
    checked = patchgen("check", applicable)
    applied = patchgen("apply", applicable, "--tree", applicable.parent / "tree")
    assert (checked.code, applied.code, applied.out) == (1, 1, "")
    error = applied.err.removeprefix("patchgen: ")
    assert error.startswith(f"{applicable}/") and expected in error
    assert error in checked.out


def test_a_variant_without_mistakes_is_applied(patchgen, applicable):
    assert patchgen("check", applicable).code == 0
    result = patchgen("apply", applicable, "--tree", applicable.parent / "tree")
    assert result.code == 0, result.err


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            ("lib/a.c", "lib/aa.c"),
            "rules[1].on: the base has no lib/aa.c [base-lacks-needs]\n"
            "hint: did you mean 'lib/a.c'?\n",
        ),
        (
            ('"lib/a.c"', '"lib/a.c"\ncontaining = "x()"'),
            "rules[1].on: the base has no lib/a.c with x() [base-lacks-needs]\nhint: `optional = ",
        ),
        (
            ('"lib/a.c"', '"libb/**/*.c"'),
            "rules[1].on: the base has no libb/**/*.c [base-lacks-needs]\n"
            "hint: did you mean 'lib/**/*.c'?\n",
        ),
        (
            ('"lib/a.c"', '"src/**/*.c"'),
            "rules[1].on: the base has no src/**/*.c [base-lacks-needs]\nhint: check that",
        ),
        (
            ('"lib/a.c"', '"Makefil"'),
            "rules[1].on: the base has no Makefil [base-lacks-needs]\nhint: did you mean 'Makef",
        ),
        (
            ('"lib/a.c"', '"lib"'),
            "rules[1].on: the base has no lib [base-lacks-needs]\n"
            "hint: did you mean 'lib/**/*.[ch]'?\n",
        ),
        (
            ('"lib/a.c"', '"lib/"'),
            "rules[1].on[1]: is a folder; 'lib/**/*.[ch]' matches the C files below it [toml-inv",
        ),
    ],
)
def test_a_file_that_the_base_lacks_is_reported_at_its_line(patchgen, applicable, change, expected):
    manifest = applicable / "manifest.toml"
    manifest.write_text(manifest.read_text().replace(*change))
    result = patchgen("apply", applicable, "--tree", applicable.parent / "tree")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"patchgen: {manifest}:25: patch[1].{expected}")


NEED = '[[needs]]\nfile = "lib/b.c"\ntokens = "old"\nreason = "the call"\n'
# A change of the manifest, and what is printed about it, after the place of the manifest.
UNKNOWN_PATHS = {
    "a folder": (
        ('"lib/a.c"', '"libb/*.c"'),
        "rules[1].on: the base has no libb/*.c [base-lacks-needs]\nhint: did you mean 'lib/*.c'?\n",
    ),
    "two folders": (
        ('"lib/a.c"', '"drivrs/nte/**/*.c"'),
        "rules[1].on: the base has no drivrs/nte/**/*.c [base-lacks-needs]\n"
        "hint: did you mean 'drivers/net/**/*.c'?\n",
    ),
    "one of two": (
        ('"lib/a.c"', '["lib/a.c", "drivers/nte/*.c"]'),
        "rules[1].on[2]: the base has no drivers/nte/*.c [base-lacks-needs]\n"
        "hint: did you mean 'drivers/net/*.c'?\n",
    ),
    "a folder in place of its files": (
        ('"lib/a.c"', '"driver/net"'),
        "rules[1].on: the base has no driver/net [base-lacks-needs]\n"
        "hint: did you mean 'drivers/net/**/*.[ch]'?\n",
    ),
    "nothing like it": (
        ('"lib/a.c"', '"sound/*.c"'),
        "rules[1].on: the base has no sound/*.c [base-lacks-needs]\n"
        "hint: correct the path, or check the variant on another base (--rev)\n",
    ),
}


@pytest.fixture
def tree(applicable, git) -> Path:
    """Return the tree that the variant is for."""
    tree = applicable.parent / "tree"
    (tree / "drivers/net").mkdir(parents=True)
    (tree / "drivers/net/b.c").write_text("void b(void)\n{\n\told(1);\n}\n")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "drivers")
    return tree


@pytest.mark.parametrize(("change", "expected"), UNKNOWN_PATHS.values(), ids=UNKNOWN_PATHS)
def test_a_path_without_a_file_is_an_error_in_a_tree(patchgen, applicable, tree, change, expected):
    manifest = applicable / "manifest.toml"
    manifest.write_text(manifest.read_text().replace(*change))
    assert patchgen("check", applicable).code == 0
    result = patchgen("check", applicable, "--tree", tree)
    assert (result.code, result.err) == (1, "")
    assert result.out == f"{manifest}:25: patch[1].{expected}{applicable}: 1 error\n"


def test_the_path_of_a_need_is_checked_in_a_tree(patchgen, applicable, tree):
    manifest = applicable / "manifest.toml"
    text = manifest.read_text()
    manifest.write_text(f"{text}\n{NEED}")
    result = patchgen("check", applicable, "--tree", tree)
    assert result.code == 1
    assert "needs[1].file: the base has no lib/b.c [base-lacks-needs]" in result.out
    assert "did you mean 'lib/a.c'?" in result.out
    manifest.write_text(f"{text}\n{NEED}absent = true\n")
    assert patchgen("check", applicable, "--tree", tree).code == 0


def test_a_path_of_another_base_is_a_note(patchgen, applicable, tree):
    manifest = applicable / "manifest.toml"
    manifest.write_text(manifest.read_text().replace('"lib/a.c"', '["lib/a.c", "sound/*.c"]'))
    result = patchgen("check", applicable, "--tree", tree)
    assert result.code == 0 and result.out.startswith(f"note: {manifest}:25: patch[1].rules[1].on")
    document = json.loads(patchgen("check", applicable, "--tree", tree, "--json").out)
    [note] = document["notes"]
    assert (document["passed"], document["errors"]) == (True, [])
    assert (note["line"], note["field"]) == (25, "patch[1].rules[1].on[2]")


def test_errors_of_markers_paths_and_smpl_do_not_hide_each_other(patchgen, applicable, tree):
    manifest, rule = applicable / "manifest.toml", applicable / "one.cocci.j2"
    text = manifest.read_text().replace('on = "lib/a.c"', 'on = "lib/b.c"')
    texts = 'text = { X = "new.c.j2", Y = "new.c.j2" }\n'
    manifest.write_text(text.replace("must_fire", f"{texts}must_fire", 1))
    rule.write_text(rule.read_text() + "+/* patchgen: ONE */\n+/* patchgen: TWO */\n")
    messages = [
        "no text is declared for the marker ONE",
        "no text is declared for the marker TWO",
        "has no marker for the text X",
        "has no marker for the text Y",
        "the base has no lib/b.c",
    ]

    def check() -> list[str]:
        document = json.loads(patchgen("check", applicable, "--tree", tree, "--json").out)
        return [error["message"] for error in document["errors"]]

    assert sorted(check()) == sorted(messages)
    rule.write_text(rule.read_text() + "\n@broken@\n@@\n-f(;\n")
    [parse_error] = set(check()) - set(messages)
    assert "parse error" in parse_error and len(check()) == len(messages) + 1


def test_the_hint_for_unmet_needs_names_what_the_base_is_not(patchgen, applicable, tree, git):
    manifest = applicable / "manifest.toml"
    need = NEED.replace("lib/b.c", "lib/a.c").replace('"old"', '"older"')
    manifest.write_text(f"{manifest.read_text()}\n{need}")
    hint = "hint: `patchgen show VARIANT` lists the needs; name "
    applied = patchgen("apply", applicable, "--tree", tree).err
    assert applied.endswith(f"{hint}a base that meets them (--base)\n")
    git(tree, "rm", "-q", "Makefile")
    git(tree, "commit", "-q", "-m", "No kernel")
    applied = patchgen("apply", applicable, "--tree", tree).err
    assert applied.endswith(f"{hint}a kernel tree, or a base (--tree, --base)\n")


def test_a_commit_without_a_tree_is_refused(patchgen, applicable):
    result = patchgen("check", applicable, "--rev", "HEAD")
    assert (result.code, result.out) == (2, "") and "--rev requires --tree" in result.err


@pytest.mark.parametrize("name", ["pvops", "vmmcall-default", "x86-platform", "sev-hypercall"])
def test_the_paths_of_a_shipped_variant_are_in_the_toy_tree(patchgen, toy, name):
    result = patchgen("check", name, "--tree", toy)
    assert result.code == 0, result.out


def test_an_error_of_a_semantic_patch_with_golden_cases_is_reported_once(patchgen, tmp_path):
    folder = tmp_path / "mine"
    assert patchgen("new", folder, "--rename", "old=new", cwd=tmp_path).code == 0
    cocci = folder / "mine.cocci"
    cocci.write_text(cocci.read_text().replace("(...)", "(..."))
    error = f"{cocci}:9:1: spatch: minus: parse error [smpl-refused]\n     (...\n    ^\n"
    checked = patchgen("check", folder)
    assert (checked.code, checked.out) == (1, f"{error}{folder}: 1 error\n")
    tested = patchgen("test", folder)
    assert (tested.code, tested.out, tested.err) == (1, "", f"patchgen: {error}")
    # Of two semantic patches, the other one is tested.
    for file in list(folder.glob("mine.[cr]*")):
        (folder / f"two{file.suffix}").write_text(file.read_text().replace("(...\n", "(...)\n"))
    tested = patchgen("test", folder)
    assert (tested.code, tested.err) == (1, f"warning: {error}")
    assert tested.out.startswith(f"{folder}/two.cocci: 1 case, passed (")
    checked = patchgen("check", folder)
    assert (checked.code, checked.out) == (1, f"{error}{folder}: 1 error\n")
