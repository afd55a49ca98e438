# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen check` prints all errors of a variant at once, each with its file, line and key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
    ("golden/golden.c", None, None, "the result of the golden case differs"),
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
    ("two.txt.j2", None, None, "the template no.j2 does not exist"),
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
    assert (result.code, result.out, result.err) == (0, "mine: 0 errors\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pvops", "vmmcall-default"])
def test_the_shipped_variants_have_no_errors(patchgen, name):
    result = patchgen("check", name)
    assert (result.code, result.err) == (0, "")
