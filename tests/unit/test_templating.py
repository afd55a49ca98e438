"""Templates: each line's origin, and errors at the author's line."""

from __future__ import annotations

import pytest

from patchgen.errors import SpecError
from patchgen.templating import render_smpl, render_text


def test_each_rendered_line_knows_its_template_line(tmp_path):
    (tmp_path / "inc.j2").write_text("i1\ni2 <%= a %>\n")
    (tmp_path / "t.cocci.j2").write_text(
        "one\n<%# comment %>\n<% if a %>\nfour <%= a %> x\n<% for i in [1, 2] %>\n"
        "six <%= i %>\n<% endfor %>\n<% endif %>\n+<%= t | plus %>\n<% include 'inc.j2' %>\nlast"
    )
    text, places = render_smpl("t.cocci.j2", [tmp_path], {"a": 5, "t": "x\ny\n"})
    assert list(zip(text.split("\n"), [(p.template, p.line) for p in places], strict=True)) == [
        ("one", ("t.cocci.j2", 1)),
        ("four 5 x", ("t.cocci.j2", 4)),
        ("six 1", ("t.cocci.j2", 6)),
        ("six 2", ("t.cocci.j2", 6)),
        ("+x", ("t.cocci.j2", 9)),
        ("+y", ("t.cocci.j2", 9)),
        ("i1", ("inc.j2", 1)),
        ("i2 5", ("inc.j2", 2)),
        ("last", ("t.cocci.j2", 11)),
    ]


def test_smpl_and_c_pass_as_they_are(tmp_path):
    source = "@r@\np << s.p;\n@@\n- f(<+... x ...+>)\n+ g({{0}}, {#x}, {%d})\n"
    (tmp_path / "t.cocci.j2").write_text(source)
    assert render_smpl("t.cocci.j2", [tmp_path], {})[0] == source
    (tmp_path / "t.c.j2").write_text("int a[] = {{0}};\n")
    assert render_text("t.c.j2", [tmp_path], {}) == "int a[] = {{0}};\n"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("one\n<%= nope %>\n", ":2: template: 'nope' is undefined\n    <%= nope %>"),
        ("one\n<% if %>\n", ":2: template: Expected an expression"),
        ("one\n\n<%= 1 / 0 %>\n", ":3: template: division by zero"),
        ("<% include 'none.j2' %>\n", "the template none.j2 does not exist"),
        ("<%= x.__class__.__mro__ %>\n", ":1: template: access to attribute '__class__'"),
    ],
)
def test_an_error_shows_the_template_line(tmp_path, source, said):
    (tmp_path / "t.cocci.j2").write_text(source)
    with pytest.raises(SpecError) as caught:
        render_smpl("t.cocci.j2", [tmp_path], {"x": 1})
    assert said in str(caught.value)


def test_under_aligns_with_tabs_of_eight(tmp_path):
    (tmp_path / "t.h.j2").write_text('<%= "\\tret = fn(" | under %>x\n')
    assert render_text("t.h.j2", [tmp_path], {}) == "\t\t x\n"
