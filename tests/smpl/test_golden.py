# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen test` on golden cases, and those of the recipes that come with patchgen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from patchgen.campaign.messages import list_long_lines
from patchgen.coccinelle import read_header
from patchgen.commands.test import GoldenRequest, check_patches, update_results
from patchgen.errors import SpecError, UsageError
from patchgen.spec import list_recipes
from tests.support.kernels import commit_all

RULE = "// SPDX-License-Identifier: GPL-2.0-or-later\n@r@\nexpression e;\n@@\n-old(e);\n+new(e);\n"
BEFORE, AFTER = "void f(void)\n{\n\told(1);\n}\n", "void f(void)\n{\n\tnew(1);\n}\n"
OTHER = "void g(void)\n{\n\tolder(1);\n}\n"


def write(folder: Path, **texts: str) -> None:
    """Write files; `__` in a name is the dot, and `ok_` its folder."""
    for key, text in texts.items():
        path = folder / key.replace("ok_", "ok/").replace("__", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


@pytest.fixture(name="cases")
def make_cases(tmp_path: Path) -> Path:
    write(tmp_path, r__cocci=RULE, a__c=BEFORE, a__res=AFTER, ok_b__c=OTHER)
    return tmp_path


def test_cases_with_their_expected_results_pass(patchgen, cases):
    for target in (cases, cases / "r.cocci"):
        result = patchgen("test", target)
        assert (result.code, "2 cases, passed" in result.out) == (0, True), result.err
    assert patchgen("test", cwd=cases).code == 0


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"a__res": BEFORE}, ["a.c: the result differs from a.res"]),
        ({"ok_b__c": BEFORE}, ["ok/b.c: the semantic patch changes it, though it is in ok/"]),
        ({"c__c": BEFORE}, ["c.c: c.res does not exist [case-missing]", "--update` writes it"]),
        (
            {"r__cocci": RULE + "@s@\n@@\n-never();\n"},
            ["the rule s matches in no golden case", "such as r-s.c"],
        ),
        ({"c__res": AFTER}, ["c.res has no c.c"]),
    ],
)
def test_what_differs_is_a_failure_that_names_the_case(patchgen, cases, texts, words):
    write(cases, **texts)
    result = patchgen("test", cases)
    assert result.code == 1
    assert all(word in result.err for word in words), result.err


def test_a_summary_tells_failed_cases_from_rules_without_a_match(patchgen, cases):
    write(cases, r__cocci=RULE + "@s@\n@@\n-never();\n@@\n@@\n-nor();\n")
    assert "2 cases, 2 rules without a match (" in patchgen("test", cases).out
    write(cases, a__res=BEFORE)
    result = patchgen("test", cases)
    assert "2 cases, 1 failed, 2 rules without a match (" in result.out
    assert result.err.count("[case-failed]") == result.err.count("hint: ") == 3
    write(cases, r__cocci=RULE, a__c=OTHER, a__res=OTHER)
    result = patchgen("test", cases)
    assert (result.code, result.out.splitlines()[-1][:-8]) == (
        1,
        f"{cases}/r.cocci: 2 cases, 1 rule without a match",
    )
    assert result.err == (
        f"warning: {cases}/r.cocci: the rule r matches in no golden case [case-failed]\n"
        "hint: add a case in which it matches, such as r-r.c; "
        f"`patchgen test {cases}/r.cocci --update` writes r-r.res\n"
    )


def test_check_says_which_file_is_missing_and_which_command_writes_it(patchgen, cases):
    (cases / "a.res").unlink()
    write(cases, c__c=BEFORE)
    for command in ("check", "test"):
        result = patchgen(command, cases)
        text = result.out + result.err
        assert text.count("does not exist [case-missing]\nhint: `patchgen test") >= 1
        assert f"hint: `patchgen test {cases}/r.cocci --update` writes it\n" in text
        assert "a.res does not exist" in text and "c.res does not exist" in text
        assert "differs" not in text
    documents = json.loads(patchgen("test", cases, "--json").out)["results"][0]["cases"]
    assert [case["code"] for case in documents] == ["case-missing", "case-missing", None]
    assert patchgen("test", cases / "r.cocci", "--update").code == 0


