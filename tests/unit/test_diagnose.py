# SPDX-License-Identifier: GPL-2.0-or-later
"""spatch's errors, as recorded from 1.1.1 and 1.3.1, at the line of the semantic patch."""

from __future__ import annotations

from pathlib import Path

import pytest

from patchgen.coccinelle.diagnose import TOOK_TOO_LONG, explain_exception, explain_refusal
from patchgen.coccinelle.witness import PreparedText, prepare_text
from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch
from patchgen.process import Completed

RECORDED = Path(__file__).parent.parent / "data" / "spatch"
VERSIONS = ("1.1.1", "1.3.1")

# case: line in the semantic patch, and text of the message
REFUSED = {
    "smpl-parse-error": (5, "minus: parse error"),
    "smpl-parse-error-plus": (17, "plus: parse error"),
    "smpl-parse-error-header": (1, "rule name: parse error"),
    "smpl-lexical-error": (17, ""),
    "smpl-lexical-error-string": (17, "cannot be read"),
    "smpl-semantic-error-undeclared-metavariable": (6, "meta: parse error"),
    "smpl-semantic-error-unknown-inherited": (6, "bad rule a or bad variable x"),
    "smpl-only-in-plus": (12, "i appears only in + code"),
    "smpl-incompatible-minus-plus": (5, ""),
    "smpl-plus-without-place": (8, "no available token to attach to"),
    "smpl-marker-alone": (None, "nothing to attach pragma to"),
    "virtual-without-value": (19, "Not found a value in env for: X"),
}


def ended(output: bytes) -> Completed:
    return Completed(("spatch",), 255, output, b"", 0.0)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", REFUSED)
def test_finds_line_and_reason(version, case):
    line, reason = REFUSED[case]
    text = (RECORDED / f"{case}.cocci").read_text()
    output = (RECORDED / f"{version}-{case}.txt").read_bytes()
    patch = SemanticPatch(f"{case}.cocci", text)
    error = explain_refusal(patch, prepare_text(text), ended(output))
    assert isinstance(error, SpecError)
    assert error.place is not None
    assert error.place.file == f"{case}.cocci"
    assert error.place.line == line
    assert reason in error.message
    for noise in ("init_defs", "/usr/", "-----", "File ", "bad:"):
        assert noise not in error.message


def test_names_the_package_of_a_missing_ocaml_compiler():
    patch = SemanticPatch("a.cocci", "@initialize:ocaml@\n@@\nlet n = 1\n")
    output = b"No OCaml compiler found! Install either ocamlopt or ocamlopt.opt\n"
    error = explain_refusal(patch, prepare_text(patch.text), ended(output))
    assert error.message == "a.cocci has an OCaml script: spatch needs an OCaml compiler for it"
    assert (error.code, error.hint) == ("program-missing", "on Debian: apt-get install ocaml-nox")


@pytest.mark.parametrize("version", VERSIONS)
def test_no_rule_applies(version):
    output = (RECORDED / f"{version}-no-rules-apply.txt").read_bytes()
    text = (RECORDED / "no-rules-apply.cocci").read_text()
    patch = SemanticPatch("x.cocci", text)
    error = explain_refusal(patch, prepare_text(text), ended(output))
    assert "finds no rule to apply" in error.message


# As spatch 1.1.1 prints them with --file-groups.
EXCEPTIONS = {
    "a script that raises": (
        "HANDLING: a.c\nTraceback (most recent call last):\n"
        '  File "<string>", line 4, in <module>\n'
        "NameError: name 'thing' is not defined\n"
        'EXN: Failure("Error in Python script, line 3, file \\"../patchgen.cocci\\": '
        'Python failure") in a.c\n',
        "its script on line 12 fails: NameError: name 'thing' is not defined",
    ),
    "flow that spatch cannot follow": (
        'EXN: Failure("rule starting on line 1: node 54: vfree(...)[1,2] in f reachable by '
        'inconsistent control-flow paths") in a.c\n',
        "rule starting on line 10: node 54: vfree(...)[1,2] in f reachable by "
        "inconsistent control-flow paths",
    ),
    # As spatch 1.1.1 formats it; the file is named by whoever prints the reason.
    "a token of a macro": (
        'EXN: Failure("net/a.c: 79: try to delete an expanded token: f") in net/a.c\n',
        "line 79 of the file: try to delete an expanded token: f",
    ),
    "a token of a macro, in a folder": (
        'EXN: Failure("/tmp/x/a.c: 7: try to delete an expanded token: f") in a.c\n',
        "line 7 of the file: try to delete an expanded token: f",
    ),
    "another file": ('EXN: Failure("b.c: 7: no") in a.c\n', "b.c: 7: no"),
    "time": ("EXN: Coccinelle_modules.Common.Timeout in a.c\n", TOOK_TOO_LONG),
    "another exception": ("EXN: Not_found in a.c\n", "Not_found"),
    "none": ("HANDLING: a.c\n", ""),
}


