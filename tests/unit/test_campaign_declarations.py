# SPDX-License-Identifier: GPL-2.0-or-later
"""Which changes of a campaign concern other files, so that patches may need one another."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from patchgen.campaign.declarations import find_changed_declarations
from patchgen.model.series import FileEdit

FUNCTION = "{}int f(struct s *s{})\n{{\n\treturn {};\n}}\n"
MEMBER = "struct s {{\n\tint {};\n}};\n"


def find(name: str, before: str, after: str) -> list[str]:
    edit = FileEdit(PurePosixPath(name), "100644", before.encode(), after.encode())
    return [str(path) for path in find_changed_declarations([edit])]


@pytest.mark.parametrize("name", ["a.c", "a.h"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FUNCTION.format("", "", "s->a"), FUNCTION.format("", "", "s->b")),
        ("static struct s s = {\n\t.a = 1,\n};\n", "static struct s s = {\n\t.b = 1,\n};\n"),
        ("int f(void) { return old; }\n", "int f(void) { return new; }\n"),
        ("#define F(x) old(x)\n", "#define F(x) new(x)\n"),
        ("#define F(x) \\\n\told(x)\n", "#define F(x) \\\n\tnew(x)\n"),
        ("#include <a.h>\n", "#include <a.h>\n\n#include <b.h>\n"),
    ],
)
def test_a_change_of_code_concerns_no_other_file(name, before, after):
    assert find(name, before, after) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (MEMBER.format("a"), MEMBER.format("b")),
        (FUNCTION.format("static ", "", "0"), FUNCTION.format("static ", ", int x", "0")),
        ("#define F(x) (x)\n", "#define F(x, y) (x)\n"),
    ],
)
def test_declarations_in_a_source_concern_no_other_file_but_those_in_a_header_do(before, after):
    assert find("a.c", before, after) == []
    assert find("a.h", before, after) == ["a.h"]


@pytest.mark.parametrize("name", ["a.c", "a.h"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FUNCTION.format("", "", "0"), FUNCTION.format("", ", int x", "0")),
        (FUNCTION.format("", "", "0"), FUNCTION.format("", ",\n\t     int x", "0")),
        ("int f(int a,\n      int b);\n", "int f(int a,\n      long b);\n"),
        ("EXPORT_SYMBOL(old);\n", "EXPORT_SYMBOL(new);\n"),
        ("void f(void);\nvoid g(void);\n", "void g(void);\n"),
    ],
)
def test_names_and_types_that_other_files_can_use_concern_them(name, before, after):
    assert find(name, before, after) == [name]