def test_a_failure_shows_the_difference(patchgen, cases):
    write(cases, a__res=BEFORE)
    assert "-\told(1);\n+\tnew(1);\n" in patchgen("test", cases).out


def test_update_writes_results_but_not_those_of_cases_that_must_not_change(patchgen, cases):
    write(cases, a__res=BEFORE, c__c=BEFORE, ok_b__c=BEFORE)
    result = patchgen("test", cases, "--update")
    assert result.code == 1
    assert ((cases / "a.res").read_text(), (cases / "c.res").read_text()) == (AFTER, AFTER)
    assert (cases / "ok/b.c").read_text() == BEFORE
    write(cases, ok_b__c=OTHER)
    assert patchgen("test", cases).code == 0


def test_update_writes_no_result_of_a_run_that_failed_or_did_nothing(patchgen, cases):
    idle = "@r@\n@@\n-old();\n+new();\n@s@\n@@\n-nothing();\n+new();\n"
    write(cases, r__cocci=idle, a__c="void f(void)\n{\n\tother();\n}\n")
    (cases / "a.res").unlink()
    done = patchgen("test", cases / "r.cocci", "--update")
    assert done.code == 1 and not (cases / "a.res").exists()
    assert "a.c: the semantic patch neither changes it nor reports anything" in done.err
    assert "written" not in done.out
    write(cases, a__res="void f(void)\n{\n\tnew();\n}\n")
    done = patchgen("test", cases / "r.cocci", "--update")
    assert done.code == 1 and "new" in (cases / "a.res").read_text()
    assert "reports anything, but a.res has a result" in done.err
    assert "+\tother();" in done.out
    script = "@r@\nidentifier f : script:python() { nosuch(f) };\n@@\n-f();\n+new();\n"
    write(cases, r__cocci=script)
    (cases / "a.res").unlink()
    done = patchgen("test", cases / "r.cocci", "--update", "--trust")
    assert done.code == 1 and not (cases / "a.res").exists()
    assert "a.c: spatch did not finish" in done.err


def test_the_hint_of_a_shown_difference_does_not_lead_to_the_same_output(patchgen, cases):
    write(cases, a__res="int x;\n")
    done = patchgen("test", cases / "r.cocci")
    assert "hint: `patchgen test " in done.err and " --update` writes the new result" in done.err
    assert "shows the difference" not in done.err and "-int x;" in done.out


def test_a_case_belongs_to_the_semantic_patch_that_its_name_begins_with(patchgen, tmp_path):
    other = RULE.replace("old", "older")
    write(tmp_path, r__cocci=RULE, **{"r-s__cocci": other})
    write(tmp_path, **{"r__c": BEFORE, "r-2__c": BEFORE, "r-s-1__c": OTHER, "ok_r-3__c": OTHER})
    document = json.loads(patchgen("test", tmp_path, "--update", "--json").out)
    cases = {
        Path(each["semantic_patch"]).name: [case["case"] for case in each["cases"]]
        for each in document["results"]
    }
    assert cases == {"r.cocci": ["r-2.c", "r.c", "ok/r-3.c"], "r-s.cocci": ["r-s-1.c"]}
    assert document["passed"]


def test_a_case_that_belongs_to_none_of_several_semantic_patches_is_refused(patchgen, cases):
    write(cases, s__cocci=RULE)
    result = patchgen("test", cases)
    message = f"cannot tell which .cocci {cases}/a.res belongs to"
    assert (result.code, message in result.err) == (1, True), result.err
    assert "[case-missing]" in result.err
    [one, other] = json.loads(patchgen("test", cases, "--json").out)["results"]
    assert one["code"] == other["code"] == "case-missing"


