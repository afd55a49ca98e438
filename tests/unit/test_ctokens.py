# SPDX-License-Identifier: GPL-2.0-or-later
"""C tokens: what counts as code, and which functions a text defines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from patchgen.ctokens import (
    Assignment,
    TokenCall,
    erase_directives,
    find_calls,
    find_prose,
    find_sequence,
    tokenize,
)
from tests.support.bounded import run_bounded


def split_words(text: str) -> list[bytes]:
    return [token.text for token in tokenize(text.encode())]


def test_comments_and_strings_hold_no_tokens():
    assert find_sequence(b"/* op */ // op\nchar *s = \"op\"; char c = 'o';", [b"op"]) is None


@pytest.mark.parametrize(
    ("source", "sequence", "line"),
    [
        ("a\nb . c\n", "b.c", 2),
        ("pv_ops.mmu.op =\n\tcb;", "pv_ops.mmu.op = cb", 1),
        ("x\n\n#define OP /* why */ 1\n", "#define OP", 3),
        ("notify_it", "notify", None),
        ("a == b", "a =", None),
    ],
)
def test_finds_a_sequence_with_any_comments_and_spaces_in_it(source, sequence, line):
    assert find_sequence(source.encode(), split_words(sequence)) == line


def test_finds_the_calls_in_functions_of_a_text_that_begins_anywhere():
    text = b"""\
}
static inline long f0(unsigned int nr)
{
	asm volatile(X : "=a"(ret) : "a"(nr));
	if (x) { g(1); }
}
int __init f1(int (*cb)(void)) __attribute__((noinline));
#define M(x) { x }
struct s { int a; } v = { .a = F(1) };
int
f2(void) __must_hold(lock)
{
	h();
"""
    calls, _ = find_calls(text)
    assert [(call.function, call.callee, call.line) for call in calls] == [
        ("f0", "volatile", 4),
        ("f0", "if", 5),
        ("f0", "g", 5),
        ("f2", "h", 13),
    ]


def test_finds_calls_with_their_functions_and_what_members_are_assigned():
    text = b"""\
int f(int (*cb)(void));
static struct ops a = { .open = f_open, .size = sizeof(int), .n = 1 + N, };
static int f(int x)
{
	/* not(me) */
	if (x) {
		g(&h(x, 1),
			y);
	}
	a->op = cb;
	a.op == cc;
	op = cd;
	return k(1);
}
#define M(x) m(x)
int later = v(1);
struct s { int a; } t;
void f2(void) { f(2); }
"""
    calls, assignments = find_calls(text)
    assert [call for call in calls if call.callee != "if"] == [
        TokenCall("g", 7, "f", (b"&", b"h", b"(", b"x", b",", b"1", b")", b",", b"y")),
        TokenCall("h", 7, "f", (b"x", b",", b"1")),
        TokenCall("k", 13, "f", (b"1",)),
        TokenCall("f", 18, "f2", (b"2",)),
    ]
    assert assignments == [Assignment("open", "f_open"), Assignment("op", "cb")]


def test_a_continued_directive_is_erased_whole():
    assert erase_directives(b"a\n#define X \\\n\tf() {\nb\n") == b"a\n\n\nb\n"


@given(st.binary(max_size=200))
def test_takes_any_bytes_and_keeps_count_of_lines(source):
    tokens = list(tokenize(source))
    assert all(1 <= token.line <= source.count(b"\n") + 1 for token in tokens)
    find_calls(source)


# What tokenize() means, for short texts: its time grows with the square of their length.
_REFERENCE = re.compile(
    rb"""
      (?P<skip> /\*.*?(?:\*/|\Z) | //(?:[^\\\n]|\\.)* | \s+ | \\\n )
    | (?P<literal> "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' )
    | (?P<word> [A-Za-z_$][A-Za-z_0-9$]* )
    | (?P<number> \.?[0-9](?:[eEpP][+-]|[A-Za-z_0-9.])* )
    | (?P<operator> -> | \+\+ | -- | <<=? | >>=? | [<>=!]= | && | \|\| | [-+*/%&|^]= | \.\.\. | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_PIECES = [
    b'"',
    b"'",
    b"\\",
    b"\n",
    b"/*",
    b"*/",
    b"//",
    b"a",
    b" ",
    b"\\\n",
    b'\\"',
    b"\\'",
    b"9.",
    b"+",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=24).map(b"".join))
def test_a_quote_that_nothing_closes_is_a_token_and_hides_none(source):
    sequence = [m.group() for m in _REFERENCE.finditer(source) if m.lastgroup != "skip"]
    assert [token.text for token in tokenize(source)] == sequence


@given(st.lists(st.sampled_from(_PIECES), max_size=24).map(b"".join))
def test_prose_is_what_is_no_code(source):
    matches = list(_REFERENCE.finditer(source))
    expected = [
        match.span()
        for match in matches
        if match.lastgroup == "literal" or match[0].startswith((b"/*", b"//"))
    ]
    assert find_prose(source) == expected


def test_long_sources_are_read_in_linear_time():
    heads = ['"', "void f(void)\n{\n'"]
    pieces = ['"\\\n', '\\"', "\\'", "/*", "//\\\n", "f(", "(f(1),", "{", "#\n", "\\\n"]
    texts = [head + piece * (60_000 // len(piece)) for head in heads for piece in pieces]
    texts.append("void f(void)\n{\n" + "f(" * 30_000 + ")" * 30_000)
    program = "import ast, sys\nfrom patchgen.ctokens import find_calls\n"
    program += "for text in ast.literal_eval(sys.stdin.read()): find_calls(text.encode())"
    run_bounded(program, texts)
