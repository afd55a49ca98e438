# SPDX-License-Identifier: GPL-2.0-or-later
"""A definition in a file hides those of other files only where it is compiled."""

from __future__ import annotations

import pytest

from patchgen.audit.conditions import Conditions
from patchgen.audit.visibility import Visibility
from tests.support.small_kernel import early

OTHERS = {
    "arch/x86/kernel/other.c": "void setup(void)\n{\n\tto_site();\n}\n",
    "arch/x86/kernel/more.c": "struct ops { void (*go)(void); };\n"
    "struct ops table = { .go = to_site };\n",
}
REACHED = "void to_site(void) { site(); }\n"
IDLE = "static void setup(void) { }\n"
CALL = "\tsetup();\n"


def guarded(condition: str, text: str, other: str = "") -> str:
    branch = f"#else\n{other}" if other else ""
    return f"#if {condition}\n{text}{branch}#endif\n"


def call_in(body: str) -> str:
    return f"void console_init(void)\n{{\n{body}}}\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (IDLE + call_in(CALL), False),
        (guarded("defined(CONFIG_X)", IDLE) + call_in(CALL), True),
        (guarded("!defined(CONFIG_X)", IDLE) + call_in(CALL), True),
        (guarded("!defined(CONFIG_X)", IDLE) + call_in(guarded("defined(CONFIG_X)", CALL)), True),
        (guarded("defined(CONFIG_X)", IDLE) + call_in(guarded("defined(CONFIG_X)", CALL)), False),
        (
            guarded("defined(CONFIG_X)", IDLE)
            + call_in(guarded("defined(CONFIG_X) && LEVELS > 4", CALL)),
            False,
        ),
        (
            guarded("defined(CONFIG_X) && LEVELS > 4", IDLE)
            + call_in(guarded("defined(CONFIG_X)", CALL)),
            True,
        ),
        (guarded("defined(CONFIG_X)", IDLE, IDLE) + call_in(CALL), False),
        (
            guarded("defined(CONFIG_X)", IDLE)
            + guarded("!defined(CONFIG_X)", IDLE)
            + call_in(CALL),
            False,
        ),
        (guarded("defined(CONFIG_X)", "#define setup() idle()\n") + call_in(CALL), True),
        ("#define setup() idle()\n" + call_in(CALL), False),
        (
            guarded("defined(CONFIG_X)", "static struct ops table = { .go = idle };\n")
            + call_in("\ttable.go();\n"),
            True,
        ),
        ("static struct ops table = { .go = idle };\n" + call_in("\ttable.go();\n"), False),
    ],
    ids=[
        "always hidden",
        "hidden in one branch",
        "hidden in the other branch",
        "called in the opposite branch",
        "called in the same branch",
        "called in a part of the branch",
        "called in more than the branch",
        "hidden in both branches",
        "hidden in two opposite #ifs",
        "macro in one branch",
        "macro",
        "variable in one branch",
        "variable",
    ],
)
def test_a_definition_hides_others_only_under_its_own_condition(source, expected):
    assert early(REACHED + source, OTHERS) is expected


def test_a_configuration_decides_which_definition_is_meant():
    source = REACHED + guarded("defined(CONFIG_X)", IDLE) + call_in(CALL)
    assert early(source, OTHERS, {"CONFIG_X": "y"}) is False
    assert early(source, OTHERS, {"CONFIG_X": "n"}) is True


@pytest.mark.parametrize(
    ("use", "definitions", "expected"),
    [
        ((), [()], ((True,), True)),
        ((), [("defined(A)",)], ((True,), False)),
        (("!defined(A)",), [("defined(A)",)], ((False,), False)),
        (("defined(A)", "defined(B)"), [("defined(B)",)], ((True,), True)),
        ((), [("defined(A) || defined(B)",), ("!defined(A)",)], ((True, True), True)),
        ((), [("A > 1",), ("!(A > 1)",)], ((True, True), True)),
        ((), [("defined(A",)], ((True,), False)),
        ((), [(" || ".join(f"defined(A{n})" for n in range(20)),)], ((True,), False)),
    ],
)
def test_conditions_are_compared_for_all_values_of_their_terms(use, definitions, expected):
    assert Visibility(Conditions(None)).compare(use, definitions) == expected