def test_all_cases_that_could_belong_to_several_are_named_at_once(patchgen, cases):
    write(cases, s__cocci=RULE, c__c=BEFORE, c__res=AFTER, ok_d__c=OTHER)
    for command in ("test", "check"):
        result = patchgen(command, cases)
        text = result.out + result.err
        for name in ("a.res", "c.res", "ok/b.c", "ok/d.c"):
            assert text.count(f"cannot tell which .cocci {cases}/{name} belongs to") == (
                2 if command == "test" else 1
            ), text
        assert "as in r-a.res or s-a.res" in text
    (cases / "s.cocci").unlink()
    write(cases, x__res=AFTER, y__res=AFTER)
    errors = patchgen("test", cases).err
    assert f"{cases}/x.res has no x.c" in errors and f"{cases}/y.res has no y.c" in errors


def test_all_cases_see_the_headers_next_to_them(patchgen, tmp_path):
    rule = "@r@\nstruct foo *x;\n@@\n-x->old\n+x->new\n"
    case = '#include "foo.h"\n\nint f(struct bar *b)\n{\n\treturn b->foo->old;\n}\n'
    header = "struct bar { struct foo *foo; };\n"
    write(tmp_path, r__cocci=rule, foo__h=header, a__c=case, a__res=case.replace("old", "new"))
    write(tmp_path, ok_b__c=case)
    assert (
        "ok/b.c: the semantic patch changes it, though it is in ok/"
        in patchgen("test", tmp_path).err
    )


def test_a_report_is_a_result(patchgen, tmp_path):
    report = "@r@\nposition p;\n@@\n* old@p(...)\n"
    write(tmp_path, r__cocci=report, a__c=BEFORE, ok_b__c=OTHER)
    assert patchgen("test", tmp_path, "--update").code == 0
    assert (tmp_path / "a.res").read_text().startswith("a.c:3")
    assert patchgen("test", tmp_path).code == 0


def test_a_rule_that_only_exports_a_position_has_matched(patchgen, cases):
    keep = "@keep@\nposition p;\n@@\n old@p(0)\n\n"
    rule = RULE.replace("@r@\n", keep + "@r@\nposition p != keep.p;\n").replace("-old(", "-old@p(")
    write(cases, r__cocci=rule, ok_c__c=BEFORE.replace("1", "0"))
    assert patchgen("test", cases).err == ""


def test_code_that_cannot_be_parsed_is_named(patchgen, cases):
    write(cases, ok_b__c="void g(void)\n{\n\told(\n}\n")
    result = patchgen("test", cases)
    assert "ok/b.c:1 g() cannot be parsed" in result.err


def test_a_rule_without_cases_and_an_unknown_name_are_refused(tmp_path):
    write(tmp_path, r__cocci=RULE)
    with pytest.raises(SpecError, match="has no golden cases"):
        list(check_patches(GoldenRequest(str(tmp_path))))
    with pytest.raises(UsageError, match="not a file, a recipe or a variant"):
        list(check_patches(GoldenRequest("strscp")))


def test_a_warning_has_the_name_of_the_semantic_patch_once(patchgen, cases):
    write(cases, alone__cocci=RULE, bad__cocci="@@\n@@\n-f(;\n")
    write(cases, bad__c="void h(void)\n{\n\tf();\n}\n")
    warnings = patchgen("test", cases).err.splitlines()
    for name in (cases / "alone.cocci", cases / "bad.cocci"):
        [line] = [line for line in warnings if line.startswith("warning: ") and str(name) in line]
        assert line.startswith(f"warning: {name}") and line.count(str(name)) == 1


def test_code_runs_only_if_it_is_trusted(patchgen, cases):
    write(cases, r__cocci=RULE + "@script:python@\n@@\nprint('ran')\n")
    refused = patchgen("test", cases)
    assert (refused.code, "--trust" in refused.err) == (1, True)
    assert patchgen("test", cases, "--trust").code == 0


# --- recipes -----------------------------------------------------------------------------------


