# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen test` and `patchgen check` on the golden cases of a variant's templates."""

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

[variables.callee]
type = "identifier"
default = "new_call"
help = "what is called"

[facts.has_extra]
file = "lib/*.c"
tokens = "extra("

[[patch]]
name = "one"
message = "cover.txt.j2"

[[patch.rules]]
file = "one.cocci.j2"
on = "lib/**.c"
text = { BODY = "body.h.j2" }

[[patch.rules]]
file = "other.cocci.j2"
on = "lib/**.c"
"""
RULE = """\
@rename@
@@
-old_call();
+<%= callee %>();
+/* patchgen: BODY */
"""
FILES = {
    "manifest.toml": MANIFEST,
    "cover.txt.j2": "toy: Mine\n\nText.\n",
    "one.cocci.j2": RULE,
    "body.h.j2": "after_<%= callee %>();\n",
    "other.cocci.j2": "@other@\n@@\n-old_other();\n",
    "one.c": "void f(void)\n{\n\told_call();\n}\n",
    "one.res": "void f(void)\n{\n\tnew_call();\n\tafter_new_call();\n}\n",
    "ok/one.c": "void f(void)\n{\n\tolder_call();\n}\n",
}


def write(folder: Path, **texts: str) -> None:
    """Write files; `__` in a name is the dot."""
    for key, text in texts.items():
        (folder / key.replace("__", ".")).write_text(text)


@pytest.fixture(name="variant")
def make_variant(tmp_path: Path) -> Path:
    folder = tmp_path / "semantic-patches/mine"
    (folder / "ok").mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def test_the_cases_of_a_template_run_with_the_defaults_of_the_variables(patchgen, variant):
    for target, cwd in (
        (variant, None),
        ("mine", variant.parents[1]),
        (variant / "one.cocci.j2", None),
        (".", variant),
        (None, variant),
    ):
        args = [] if target is None else [target]
        result = patchgen("test", *args, cwd=cwd or variant.parents[2])
        assert (result.code, result.err) == (0, ""), target
        [line] = [line for line in result.out.splitlines() if "passed" in line]
        assert "one.cocci.j2: 2 cases, passed" in line
    assert patchgen("check", variant).code == 0


def test_a_template_without_the_suffix_of_one_is_rendered(patchgen, variant):
    (variant / "one.cocci.j2").rename(variant / "one.cocci")
    write(variant, manifest__toml=MANIFEST.replace("one.cocci.j2", "one.cocci"))
    assert "one.cocci: 2 cases, passed" in patchgen("test", variant).out


def test_a_definition_sets_a_variable_for_the_cases(patchgen, variant):
    args = ("test", "mine", "-D", "callee=newer_call")
    result = patchgen(*args, cwd=variant.parents[1])
    assert result.code == 1
    assert "+\tnewer_call();\n+\tafter_newer_call();\n" in result.out
    unknown = patchgen("test", variant, "-D", "calee=x")
    assert (unknown.code, "did you mean 'callee'?" in unknown.err) == (2, True), unknown.err


def test_a_variable_may_be_defined_that_only_some_semantic_patches_use(patchgen, variant):
    write(variant, plain__cocci="@plain@\n@@\n-old_plain();\n")
    write(variant, plain__c="void f(void)\n{\n\told_plain();\n}\n")
    write(variant, plain__res="void f(void)\n{\n}\n")
    result = patchgen("test", variant, "-D", "callee=new_call")
    assert (result.code, result.out.count("passed")) == (0, 2), result.err


def test_the_next_step_after_the_cases_of_a_variant_applies_it(patchgen, variant):
    for target, name in (
        (variant, variant),
        (variant / "one.cocci.j2", variant),
        ("mine", "mine"),
    ):
        result = patchgen("test", target, cwd=variant.parents[1])
        assert result.out.endswith(f"run it:\n  patchgen apply {name} --signoff\n"), result.out


def test_a_variant_is_not_above_a_file_next_to_it(patchgen, variant):
    other = variant.parent / "plain"
    other.mkdir()
    (other / "a.cocci").write_text("@r@\n@@\n-f();\n+g();\n")
    (other / "a.c").write_text("void h(void)\n{\n\tf();\n}\n")
    (other / "a.res").write_text("void h(void)\n{\n\tg();\n}\n")
    result = patchgen("test", "../plain/a.cocci", "-D", "callee=x", cwd=variant)
    assert (result.code, result.out) == (2, "")
    assert "callee" in result.err
    inside = patchgen("test", "../mine", cwd=variant)
    assert inside.out.endswith(f"run it:\n  patchgen apply {variant} --signoff\n")


def test_a_template_that_depends_on_the_base_names_what_is_missing(patchgen, variant):
    branch = "<% if has.has_extra %>\n-extra();\n<% endif %>\n"
    write(variant, one__cocci__j2=RULE.replace("-old", f"{branch}-old"))
    result = patchgen("test", variant)
    assert result.code == 1 and "depends on the fact has_extra" in result.err
    check = patchgen("check", variant)
    assert check.code == 1 and "depends on the fact has_extra" in check.out
    # Where a condition holds, the fact has one value.
    conditional = MANIFEST.replace("text = {", 'when = "!has_extra"\ntext = {')
    write(variant, manifest__toml=conditional)
    assert patchgen("test", variant).code == 0
    write(variant, body__h__j2="<%= base.version %>();\n")
    assert "'base' is undefined" in patchgen("test", variant).err
    write(variant, one__cocci__j2=f"// <%= base.version %>\n{RULE}")
    assert "only a base has a value for `base`" in patchgen("test", variant).err


def test_a_variant_without_cases_is_refused(patchgen, variant):
    for name in ("one.c", "one.res", "ok/one.c"):
        (variant / name).unlink()
    for target in (variant, "mine"):
        result = patchgen("test", target, cwd=variant.parents[1])
        assert result.code == 2 and "have no golden cases [case-missing]" in result.err
    assert patchgen("test", cwd=variant).code == 2
    backend = variant / "backends/toy"
    backend.mkdir(parents=True)
    write(backend, manifest__toml="schema = 1\n")
    assert patchgen("test", cwd=backend).code == 2
    assert patchgen("test", "pvops").code == 2


def test_a_template_outside_of_a_variant_is_refused(patchgen, variant):
    (variant / "manifest.toml").unlink()
    for target in (variant, variant / "one.cocci.j2"):
        result = patchgen("test", target)
        assert result.code == 1 and "no folder above it has a manifest.toml" in result.err


def test_a_template_that_no_patch_runs_is_refused(patchgen, variant):
    write(variant, manifest__toml=MANIFEST.replace("one.cocci.j2", "other.cocci.j2"))
    result = patchgen("test", variant / "one.cocci.j2")
    assert (result.code, "no [[patch.rules]] of" in result.err) == (1, True), result.err


def test_check_names_the_cases_that_no_semantic_patch_runs(patchgen, variant):
    (variant / "apart/ok").mkdir(parents=True)
    write(variant, **{"apart/a__c": FILES["one.c"], "apart/a__res": FILES["one.res"]})
    write(variant, **{"apart/ok/a__c": FILES["one.c"], "one-two__res": FILES["one.res"]})
    document = json.loads(patchgen("check", variant, "--json").out)
    messages = [each["message"] for each in document["errors"]]
    assert not document["passed"]
    assert sum("no semantic patch runs this golden case" in text for text in messages) == 2
    assert [text for text in messages if "one-two.res has no one-two.c" in text]


def test_a_semantic_patch_of_another_name_has_an_owner_for_its_cases(patchgen, tmp_path):
    write(tmp_path, rules__smpl="@r@\n@@\n-a();\n", x__c="void f(void)\n{\n\ta();\n}\n")
    write(tmp_path, x__res="void f(void)\n{\n}\n")
    result = patchgen("test", tmp_path / "rules.smpl")
    assert (result.code, "1 case, passed" in result.out) == (0, True), result.err


def test_results_without_a_semantic_patch_do_not_run_the_recipes(patchgen, tmp_path):
    write(tmp_path, x__c="int x;\n", x__res="int x;\n")
    result = patchgen("test", cwd=tmp_path)
    assert (result.code, "has no .cocci" in result.err) == (2, True), result.out


def test_hints_have_the_options_and_show_no_difference_again(patchgen, variant):
    name = variant / "one.cocci.j2"
    failed = patchgen("test", variant, "-D", "callee=a_call")
    assert failed.code == 1 and "-\tnew_call();\n" in failed.out and "+\ta_call();\n" in failed.out
    assert f"hint: `patchgen test {name} -D callee=a_call --update` writes" in failed.err
    assert "shows the difference" not in failed.err
    # `check` does not show it.
    (variant / "one.res").write_text("void f(void)\n{\n\tother_call();\n}\n")
    checked = patchgen("check", variant)
    assert f"`patchgen test {name}` shows the difference, and `--update` writes" in checked.out
    assert patchgen("test", variant, "-D", "callee=a_call", "--update").code == 0
    passed = patchgen("test", variant, "-D", "callee=a_call")
    assert passed.out.endswith(f"  patchgen apply {variant} -D callee=a_call --signoff\n")
