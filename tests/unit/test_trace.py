# SPDX-License-Identifier: GPL-2.0-or-later
"""spatch's trace, as 1.1.1 and 1.3.1 print it."""

from __future__ import annotations

from pathlib import PurePosixPath

from patchgen.coccinelle.rules import read_rules
from patchgen.coccinelle.trace import read_hits
from patchgen.coccinelle.unparsed import read_unparsed
from patchgen.coccinelle.witness import add_witnesses

PATCH = """\
// @not@ a rule
@virtual_like@
@@
 f(...)

@change depends on virtual_like disable paren@
expression E;
position p, q != other.q;
@@
(
-foo@p(E)
+bar(E)
|
 keep@q(E)
)

@@
@@
-anonymous();

@script:python@
p << change.p;
@@
print(p)
"""


def test_reads_the_rules_of_a_semantic_patch():
    rules = read_rules(PATCH)
    assert [(r.name, r.modifies, r.is_script) for r in rules] == [
        ("virtual_like", False, False),
        ("change", True, False),
        (None, True, False),
        (None, False, True),
    ]
    assert rules[1].positions == ("p", "q")
    assert (rules[1].start, rules[1].body) == (6, 10)


def test_a_twin_keeps_conditions_and_drops_changes():
    witnessed = add_witnesses(PATCH)
    text = witnessed.text
    twin = text[text.index("@pg_twin_change") : text.index("@pg_witness_pg_twin_change@")]
    assert "@pg_twin_change depends on virtual_like disable paren@" in twin
    assert " foo@p(E)" in twin
    assert "bar" not in twin
    original = [
        line for line, number in zip(text.splitlines(), witnessed.lines, strict=True) if number
    ]
    assert original == PATCH.splitlines()


def test_several_positions_in_several_bindings():
    poss = "(a.c,f,((1,0),(9,1)),({0},4),({0},8))"
    items = [poss.format(line) for line in (3, 5, 3)]
    output = (
        "-----\npg_twin_r = \n-----\n     binding out = [pg_twin_r.E --> x;\n"
        f"                   pg_twin_r.p --> poss[{items[0]}]]\n"
        "-----\npg_witness_pg_twin_r = \n-----\n"
        f"binding relevant in = [pg_twin_r.p --> poss[{items[0]}, {items[1]}]]\n"
        f"binding relevant in = [pg_twin_r.p --> poss[{items[2]}]]\n"
        "-----\nr = \n-----\n   with rule_elem: -foo\n     binding out = []\n"
        "-----\nproto for r = \n-----\n   with rule_elem: -foo\n"
    )
    rules = read_rules("@r@\nposition p;\n@@\n-foo@p()\n")
    [hits] = read_hits(output, rules, range(1, 5), PurePosixPath("a.c"))
    assert hits.hits == 2
    assert [(site.line, site.function) for site in hits.sites] == [(3, "f"), (5, "f")]


def test_a_stretch_that_begins_inside_a_define_names_its_functions():
    source = b"#define H \\\n\tALT(1) \\\n\t{}\nint f(void)\n{\n\tx(\n}\nint g;\n#define M )(\n"
    output = (
        "badcount: 5\nbad: \tALT(1) \\\nbad: \t{}\nbad: int f(void)\nbad: {\nBAD:!!!!! \tx(\n"
        "parse error \nbad: #define M )(\n"
    )
    found = read_unparsed(output, {"a.h": source}, "a.h")
    assert [(f.name, f.line) for f in found] == [("f", 4), (None, 9)]


def test_a_block_that_follows_a_semicolon_is_a_place_without_a_name():
    source = b"int f(x)\n  long x;\n{\n\tfoo(x);\n}\n"
    output = "badcount: 5\n" + "".join(f"bad: {line}\n" for line in source.decode().splitlines())
    found = read_unparsed(output, {"a.c": source}, "a.c")
    assert [(f.name, f.line, f.end) for f in found] == [(None, 1, 5)]


def test_an_error_in_a_macro_of_spatch_is_a_place_in_the_file_with_its_use():
    source = b"int a;\nstatic DEFINE_PER_CPU(int, b);\n"
    bad = "bad: int a;\nbad: static DEFINE_PER_CPU(int, b);\n"
    output = " = error in {}; set verbose_parsing for more info\nbadcount: 1\n" + bad
    sources = {"x.c": b"int c;\n", "x.h": source}
    macros = "/usr/lib/coccinelle/standard.h"
    [found] = read_unparsed(output.format(macros), sources, "x.c")
    assert (str(found.path), found.line, found.end) == ("x.h", 1, 2)
    own_output = "/tmp/cocci_small_output-1-2-x.c"
    assert read_unparsed(output.format(own_output), sources, "x.c") == ()
