# SPDX-License-Identifier: GPL-2.0-or-later
"""Templates: each line's origin, and errors at the author's line."""

from __future__ import annotations

import re

import pytest

from patchgen.errors import SpecError
from patchgen.sourcefolder import SourceFolder
from patchgen.templating import check_template, render_smpl, render_text
from patchgen.templating.renderer import Worker as _Worker


def test_each_rendered_line_knows_its_template_line(tmp_path):
    (tmp_path / "inc.j2").write_text("i1\ni2 <%= a %>\n")
    (tmp_path / "t.cocci.j2").write_text(
        "one\n<%# comment %>\n<% if a %>\nfour <%= a %> x\n<% for i in [1, 2] %>\n"
        "six <%= i %>\n<% endfor %>\n<% endif %>\n+<%= t | plus %>\n<% include 'inc.j2' %>\nlast"
    )
    text, places = render_smpl("t.cocci.j2", [SourceFolder(tmp_path)], {"a": 5, "t": "x\ny\n"})
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
    assert render_smpl("t.cocci.j2", [SourceFolder(tmp_path)], {})[0] == source
    (tmp_path / "t.c.j2").write_text("int a[] = {{0}};\n")
    assert render_text("t.c.j2", [SourceFolder(tmp_path)], {}) == "int a[] = {{0}};\n"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("one\n<%= nope %>\n", ":2: template: 'nope' is undefined\n    <%= nope %>"),
        ("one\n<% if %>\n", ":2: template: Expected an expression"),
        ("one\n\n<%= 1 / 0 %>\n", ":3: template: division by zero"),
        ("<% include 'none.j2' %>\n", "the template none.j2 does not exist"),
        ("<%= x.__class__.__mro__ %>\n", ":1: template: access to attribute '__class__'"),
    ],
)
def test_an_error_shows_the_template_line(tmp_path, source, problem):
    (tmp_path / "t.cocci.j2").write_text(source)
    with pytest.raises(SpecError) as caught:
        render_smpl("t.cocci.j2", [SourceFolder(tmp_path)], {"x": 1})
    assert problem in str(caught.value)


_UNENDED = {
    "a value": ("one\n<%= x >\n+three\n", 2, "the tag <%= has no %>"),
    "a value before another": ("one\nf(<%= x >,\n  <%= x %>);\n", 2, "the tag <%= has no %>"),
    "the second value of a line": ("one\n<%= x %> <%= x >\n;\n", 2, "the tag <%= has no %>"),
    "a value after a string": ("one\n<%= '<%' %> <%= x\n\n)\n", 2, "the tag <%= has no %>"),
    "a value after a comment": ("one\n<%# <%= %><%= x\n\n)\n", 2, "the tag <%= has no %>"),
    "a character that no tag has": ("one\n<%= x\n@r@\n", 2, "the tag <%= has no %>"),
    "a value at the end": ("one\n<%= x\n\n", 2, "the tag <%= has no %>"),
    "a block's tag": ("one\n<% if x >\n+y\n<% endif %>\n", 2, "the tag <% has no %>"),
    "the inner tag": ("<% if x %>\ntwo\n<%= x >\n+y\n<% endif %>\n", 3, "the tag <%= has no %>"),
    "a block": ("one\n<% if x %>\n\n\n", 2, "Unexpected end of template"),
    "the inner block": ("<% if x %>\n<% for i in x %>\n<%= i %>\n\n", 2, "Unexpected end"),
    "a comment": ("one\n<%# x\n\n", 2, "Missing end of comment tag"),
    "a wrong line of a long tag": ("one\n<% set x = [\n 1,\n 2 3,\n] %>\n", 4, "expected token"),
}


def _check(name: str, folders: list[SourceFolder]) -> None:
    check_template(name, folders)


@pytest.mark.parametrize("read", [render_smpl, render_text, _check])
@pytest.mark.parametrize(("source", "line", "message"), _UNENDED.values(), ids=_UNENDED)
def test_a_tag_that_is_not_ended_is_reported_at_its_own_line(tmp_path, source, line, message, read):
    (tmp_path / "t.cocci.j2").write_text(source)
    with pytest.raises(SpecError) as caught:
        read("t.cocci.j2", [SourceFolder(tmp_path)], *([] if read is _check else [{"x": 1}]))
    place = caught.value.place
    assert place is not None and place.line == line, str(caught.value)
    assert caught.value.message.startswith(f"template: {message}")
    assert place.excerpt == source.split("\n")[line - 1]


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("one\n{{ x }\nthree\n", 2, "the tag {{ has no }}"),
        ("one\n{% if x }\nthree\n{% endif %}\n", 2, "the tag {% has no %}"),
        ("one\n{% if x %}\nthree\n", 2, "Unexpected end of template"),
        ("one\n{{ {'a': 1}\n 2 }}\n", 3, "expected token"),
    ],
)
def test_a_tag_of_prose_that_is_not_ended_is_reported_at_its_own_line(
    tmp_path, source, line, message
):
    (tmp_path / "t.txt.j2").write_text(source)
    with pytest.raises(SpecError, match=f":{line}: template: {re.escape(message)}"):
        render_text("t.txt.j2", [SourceFolder(tmp_path)], {"x": 1})


