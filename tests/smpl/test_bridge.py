# SPDX-License-Identifier: GPL-2.0-or-later
"""The bridge against the real spatch: its results and its errors."""

from __future__ import annotations

import shutil
from pathlib import PurePosixPath

import pytest

from patchgen.coccinelle import (
    RunnableSmpl,
    Source,
    Spatch,
    apply_to_file,
    find_spatch,
    refuse_code,
    run_files,
)
from patchgen.errors import SpecError, ToolError
from patchgen.model.outcome import FileResult
from patchgen.model.smpl import SemanticPatch, SourceLine

SOURCE = b"""\
int one(int x)
{
	foo(1, x);
	if (x)
		foo(2, x);
	return 0;
}

int two(int x)
{
	foo(3, x);
	bar(x);
	return 0;
}
"""
UNREADABLE = b"""\
int broken(int x)
{
	asm("a" ALT(1, 2) : "x"(
	foo(4, x);
}
"""
RENAME = """\
@rename@
expression a, b;
position p;
@@
-foo@p(a, b)
+baz(a)
"""
PATH = PurePosixPath("dir/a.c")


@pytest.fixture(scope="module")
def spatch() -> Spatch:
    return find_spatch()


def apply(spatch: Spatch, text: str, source: bytes = SOURCE, **more: object) -> FileResult:
    return apply_to_file(spatch, SemanticPatch("test.cocci", text, **more), PATH, source)


def test_reports_each_place_of_a_rule_that_changes_something(spatch):
    result = apply(spatch, RENAME)
    assert result.after is not None
    assert result.after == SOURCE.replace(b"foo(1, x)", b"baz(1)").replace(
        b"foo(2, x)", b"baz(2)"
    ).replace(b"foo(3, x)", b"baz(3)")
    [rule] = result.rules
    assert (rule.rule, rule.hits) == ("rename", 3)
    assert [(s.line, s.function) for s in rule.sites] == [(3, "one"), (5, "one"), (11, "two")]


def test_counts_a_rule_without_a_position_by_the_nodes_it_changes(spatch):
    result = apply(spatch, RENAME.replace("position p;\n", "").replace("@p", ""))
    assert [(r.rule, r.hits, r.sites) for r in result.rules] == [("rename", 3, ())]


def test_reports_a_context_rule_and_one_that_depends_on_it(spatch):
    text = """\
@have@
position p;
@@
 bar@p(...)

@change depends on have@
position p;
@@
-foo@p(3, ...)
+foo(4)

@other depends on !have@
position p;
@@
-foo@p(1, ...)
+foo(5)
"""
    rules = {r.rule: r for r in apply(spatch, text).rules}
    assert [(r.rule, r.hits) for r in rules.values()] == [("have", 1), ("change", 1), ("other", 0)]
    assert str(rules["have"].sites[0]) == "dir/a.c:12"


def test_a_match_in_several_toplevels(spatch):
    source = b"int a = FOO;\nstruct s { int b; } x = { .b = FOO };\nint f(void) { return FOO; }\n"
    text = "@r@\nposition p;\n@@\n-FOO@p\n+BAR\n"
    [rule] = apply(spatch, text, source).rules
    assert [s.line for s in rule.sites] == [1, 2, 3]


def test_no_match_is_neither_a_change_nor_an_error(spatch):
    for text in (RENAME.replace("foo", "absent"), RENAME.replace("foo@p(a, b)", "bar@p(a, b)")):
        result = apply(spatch, text)
        assert result.after is None and result.failure is None
        assert [r.hits for r in result.rules] == [0]
        assert result.unparsed == ()


def test_names_the_functions_that_spatch_cannot_parse(spatch):
    result = apply(spatch, RENAME, SOURCE + UNREADABLE)
    assert result.after is not None
    assert b"foo(4, x)" in result.after
    assert [(f.name, f.line) for f in result.unparsed] == [("broken", 15)]


def test_macros_make_a_function_readable(spatch):
    source = b'int f(void)\n{\n\tasm volatile(M(1, 2) : "=a"(x));\n\tfoo(1, 2);\n}\n'
    assert [f.name for f in apply(spatch, RENAME, source).unparsed] == ["f"]
    result = apply(spatch, RENAME, source, macros='#define M(a, b) "x"\n')
    assert result.unparsed == ()
    assert result.rules[0].hits == 1


def test_two_places_that_look_alike_and_cannot_be_parsed_are_both_reported(spatch):
    broken = b"#ifdef A\n" + UNREADABLE + b"#endif\n"
    source = broken + b"int fine(void)\n{\n\treturn 0;\n}\n" + broken + SOURCE
    result = apply(spatch, RENAME, source)
    assert [(each.name, each.line) for each in result.unparsed] == [("broken", 2), ("broken", 13)]