@pytest.mark.parametrize("case", EXCEPTIONS)
def test_reports_why_a_file_was_given_up(case):
    errors, why = EXCEPTIONS[case]
    failure = explain_exception(errors, PreparedText("1\n2\n3\n", (10, 11, 12)), limit_s=9)
    assert (failure is not None) is bool(why)
    if failure is not None:
        assert str(failure) == why
        assert failure.limit_s == (9 if case == "time" else None)


def test_names_the_package_that_a_script_does_not_find():
    output = b"Using native version of ocamlc\nocamlfind: Package `dbm' not found\nhd\n"
    patch = SemanticPatch("a.cocci", "@script:ocaml@\n@@\n()\n")
    error = explain_refusal(patch, prepare_text(patch.text), ended(output))
    assert "ocamlfind: Package `dbm' not found" in error.message


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("init_defs_builtins: /usr/lib/standard.h\nout of luck\n-f();\n", ": out of luck"),
        ("out of luck\n@@\n@@\n-f();\n", ": out of luck"),
        ("init_defs_builtins: /usr/lib/standard.h\nwarning: a.cocci\n\n", ""),
    ],
)
def test_quotes_the_last_line_if_the_form_of_the_reason_is_not_known(output, reason):
    patch = SemanticPatch("a.cocci", "@@\n@@\n-f();\n")
    error = explain_refusal(patch, prepare_text(patch.text), ended(output.encode()))
    assert (error.message, error.code) == (
        f"a.cocci: spatch exited with 255{reason}",
        "spatch-failed",
    )


def test_an_attribute_that_a_rule_deletes_has_a_hint():
    text = (RECORDED / "smpl-attribute.cocci").read_text()
    output = (RECORDED / "1.1.1-smpl-attribute.txt").read_bytes()
    error = explain_refusal(SemanticPatch("a.cocci", text), prepare_text(text), ended(output))
    assert (str(error.place), error.message) == (
        "a.cocci:6",
        "spatch: error in collection of - tokens",
    )
    assert error.hint is not None and "`patchgen help smpl-refused`" in error.hint


HEAD = "@@\nexpression e;\n@@\n"
UNCLOSED = f"{HEAD}(\n- foo(e)\n+ bar(e)\n|\n- baz(e)\n+ qux(e)\n"
NEXT = "@s@\nexpression e;\n@@\n- g(e)\n+ h(e)\n"
# Semantic patches, the line of spatch's parse error, and that of the `(` without its `)`.
DISJUNCTIONS = {
    "at the end of the file": (UNCLOSED, 10, 4),
    "before an empty line": (f"{UNCLOSED}\n", 11, 4),
    "before another rule": (f"{UNCLOSED}\n{NEXT}", 11, 4),
    "around another one": (
        f"{HEAD} a();\n(\n- b();\n|\n(\n- c();\n|\n- d();\n)\n\n- x();\n",
        16,
        5,
    ),
    "in the second rule": (f"{NEXT}\n{UNCLOSED}\n", 17, 10),
    "another error in it": (UNCLOSED.replace("foo(e)", "foo(e"), 6, None),
    "a closed one": (f"{UNCLOSED})\n", 10, None),
    "a comment": (f"{HEAD}/*\n(\n*/\n- foo(e)\n+ bar(e;)\n", 8, None),
    "a call on two lines": (f"{HEAD}- foo\n-(e)\n+ bar(e;)\n", 6, None),
}


@pytest.mark.parametrize("name", DISJUNCTIONS)
def test_a_disjunction_without_its_end_is_named(name):
    text, line, begin = DISJUNCTIONS[name]
    # As spatch 1.1.1 prints it.
    output = (
        f'minus: parse error: \n  File "a.cocci", line {line}, column 0, charpos = 64\n'
        "  around = '',\n  whole content = \n"
    )
    patch = SemanticPatch("a.cocci", text)
    # The bridge adds lines to what spatch reads.
    prepared = prepare_text(text).insert({text.count("\n"): ["@added@", "@@", " f()"]})
    error = explain_refusal(patch, prepared, ended(output.encode()))
    hint = f"the disjunction that begins in line {begin} has no `)`"
    assert error.hint == (hint if begin else None)
    if begin:
        assert error.place is not None and (error.place.line, error.place.column) == (begin, 1)
        assert (error.message, error.place.excerpt) == ("spatch: minus: parse error", "(")


@pytest.mark.parametrize(
    ("output", "line", "message"),
    [
        ("unexpected close parenthesis in line 5\n", 5, "unexpected close parenthesis"),
        (
            "disjunction parenthesis in line 4 column 0 matched to normal parenthesis on line 8\n",
            8,
            "disjunction parenthesis matched to normal parenthesis",
        ),
    ],
)
def test_a_parenthesis_that_ends_no_disjunction_is_named(output, line, message):
    patch = SemanticPatch("a.cocci", UNCLOSED)
    error = explain_refusal(patch, prepare_text(UNCLOSED), ended(output.encode()))
    assert isinstance(error, SpecError) and error.place is not None
    assert (error.message, error.place.line) == (f"spatch: {message}", line)
