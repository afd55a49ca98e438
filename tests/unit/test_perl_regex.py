# SPDX-License-Identifier: GPL-2.0-or-later
"""Regular expressions of Perl's in MAINTAINERS: translated, or named, and always bounded."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, strategies as st

from patchgen.kernel import section_match
from patchgen.kernel.perl_regex import RegexError, Translated, translate
from patchgen.kernel.section_match import MatchJob, match_bounded

NEVER_ENDS = "^(([a-z0-9/_.]+)+)+!$"


@pytest.mark.parametrize(
    ("perl", "matching", "others"),
    [
        ("zork[0-9]", ["a/zork7"], ["zork"]),
        ("[^a-z]tegra", ["arm/tegra"], ["xtegra"]),
        ("(?i)pidfd", ["PidFD"], ["pid"]),
        ("a(?i)b|c", ["aB", "xC"], ["Ab"]),
        (r"\b(?i:clang|llvm)\b", ["use LLVM."], ["llvmx"]),
        (r"audit_[a-z]\+x", ["audit_a+x"], ["audit_aax"]),
        ("a b # no", ["ab"], ["a b"]),
        (r"a\ b[ #]", ["a b#"], ["ab#"]),
        (r"(?-x)a b", ["a b"], ["ab"]),
        ("[[:alpha:]_]+[[:digit:]]$", ["x_1", "x1\n"], ["1", "x1a"]),
        (r"\Aa\z", ["a"], ["a\n"]),
        (r"a\Z", ["a", "a\n"], ["a\nb"]),
        (r"\Qa.b\E", ["Qa.bE", "QaxbE"], ["a.b"]),
        (r"\x41\x{42}\103", ["ABC"], [r"\103"]),
        (r"(?<n>a|b)\k<n>", [], []),
        (r"(?<n>a)b", ["ab"], ["a"]),
        (r"(a)\1", ["aa"], ["ab"]),
        ("a{2}b{,1}{", ["aa{", "aab{"], ["a{"]),
        ("a++b", ["aaab"], ["b"]),
        ("(?>a+)ab", [], ["aaab"]),
        ("a(?=b)", ["ab"], ["ac"]),
        (r"\h\R", [" \n"], ["\n"]),
        ("x/[^/]*y", ["x/ay"], ["x/a/y"]),
        ("a(?#note)b", ["ab"], ["a"]),
        ("[]a]", ["]"], ["b"]),
        ("[^]a]b", ["xb"], ["]b"]),
    ],
)
def test_it_matches_what_perl_matches(perl, matching, others):
    if perl.endswith(r"\k<n>"):
        with pytest.raises(RegexError):
            translate(perl)
        return
    translated = translate(perl)
    for text in matching:
        assert re.search(translated.source, text), (translated.source, text)
        assert translated.literal in (text.lower() if translated.ignores_case else text)
    for text in others:
        assert not re.search(translated.source, text), (translated.source, text)


@pytest.mark.parametrize(
    "perl",
    ["", " ", "a(", "a)", "[a", "(?|a|b)", "(?{code})", r"\p{L}",
     "(*ACCEPT)", "a\\", "x" * 5000, "(" * 60 + ")" * 60, "[[:nope:]]", r"\G", r"\x{ffffffff}"],
    ids=lambda perl: perl[:10],
)  # fmt: skip
def test_features_that_python_does_not_have_are_refused(perl):
    with pytest.raises(RegexError):
        translate(perl)


@given(st.text(st.sampled_from("ab.*+?|()[]{}^$\\-/,: #xiQzZ=!<>1&~"), max_size=24))
def test_any_text_is_translated_or_refused_and_never_loses_a_match(perl):
    try:
        translated = translate(perl)
        search = re.compile(translated.source).search
    except (RegexError, re.error, OverflowError):
        return
    for text in ("ab", "a", "b/a.b", "aabb", "(a)", "a b"):
        if search(text):
            assert translated.literal in (text.lower() if translated.ignores_case else text)


def test_a_regular_expression_that_never_ends_does_not_hang(monkeypatch):
    monkeypatch.setattr(section_match, "_REGEX_S", 0.2)
    begin = time.process_time()
    jobs = [MatchJob(translate(regex), "paths") for regex in (NEVER_ENDS, "a+", "b")]
    slow, matched, none = match_bounded(jobs, {"paths": [("a" * 60 + "!x",), ("x",)]})
    assert isinstance(slow, str) and "0.2 s" in slow
    assert (matched, none) == ({0}, frozenset())
    assert time.process_time() - begin < 5


def test_all_of_them_together_have_a_limit_too(monkeypatch):
    monkeypatch.setattr(section_match, "_REGEX_S", 0.2)
    monkeypatch.setattr(section_match, "_TOTAL_S", 0.5)
    results = match_bounded(
        [MatchJob(translate(NEVER_ENDS), "p")] * 50, {"p": [("a" * 60 + "!x",)]}
    )
    assert all(isinstance(result, str) for result in results)
    assert sum("used up the limit" in str(result) for result in results) > 40


def test_an_expression_that_python_refuses_is_reported_and_the_others_are_matched():
    jobs = [MatchJob(Translated("a{1}{2}**", "", False), "p"), MatchJob(translate("a"), "p")]
    wrong, right = match_bounded(jobs, {"p": [("a",)]})
    assert isinstance(wrong, str) and right == {0}


def test_no_process_is_started_where_no_literal_is_there(monkeypatch):
    monkeypatch.setattr(section_match, "_WORKER", "/nonexistent")
    assert match_bounded([MatchJob(translate("zork[0-9]"), "p")], {"p": [("a/b.c",)]}) == [
        frozenset()
    ]