def test_a_timeout_is_a_result(spatch):
    # Each `...` may end at any of the calls: the paths multiply.
    body = b"".join(b"\tif (a%d) f(%d); else g(%d);\n" % (n, n, n) for n in range(300))
    text = (
        "@r@\nexpression list es;\nposition p;\n@@\n f(...);\n"
        + ("... when any\n f(...);\n" * 40)
        + "-g@p(es);\n"
    )
    patch = SemanticPatch("slow.cocci", text)
    source = b"void slow(void)\n{\n" + body + b"}\n"
    result = apply_to_file(spatch, patch, PATH, source, timeout_s=1)
    assert result.after is None
    assert result.failure is not None and result.failure.limit_s == 1


def test_a_file_that_spatch_gives_up_is_an_error_with_the_reason(spatch):
    # spatch ends with this at a backslash that nothing follows.
    with pytest.raises(ToolError, match=r"cannot finish dir/a\.c: lexing: empty token"):
        apply(spatch, RENAME, SOURCE + b"#if x || \\\n")
    with pytest.raises(SpecError, match="Not found a value in env for: X") as caught:
        apply(
            spatch,
            RENAME.replace("+baz", "+X").replace("position", "identifier virtual.X;\nposition"),
        )
    assert caught.value.place is not None and caught.value.place.line == 7


def test_a_file_at_which_spatch_ends_is_named_as_in_the_tree(tmp_path):
    """A name that is not safe in spatch's lists and messages has a stand-in there."""
    ended = tmp_path / "spatch"
    ended.write_text('#!/bin/sh\necho "HANDLING: $(head -n 1 ../groups)" >&2\nexit 3\n')
    ended.chmod(0o755)
    program = RunnableSmpl(SemanticPatch("test.cocci", RENAME))
    sources = [Source(PurePosixPath(name), SOURCE) for name in ("odd name.c", "b c.c")]
    results = run_files(Spatch(str(ended), "1.1.1"), program, sources)
    assert [str(each.path) for each in results] == ["b c.c", "odd name.c"]
    for each in results:
        assert str(each.failure) == f"spatch ended with 3: HANDLING: {each.path}"


def test_changes_are_not_lost_if_spatch_discards_those_of_a_run_in_which_a_file_fails(
    spatch, tmp_path
):
    # spatch does that from 1.2 on, and exits with 0; the script makes an older one behave so.
    discards = tmp_path / "spatch"
    discards.write_text(f"""#!/bin/sh
cp -r . ../before
{spatch.path} "$@" 2> ../errors
cat ../errors >&2
if grep -q "^EXN: " ../errors; then
	cp -r ../before/. .
	echo "An error occurred when attempting to transform some files." >&2
fi
""")
    discards.chmod(0o755)
    program = RunnableSmpl(SemanticPatch("test.cocci", RENAME))
    texts = {"a.c": SOURCE, "bad.c": SOURCE + b"#if x || \\\n", "c.c": SOURCE}
    sources = [Source(PurePosixPath(name), text) for name, text in texts.items()]
    first, bad, last = run_files(Spatch(str(discards), "1.3.1"), program, sources)
    assert bad.failure is not None and "empty token" in bad.failure.reason
    assert (
        first.after
        == last.after
        == SOURCE.replace(b"foo(1, x)", b"baz(1)")
        .replace(b"foo(2, x)", b"baz(2)")
        .replace(b"foo(3, x)", b"baz(3)")
    )


def test_a_marker_becomes_its_text_at_its_indentation(spatch):
    text = """\
@r@
position p;
@@
 bar@p(...);
+/* patchgen: BODY */
"""
    body = '/* why */\nif (x)\n\tasm volatile("nop" : : : "memory");\n#ifdef X\ny();\n#endif\n'
    result = apply(spatch, text, texts={"BODY": body})
    assert result.after is not None
    assert (
        b'\tbar(x);\n\t/* why */\n\tif (x)\n\t\tasm volatile("nop" : : : "memory");\n'
        b"#ifdef X\n\ty();\n#endif\n\treturn 0;\n" in result.after
    )


def test_a_marker_at_the_top_level(spatch):
    text = "@r@\nidentifier f = two;\nposition p;\n@@\n f@p(...) { ... }\n+\n+/* patchgen: NEW */\n"
    result = apply(spatch, text, texts={"NEW": "#ifdef X\nint three(void)\n{\n}\n#endif\n"})
    assert result.after is not None
    assert result.after == SOURCE + b"\n#ifdef X\nint three(void)\n{\n}\n#endif\n"


def test_a_virtual_identifier_takes_any_text(spatch):
    text = "@r@\nidentifier virtual.WHAT;\n@@\n-bar(...);\n+WHAT;\n"
    result = apply(spatch, text, definitions={"WHAT": 'asm volatile("nop"\n\t\t: : : "memory")'})
    assert result.after is not None
    assert b'\tasm volatile("nop"\n\t\t: : : "memory");\n' in result.after