def check_needs(text: str) -> None:
    """Check that the base has to have each function that only the `+` lines call."""
    needed = " ".join(tokens for _, tokens in read_header(text).needs)
    assert needed
    code = [line for line in text.split("\n") if not line.startswith("//")]
    added = "\n".join(line for line in code if line.startswith("+"))
    others = " ".join(line for line in code if not line.startswith("+"))
    called = re.findall(r"(\w+)\s*\(", added)
    assert set(called) - set(re.findall(r"\w+", f"{others} {needed}")) <= {"if"}


@pytest.mark.parametrize("recipe", list_recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_does_what_its_golden_cases_show_and_leaves_its_own_output_alone(recipe, tmp_path):
    [checked] = check_patches(GoldenRequest(str(recipe.path)))
    assert checked.run is not None
    assert not checked.run.never_fired
    assert [outcome for outcome in checked.run.outcomes if not outcome.passed] == []
    assert not any(outcome.unparsed for outcome in checked.run.outcomes)
    assert recipe.title
    check_needs(recipe.path.read_text())
    assert list_long_lines(recipe.path.read_text()) == []
    kinds = {outcome.case.result is None for outcome in checked.run.outcomes}
    assert kinds == {True, False}, "a case that changes, and one that must not"
    copy = tmp_path / recipe.path.name
    copy.write_text(recipe.path.read_text())
    for outcome in checked.run.outcomes:
        if outcome.case.result is not None:
            write(tmp_path, **{f"ok_{outcome.case.file.stem}__c": outcome.actual.decode()})
    [again] = check_patches(GoldenRequest(str(copy)))
    assert again.run is not None
    assert [outcome for outcome in again.run.outcomes if not outcome.passed] == []


def test_a_recipe_is_run_by_its_name_unless_a_file_has_it(patchgen, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "name.c").write_text("void f(void)\n{\n\tstrlcpy(a, b, 3);\n\told(1);\n}\n")
    commit_all(tree, "start")
    result = patchgen("run", "strscpy", "name.c", cwd=tree)
    assert "+\tstrscpy(a, b, 3);" in result.out
    assert "strscpy: 1 file, " in result.err
    (tree / "strscpy").write_text(RULE)
    result = patchgen("run", "strscpy", "name.c", cwd=tree)
    assert ("+\tnew(1);" in result.out, "+\tstrscpy" in result.out) == (True, False)


def test_a_series_of_a_recipe_names_it_and_says_why(patchgen, git, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "name.c").write_text("void f(void)\n{\n\tstrlcpy(a, b, 3);\n}\n")
    commit_all(tree, "start")
    refused = patchgen("run", "strscpy", "--split", "none", cwd=tree)
    needed = "include/linux/string.h does not contain `strscpy(`, which strscpy needs"
    assert refused.code == 1 and needed in refused.err
    assert git(tree, "branch", "--list", "patchgen/*") == ""
    assert needed in patchgen("run", "strscpy", cwd=tree).err
    (tree / "include/linux").mkdir(parents=True)
    (tree / "include/linux/string.h").write_text("ssize_t strscpy(char *, const char *, size_t);\n")
    commit_all(tree, "strscpy")
    result = patchgen("run", "strscpy", "--split", "none", cwd=tree)
    assert result.code == 0, result.err
    assert needed not in result.err
    message = git(tree, "log", "-1", "--format=%B", "patchgen/strscpy-v1")
    assert "strscpy() stops where the" in message
    assert "semantic-patches/" not in message


def test_recipes_are_listed_with_the_variants(patchgen):
    document = json.loads(patchgen("variants", "--json").out)
    recipes = [each for each in document if each["kind"] == "recipe"]
    assert {"strscpy"} <= {each["name"] for each in recipes}
    assert "Replace strlcpy() by strscpy()" in patchgen("variants").out


def test_a_result_that_cannot_be_written_is_an_error(cases):
    write(cases, a__res=BEFORE)
    [checked] = check_patches(GoldenRequest(str(cases)))
    assert checked.run is not None
    (cases / "a.res").unlink()
    (cases / "a.res").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        list(update_results(checked.run))
