# SPDX-License-Identifier: GPL-2.0-or-later
"""Which files may share a spatch: what scripts may keep, and what they cannot."""

from __future__ import annotations

import pytest

from patchgen.coccinelle import Rule, read_rules
from patchgen.sweep.grouping import Grouping, choose_grouping

RULE = "@r@\nexpression e;\nposition p;\n@@\nkfree@p(e)\n\n"


def list_scripts(text: str, *defined: str) -> list[Rule]:
    virtuals = {name: name in defined for name in ("patch", "report")}
    return [rule for rule in read_rules(text) if rule.is_script and rule.may_run(virtuals)]


def grouping_of(text: str, *defined: str) -> Grouping:
    return choose_grouping(list_scripts(text, *defined))


def with_scripts(initial: str, later: str = "pass", language: str = "python") -> str:
    return (
        f"@initialize:{language}@\n@@\n{initial}\n\n{RULE}"
        f"@script:{language}@\np << r.p;\n@@\n{later}\n"
    )


@pytest.mark.parametrize(
    ("initial", "later"),
    [
        ("import re\nm = re.compile('__')", "print(m)"),
        ("names = frozenset(['kvfree'])\ndef relevant(p):\n    return not (names & {p})", "x = 1"),
        ("LIMIT = (1, -2, 'a' + 'b')", "print(LIMIT)"),
        ("try:\n    import a\nexcept ImportError:\n    a = None", "print(a)"),
        ("def f(p, times=2):\n    return p", "f(p)"),
    ],
)
def test_files_share_a_spatch_if_scripts_keep_no_state(initial, later):
    assert grouping_of(with_scripts(initial, later)) is Grouping.ANY


@pytest.mark.parametrize(
    ("initial", "later"),
    [
        ("seen = set()", "seen.add(p)"),
        ("seen = {}", "seen[p] = 1"),
        ("from collections import Counter\nseen = Counter()", "seen[p] += 1"),
        ("count = 0", "count += 1"),
        ("count = 0\ndef more():\n    global count\n    count += 1", "more()"),
        ("def f(p, seen=[]):\n    seen.append(p)", "f(p)"),
        ("class Seen:\n    all = []", "Seen.all.append(p)"),
        ("if True:\n    seen = []", "seen.append(p)"),
        ("print 'an older Python'", "pass"),
    ],
)
def test_files_are_apart_if_scripts_may_keep_state(initial, later):
    assert grouping_of(with_scripts(initial, later)) is Grouping.APART


@pytest.mark.parametrize(
    ("initial", "grouping"),
    [
        ('let report p msg = Printf.printf "%s" msg', Grouping.ANY),
        ("let table = Hashtbl.create 101", Grouping.APART),
        ("let count = ref 0", Grouping.APART),
    ],
)
def test_ocaml_state_is_recognised_by_its_words(initial, grouping):
    assert grouping_of(with_scripts(initial, "()", "ocaml")) is grouping


def test_a_finalize_rule_requires_all_files_together():
    text = with_scripts("seen = []", "seen.append(p)") + "@finalize:python@\n@@\nprint(seen)\n"
    assert grouping_of(text) is Grouping.TOGETHER


def test_without_an_initialize_rule_there_is_nothing_to_keep():
    script = "@script:python@\np << r.p;\n@@\nseen = [p]\nprint(seen)\n"
    assert grouping_of(RULE + script) is Grouping.ANY
    assert grouping_of(RULE) is Grouping.ANY


def test_a_comment_between_rules_is_not_part_of_a_script():
    text = with_scripts("import re\n\n// --- then the rules\n", "print(p)\n\n// the end")
    assert grouping_of(text) is Grouping.ANY


def test_what_cannot_run_keeps_nothing():
    text = with_scripts("seen = []", "seen.append(p)")
    text = text.replace("@initialize:python@", "@initialize:python depends on report@")
    assert grouping_of(text, "report") is Grouping.APART
    assert grouping_of(text, "patch") is Grouping.ANY


@pytest.mark.parametrize(
    ("dependency", "runs"),
    [
        ("", True),
        ("depends on patch", True),
        ("depends on report", False),
        ("depends on !report && patch", True),
        ("depends on !patch && report", False),
        ("depends on r && report", False),
        ("depends on r || report", True),
        ("depends on !r", True),
        ("depends on !(patch || report)", False),
        ("depends on (report || patch) && r", True),
        ("depends on ever report", True),
        ('depends on file in "mm" && report', True),
        ("named depends on report", False),
    ],
)
def test_a_dependency_determines_whether_a_script_may_run(dependency, runs):
    text = RULE + f"@script:python {dependency}@\np << r.p;\n@@\nprint(p)\n"
    assert bool(list_scripts(text, "patch")) is runs
