# SPDX-License-Identifier: GPL-2.0-or-later
"""A macro may be another name of a function, as native_pagetable_init is of paging_init."""

from __future__ import annotations

import pytest

from tests.support.small_kernel import early

REACHED = "void to_site(void) { site(); }\n"
HEADER = "arch/x86/include/asm/setup.h"
INITIALISER = "struct x86_init_ops x86_init = { .hyper = { .init_platform = other } };\n"
CALL = "void identify_boot_cpu(void) { other(); }\n"
NAME = "#define other to_site\n"
CHAIN = "#define other another\n#define another to_site\n"


@pytest.mark.parametrize(
    ("source", "header", "expected"),
    [
        (INITIALISER, NAME, True),
        (INITIALISER, CHAIN, True),
        (NAME + INITIALISER, "", True),
        (CALL, NAME, True),
        (CALL, CHAIN, True),
        (NAME + CALL, "", True),
        (CALL, "#ifdef CONFIG_X86_32\nvoid other(void);\n#else\n" + NAME + "#endif\n", True),
        (CALL, "#define other other\n", False),
        (CALL, "#define other another\n#define another other\n", False),
        (CALL, "#define other idle\n", False),
        (CALL, "#define other(x) to_site\n", False),
    ],
)
def test_a_name_is_followed_to_the_function_that_a_macro_names(source, header, expected):
    assert early(REACHED + source, {HEADER: header}) is expected


def test_a_macro_of_another_file_names_nothing():
    assert not early(REACHED + CALL, {"arch/x86/kernel/other.c": NAME})