def test_a_marker_without_a_text_and_a_text_without_a_marker(spatch):
    with pytest.raises(SpecError, match="no text is declared for the marker BODY"):
        apply(spatch, RENAME + "+/* patchgen: BODY */\n")
    with pytest.raises(SpecError, match="no marker for the text BODY"):
        apply(spatch, RENAME, texts={"BODY": "x"})


ERRORS = {
    "a parse error": (RENAME.replace("+baz(a)", "+baz((a)"), 6),
    "an undeclared type": ("@r@\nfoo x;\n@@\n-bar(x)\n", 4),
    "a position that is not declared": ("@r@\n@@\n-bar@p(...)\n+baz()\n", 3),
    "asm volatile": ('@r@\n@@\n-bar(...);\n+asm volatile("nop" : : );\n', 4),
}


@pytest.mark.parametrize(("text", "line"), ERRORS.values(), ids=ERRORS)
def test_an_error_names_the_line_of_the_template(spatch, text, line):
    lines = text.splitlines()
    origin = tuple(SourceLine("rule.cocci.j2", 100 + n, t) for n, t in enumerate(lines, 1))
    with pytest.raises(SpecError) as caught:
        apply(spatch, text, origin=origin)
    place = caught.value.place
    assert place is not None, caught.value
    assert place.file == "rule.cocci.j2"
    # spatch reports some errors one line late, at the token that does not fit.
    assert place.line in (100 + line, 100 + line + 1)
    assert place.excerpt is not None
    assert place.excerpt in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "@script:python@",
        "@initialize:python@",
        "@ finalize:ocaml @",
        "# spatch --python /bin/sh",
        "identifier f : script:python() { True };",
    ],
)
def test_refuses_what_runs_code(line):
    patch = SemanticPatch("evil.cocci", RENAME + line + "\n")
    with pytest.raises(SpecError) as caught:
        refuse_code(patch)
    assert caught.value.place is not None
    assert caught.value.place.line == 7


def test_a_file_name_that_looks_like_an_option_is_harmless(spatch):
    path = PurePosixPath("-o $(touch x).c")
    result = apply_to_file(spatch, SemanticPatch("test.cocci", RENAME), path, SOURCE)
    assert result.after is not None
    assert result.rules[0].sites[0].path == path


def test_hits_are_whole_where_other_metavariables_are_inherited(spatch):
    text = """\
@r@
identifier fn;
position p;
@@
 fn(...) { <... foo@p(...) ...> }

@s@
identifier r.fn;
@@
-fn
+renamed
 (...) { ... }
"""
    rules = {r.rule: r for r in apply(spatch, text).rules}
    assert rules["r"].hits == 3


def test_rules_that_change_the_same_functions_are_counted_apart(spatch):
    source = b"".join(b"int f%d(void)\n{\n\tg(1);\n}\n\n" % n for n in range(4))
    text = "".join(
        f"@{rule}@\nexpression a;\nposition p;\n@@\n-{old}@p(a);\n+{new}(a);\n\n"
        for rule, old, new in (("first", "g", "k"), ("second", "k", "m"))
    )
    rules = {r.rule: r for r in apply(spatch, text, source).rules}
    assert (rules["first"].hits, len(rules["first"].sites)) == (4, 4)
    # Where these stand in the file as it was, spatch does not say.
    assert (rules["second"].hits, rules["second"].sites) == (4, ())


def test_a_renamed_function_is_one_hit_though_its_prototype_changes_too(spatch):
    source = b"int f(int a);\n\nint f(int a)\n{\n\treturn a;\n}\n"
    [rule] = apply(spatch, "@r@\n@@\n-f\n+g\n (...) { ... }\n", source).rules
    assert rule.hits == 1


def test_an_unused_definition_is_refused(spatch):
    with pytest.raises(SpecError, match="has no virtual identifier NAME"):
        apply(spatch, RENAME, definitions={"NAME": "x"})


def test_a_rule_without_a_name_is_named_by_its_line(spatch):
    text = RENAME + "\n@@\nexpression x;\n@@\n-bar(x);\n\n@exists@\n@@\n-absent();\n"
    rules = [(r.rule, r.hits) for r in apply(spatch, text).rules]
    assert rules == [("rename", 3), ("line 8", 1), ("line 13", 0)]


def test_a_path_without_cp_is_refused_as_spatch_would_lose_its_result(tmp_path, monkeypatch):
    # spatch 1.1.1 writes a changed file by `cp`, and ends with 0 where that fails.
    (tmp_path / "spatch").symlink_to(shutil.which("spatch"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="cp is not installed"):
        find_spatch()


def test_builds_of_two_commits_have_two_versions(tmp_path, monkeypatch):
    """Cached results and workers are those of one version."""
    built = tmp_path / "spatch"
    built.write_text("#!/bin/sh\necho spatch version 1.3.1-00210-g59ee3d196 compiled with OCaml\n")
    built.chmod(0o755)
    monkeypatch.setenv("SPATCH", str(built))
    assert find_spatch().version == "1.3.1-00210-g59ee3d196"