def test_under_aligns_with_tabs_of_eight(tmp_path):
    (tmp_path / "t.h.j2").write_text('<%= "\\tret = fn(" | under %>x\n')
    assert render_text("t.h.j2", [SourceFolder(tmp_path)], {}) == "\t\t x\n"


_BOMBS = {
    "nested loops": "<% for a in range(99999) %><% for b in range(99999) %>"
    "<% endfor %><% endfor %>",
    "a long result": "<% for a in range(99999) %><%= 'a' * 1000 %><% endfor %>",
    "a long text": "<%= 'a' * 10**10 %>",
    "a long list": "<%= [0] * 10**10 %>",
    "a large power": "<%= x ** (10 ** 9) %>",
    "a wide number": "<%= '%1000000000d' % 1 %>",
    "a wide format": "<%= '{:1000000000}'.format(1) %>",
    "the filter format": "<%= '%1000000000d' | format(1) %>",
    "the filter center": "<%= 'a' | center(10**9) %>",
    "the filter indent": "<%= ('a\\n' * 10**4) | indent(10**8) %>",
    "the method zfill": "<%= 'a'.zfill(10**10) %>",
    "the filter batch": "<%= [1] | batch(10**9, 0) | list %>",
    "the filter replace": "<%= ('a' * 10**6) | replace('a', 'a' * 10**6) %>",
    "doubling": "<% set n = namespace(s='ab') %><% for i in range(99) %>"
    "<% set n.s = n.s ~ n.s %><% endfor %>",
    "growing": "<% set n = namespace(s=[]) %><% for i in range(99) %>"
    "<% set n.s = n.s + n.s + ['a'] %><% endfor %>",
    "lipsum": "<%= lipsum(n=100000) %>",
    "including itself": "<% include 't.cocci.j2' %>",
    "a recursive macro": "<% macro m() %><%= m() %><% endmacro %><%= m() %>",
    "a recursive loop": "<% for i in [1] recursive %><%= loop([1]) %><% endfor %>",
    "deep parentheses": "<%= " + "(" * 3000 + "1" + ")" * 3000 + " %>",
    "deep lists": "<%= " + "[" * 3000 + "]" * 3000 + " %>",
    "a large range": "<%= range(10**9) | list %>",
}


@pytest.mark.parametrize("source", _BOMBS.values(), ids=_BOMBS)
def test_a_template_has_limits_and_its_line_is_shown(tmp_path, monkeypatch, source):
    monkeypatch.setattr("patchgen.templating.renderer._worker", _Worker(seconds=1))
    (tmp_path / "t.cocci.j2").write_text("one\ntwo\n" + source + "\n")
    with pytest.raises(SpecError) as caught:
        render_smpl("t.cocci.j2", [SourceFolder(tmp_path)], {"x": 3})
    place = caught.value.place
    assert place is not None and place.file == str(tmp_path / "t.cocci.j2")
    assert place.line == 3
    # The next template is not the worse for it.
    (tmp_path / "u.txt.j2").write_text("fine {{ x }}")
    assert render_text("u.txt.j2", [SourceFolder(tmp_path)], {"x": 3}) == "fine 3"


def test_a_process_that_was_killed_between_two_templates_is_replaced(tmp_path, monkeypatch):
    worker = _Worker()
    monkeypatch.setattr("patchgen.templating.renderer._worker", worker)
    (tmp_path / "u.txt.j2").write_text("fine {{ x }}")
    assert render_text("u.txt.j2", [SourceFolder(tmp_path)], {"x": 1}) == "fine 1"
    assert worker._dialogue is not None
    process = worker._dialogue._process
    process.kill()
    process.wait()
    assert render_text("u.txt.j2", [SourceFolder(tmp_path)], {"x": 2}) == "fine 2"


_TOO_DEEP_FOR_PYTHON = {
    "deep operators": "<%= " + "1 + " * 3000 + "1 %>",
    "deep blocks": "<% if x %>" * 200 + "<% endif %>" * 200,
    "deep loops": "<% for i in [1] %>" * 60 + "<% endfor %>" * 60,
}


@pytest.mark.parametrize("source", _TOO_DEEP_FOR_PYTHON.values(), ids=_TOO_DEEP_FOR_PYTHON)
def test_a_template_that_python_cannot_compile_is_named(tmp_path, source):
    (tmp_path / "t.cocci.j2").write_text("one\ntwo\n" + source + "\n")
    with pytest.raises(SpecError, match=r"t\.cocci\.j2: template: it is nested too deeply"):
        render_smpl("t.cocci.j2", [SourceFolder(tmp_path)], {"x": 3})


def test_a_template_that_no_signal_reaches_is_ended(tmp_path, monkeypatch):
    # sum() of lists is quadratic, and all in C.
    monkeypatch.setattr("patchgen.templating.renderer._worker", _Worker(seconds=1))
    (tmp_path / "t.txt.j2").write_text("{{ ([[1]] * 200000) | sum(start=[]) | length }}")
    with pytest.raises(SpecError, match=r"too much time|too long") as caught:
        render_text("t.txt.j2", [SourceFolder(tmp_path)], {})
    assert caught.value.place is not None
    assert caught.value.place.file == str(tmp_path / "t.txt.j2")
