# SPDX-License-Identifier: GPL-2.0-or-later
"""What is cut from a file, and that all of it comes back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from patchgen.coccinelle.formula import parse_formula
from patchgen.sweep.slices import restore, slice_source

NEEDS = (parse_formula("(kmalloc&memset)"),)

SOURCE = b"""\
#include <linux/slab.h>

struct thing {
	int count;
};

static struct thing *find(int a)
{
	if (a)
		return last;
	return NULL;
}

/* Nobody calls it here. */
int unused(struct thing *t)
{
	return t->count;
}

static const int table[] = {
	1, 2, 3,
};

int make(void)
{
	struct thing *t = kmalloc(sizeof(*t), GFP_KERNEL);

	memset(t, 0, sizeof(*t));
	return find(1) == t;
}
"""


def test_keeps_what_can_match_and_all_headers():
    cut = slice_source(SOURCE, NEEDS)
    text = cut.text.decode()
    assert "struct thing {\n\tint count;\n};" in text
    assert "static struct thing *find(int a)\n{/*pg0\n\n\n*/\n}" in text
    assert "int unused(struct thing *t)\n{/*pg1\n*/\n}" in text
    assert "static const int table[] = {/*pg2\n*/\n};" in text
    assert "\tmemset(t, 0, sizeof(*t));" in text
    assert cut.matters


def test_lines_and_columns_are_unchanged():
    cut = slice_source(SOURCE, NEEDS)
    before, after = SOURCE.split(b"\n"), cut.text.split(b"\n")
    assert len(before) == len(after)
    remaining = [n for n, line in enumerate(after) if line and line == before[n]]
    assert before.index(b"\tmemset(t, 0, sizeof(*t));") in remaining
    assert restore(cut.text, cut.parts) == SOURCE


def test_a_file_in_which_nothing_can_match_does_not_matter():
    """The words are there, but not in one function."""
    source = SOURCE.replace(b"\tmemset(t, 0, sizeof(*t));\n", b"").replace(
        b"\treturn t->count;", b"\tmemset(t, 0, 4);"
    )
    assert not slice_source(source, NEEDS).matters


def test_a_part_of_a_longer_word_is_not_the_word():
    for longer in (b"my_kmalloc", b"kmallocs", b"kmalloc2"):
        source = SOURCE.replace(b"kmalloc", longer)
        assert not slice_source(source, NEEDS).matters
        assert slice_source(source.replace(longer, longer + b"(kmalloc)"), NEEDS).matters


def test_words_outside_of_functions_count_but_not_in_comments():
    outside = b"#define MAKE(x) memset(kmalloc(x, 0), 0, x)\n\nint f(void)\n{\n\treturn 0;\n}\n"
    assert slice_source(outside, NEEDS).matters
    comment = b"/*\n * kmalloc and memset are not used.\n */\nint f(void)\n{\n\treturn 0;\n}\n"
    assert not slice_source(comment, NEEDS).matters


def test_a_line_that_begins_with_a_star_is_code_where_no_comment_is_open():
    source = b"void f(char **p)\n{\n\t*p = kmalloc(8, 0);\n\tmemset(*p, 0, 8);\n}\n"
    assert slice_source(source, NEEDS).matters
    assert b"*p = kmalloc" in slice_source(source + SOURCE, NEEDS).text
    assert not slice_source(
        source.replace(b"{\n", b"{\n/*\n").replace(b"\n}", b" */\n}"), NEEDS
    ).matters


@pytest.mark.parametrize(
    "before",
    [b'char *glob = "drivers/*";\n', b"// drivers/*\n", b"/* a */ // drivers/*\n"],
)
def test_what_looks_like_a_comment_in_a_string_or_a_comment_opens_none(before):
    source = before + b"void f(char **p)\n{\n\t*p = kmalloc(8, 0);\n\tmemset(*p, 0, 8);\n}\n"
    assert slice_source(source, NEEDS).matters


def test_a_line_that_is_a_comment_has_no_words():
    for lines in (b"\t// kmalloc memset\n", b"\t/* memset\n\t * kmalloc */\n"):
        assert not slice_source(b"void f(void)\n{\n" + lines + b"}\n", NEEDS).matters


def test_a_use_of_a_macro_has_the_words_of_its_text():
    """spatch may put the text in the macro's place."""
    source = b"""\
#define CLEAR(x) \\
	memset(x, 0, 1)
#define WIPE(x) CLEAR(x)

int between(void)
{
	return 0;
}

int f(void)
{
	char *p = kmalloc(1, 2);

	WIPE(p);
}

int g(void)
{
	return kmalloc(1, 2);
}
"""
    text = slice_source(source, NEEDS).text
    assert b"WIPE(p);" in text and b"return kmalloc" not in text


def test_a_use_of_a_macro_has_each_word_of_its_text():
    source = b"""\
#define MAKE(p) do { \\
	p = kmalloc(1, 2); \\
	memset(p, 0, 1); \\
} while (0)

int between(void)
{
	return 0;
}

int f(char *p)
{
	MAKE(p);
}
"""
    assert b"MAKE(p);\n" in slice_source(source, NEEDS).text


def test_operators_are_found_like_words():
    source = (
        b"#define BOTH(a, b) ((a) && (b))\n"
        b"int f(int a, int b)\n{\n\treturn !a || BOTH(a, b);\n}\n"
        b"int g(int a, int b)\n{\n\treturn a && b;\n}\n"
        b"int h(int a, int b)\n{\n\treturn a&&b||a;\n}\n"
    )
    cut = slice_source(source, ((frozenset({"&&"}), frozenset({"||"})),)).text
    assert b"return !a || BOTH(a, b);" in cut and b"return a&&b||a;" in cut
    assert b"return a && b;" not in cut


def test_a_slash_of_a_comment_is_not_a_division():
    divides = (
        b"int f(int a, int *b)\n{\n\treturn sizeof(a)/sizeof(*b);\n}\n"
        b"int e(int a, int *b)\n{\n\treturn sizeof(a) /* by *// *b;\n}\n"
    )
    comments = (
        b"int g(int a)\n{\n\t/* one */\n\treturn sizeof(a); // two\n}\n"
        b"int h(int a)\n{\n\treturn sizeof(a);\n}\n"
    )
    needs = (parse_formula("(sizeof&/)"),)
    cut = slice_source(comments + divides, needs).text
    assert divides in cut and b"return sizeof(a);" not in cut
    assert not slice_source(comments, needs).matters


def test_code_that_affects_other_code_is_not_cut():
    remaining = {
        "a macro": b"\n#define N 1\n\tuse(N);",
        "a type": b"\n\tstruct here {\n\t\tint a;\n\t} x;\n\tuse(x);",
        "a typedef": b"\n\ttypedef int number;\n\tuse(1);",
        "what a macro is no longer": b"\n#undef N\n\tuse(1);",
        "a file": b'\n#include "a.h"\n\tuse(1);',
        "a macro in a condition": b"\n#ifdef A\n#define N 1\n#endif\n\tuse(N);",
        "a pragma": b"\n#pragma pack(1)\n\tuse(1);",
        "a declaration": b"\n\textern int other(int a);\n\tuse(1);",
        "the end of a condition": b"\n\tif (a)\n#endif\n\tuse(1);",
        "the beginning of a condition": b"\n\tuse(1);\n#ifdef A\n\tuse(2);",
        "an #else of a condition around": b"\n\tuse(1);\n#else\n\tuse(2);",
        "braces that do not match": b"\n\tuse('{');\n\tuse(1);",
    }
    for what, body in remaining.items():
        source = b"int f(int a)\n{" + body + b"\n}\n" + SOURCE
        assert body in slice_source(source, NEEDS).text, what
    conditional = b"int f(int a)\n{\n#ifdef A\n\tuse(1);\n#endif\n\tuse(2);\n}\n"
    assert b"use(" not in slice_source(conditional + SOURCE, NEEDS).text


def test_code_in_another_layout_than_the_kernel_s_is_not_cut():
    for odd in (b"int f(int a) {\n\tuse(1);\n}\n", b"struct f\n{\n\tint a;\n};\n"):
        assert odd in slice_source(odd + SOURCE, NEEDS).text


def test_code_after_the_brace_belongs_to_the_item():
    source = b"struct thing {\n\tint kmalloc;\n} memset;\n\nint other;\n"
    assert slice_source(source, NEEDS).matters


def test_a_brace_in_the_first_column_may_be_within_a_function():
    source = b"int f(void)\n{\nif (a) {\n\tkmalloc(a);\n}\n\nmemset(a);\n}\n"
    assert slice_source(source, NEEDS).text == source
    one_line = source.replace(b"f(void)\n{", b"f(void) {")
    assert slice_source(one_line, NEEDS).text == one_line
    # And in two functions the words are apart.
    apart = source.replace(b"}\n\nmemset", b"}\n}\n\nint g(void)\n{\nmemset")
    assert not slice_source(apart, NEEDS).matters


@pytest.mark.parametrize(
    "before",
    [
        b'int a(void)\n{\n\tputs("}");\n}\n',
        b'int a(void)\n{\n\tputs("{");\n}\n',
        b"int a(void)\n{\n#ifdef X\n\tfoo();\n}\n#else\n\tbar();\n}\n#endif\n",
    ],
)
def test_braces_that_do_not_count_hide_no_function(before):
    source = before + b"\nint f(void)\n{\nif (a) {\n\tkmalloc(a);\n}\n\nmemset(a);\n}\n"
    assert slice_source(source, NEEDS).matters


def test_a_continued_directive_stays_with_what_continues_it():
    directive = b"#if defined(A) || \\\n\tdefined(B) || \\\n\tdefined(C)\n"
    odd = directive + b"static void idle(void)\n{\n\tuse(1);\n}\n#endif\n"
    text = slice_source(odd + SOURCE, NEEDS).text
    assert directive + b"static void idle(void)\n{/*pg0\n*/" in text


@pytest.mark.parametrize(
    "before",
    [
        b"arch_initcall(get)\n\n",
        b"// of a; comment\n\n",
        b"#define LAST(x) \\\n\n",
        b"int a[] = {\n\t1,\n\t2,\n};\n",
        b"void f(void)\n{\n}\n",
    ],
)
def test_what_stands_before_a_plain_header_does_not_matter(before):
    source = before + b"static int\nget(struct a *one,\n    int two)\n{\n\tidle(1);\n}\n"
    assert b"idle" not in slice_source(source + SOURCE, NEEDS).text


def test_missing_parts_are_noticed():
    cut = slice_source(SOURCE, NEEDS)
    assert restore(cut.text.replace(b"/*pg0", b"/*pg1"), cut.parts) is None
    assert restore(re.sub(rb"/\*pg1\n*\*/", b"", cut.text), cut.parts) is None
    assert restore(cut.text + b"/*pg0*/", cut.parts) is None


IDLE = b"\n{\n\tidle(1);\n}\n"


@pytest.mark.parametrize(
    "item",
    [
        b"#define MAC(x) do { \\\n\tbeta(x); \\\n} while (0)\nstatic struct foo *get(int a)" + IDLE,
        b"static __printf(1, 2) struct foo *get(int a)" + IDLE,
        b"int get(int a) /* why */\n\t__releases(lock)" + IDLE,
        b"EXPORT_SYMBOL(x)\n\nint get(int a)" + IDLE,
        b"static struct bar t __initdata = {\n\t.p = idle,\n};\n",
    ],
)
def test_headers_of_any_form_are_not_cut(item):
    cut = slice_source(item + b"\n" + SOURCE, NEEDS)
    for line in item.split(b"\n"):
        assert line in cut.text or b"idle" in line
    assert restore(cut.text, cut.parts) == item + b"\n" + SOURCE


@pytest.mark.parametrize(
    "item",
    [
        b"/*\nint old(int a)" + IDLE + b"*/\n",
        b"typedef struct __attribute__((packed)) foo\n{\n\tint idle;\n} foo_t;\n",
        b"void f(void)\n{\nwhile (x)" + IDLE + b"}\n",
        b"void f(void)\n{\nlist_for_each(x)" + IDLE + b"}\n",
        b"int f(void)\n{\n\tidle(1);\n} static int g(int n)\n{ return 1; }\n",
        b"int f(void)\n{\n\tif (x) {\n\t\tidle(); /* } */\n}\n\n\tuse();\n}\n",
        b'void f(void)\n{\n\tputs("idle {\\\n}\n\\");\n}\n',
        b'void f(void)\n{\n\tputs("idle \\\n}\n\\");\n}\n',
        b"int f(void)\n{\n\tidle(); /*\n}\n*/\n\tuse();\n}\n",
        b"void f(void) {\nuse(1);\nelse if (x)" + IDLE + b"use(2);\n}\n",
        b"void f(void) {\nuse(1);\nlist_for_each(x)" + IDLE + b"use(2);\n}\n",
        b"void f(void) {\nlist_for_each(x)" + IDLE + b"use(2);\n}\n",
        b"struct foo\n{\n\tint idle;\n}\n__packed;\n",
        b"static int *t = (int[])\n{\n\tidle,\n}\n;\n",
    ],
)
def test_only_functions_are_cut(item):
    assert b"idle" in slice_source(item + b"\n" + SOURCE, NEEDS).text


@pytest.mark.parametrize(
    "doubtful",
    [
        *(b"((u64)(long)p)", b"(u64)-1", b"sizeof(u64)", b"min_t(u64, a, b)", b"g(a, u64)"),
        *(
            b"(__force u64)(p)",
            b"(u64 (*)(int))p",
            b"(u64)/* c */(p)",
            b"0); if (a) {}\n\tu64 *x; (0",
        ),
    ],
)
@pytest.mark.parametrize(
    "declaration",
    [
        *(b"u64 x;", b"const u64 *x, y;", b"x = sizeof(u64 *);", b"u64 (*go)(int);"),
        *(b"int a; u64 * b;", b"x = (u64)y;", b"for (u64 i = 0;;) {}", b"u64 (c) = 1;"),
    ],
)
def test_a_body_that_shows_a_word_to_be_a_type_is_not_cut(doubtful, declaration):
    idle = b"int idle(void)\n{\n\tuse(u64);\n}\n\n"
    declarer = b"int first(void)\n{\n\t" + declaration + b"\n}\n\n"
    user = b"int f(void)\n{\n\tmemset(kmalloc(1, " + doubtful + b"));\n}\n"
    text = slice_source(idle + declarer + idle + user, NEEDS).text
    assert declarer in text and b"use(u64)" not in text
    # It is known already.
    assert declarer not in slice_source(b"extern u64 known;\n\n" + declarer + user, NEEDS).text
    # And not in doubt.
    sure = user.replace(doubtful, b"2")
    assert declarer not in slice_source(idle + declarer + idle + sure, NEEDS).text


@pytest.mark.parametrize(
    "before",
    [b'char *path = "/sys/*";', b"int c = '\"';", b'f("\\"");', b'f("http://x");', b"// a /* b\n"],
)
def test_comment_marks_and_quotes_hide_no_type(before):
    declarer = b"int first(void)\n{\n\t" + before + b" u64 x;\n}\n\n"
    user = b"int f(void)\n{\n\tmemset(kmalloc(1, g(u64, 1)));\n}\n"
    assert declarer in slice_source(b"int a;\n\n" + declarer + user, NEEDS).text
    remaining = b"void g(void)\n{\n\tkmalloc(memset);" + before + b"\n}\n\n"
    assert declarer in slice_source(remaining + declarer + user, NEEDS).text


def test_a_comment_does_not_declare_a_type():
    comment = b"/* /sys/x:\nextern u64 known;\n */\n\n"
    declarer = b"int first(void)\n{\n\tu64 x;\n}\n\n"
    user = b"int f(void)\n{\n\tmemset(kmalloc(1, g(u64, 1)));\n}\n"
    assert declarer in slice_source(comment + declarer + user, NEEDS).text


@pytest.mark.parametrize(
    "statement",
    [
        *(b"x = b + u64 * c;", b"goto u64;", b"use(u64);", b"struct u64 x;", b"u64 = c;"),
        *(b"/* (u64 *), u64 x; */", b'puts("; u64 x;");', b"f(); // ; u64 x;"),
        *(b"if (u64) x();", b"use(u64) + 1;", b"use(1, u64 * c);"),
    ],
)
def test_code_without_a_declaration_shows_no_type(statement):
    idle = b"int first(void)\n{\n\t" + statement + b"\n}\n\n"
    user = b"int f(void)\n{\n\tmemset(kmalloc(1, g(u64, 1)));\n}\n"
    assert statement not in slice_source(idle + user, NEEDS).text


@pytest.mark.parametrize(
    "declaration", [b"__be32 x;", b"f((__be32 __user *)x);", b"__be32 __user *x;"]
)
def test_a_type_may_look_like_an_attribute(declaration):
    idle = b"int first(void)\n{\n\t" + declaration + b"\n}\n\n"
    user = b"int f(void)\n{\n\tmemset(kmalloc(1, (__force __be32)(q)));\n}\n"
    assert declaration in slice_source(idle + user, NEEDS).text


def test_types_matter_after_the_last_body_too():
    declarer = b"int first(void)\n{\n\tu64 x;\n}\n\n"
    tail = b"int last(int q) {\n\tmemset(kmalloc(1, (u64)(q)));\n}\n"
    text = slice_source(declarer + SOURCE + tail, NEEDS).text
    assert declarer in text


def test_words_that_spatch_looks_for_remain_in_a_comment():
    source = b"int idle(struct foo *p)\n{\n\tuse(bar);\n}\n\n" + SOURCE
    cut = slice_source(source, NEEDS, {"foo", "bar", "kmalloc", "a.h", "none"})
    assert cut.text.startswith(b"int idle(struct foo *p)\n{/*pg0 bar\n*/\n}")
    assert restore(cut.text, cut.parts) == source


FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from([b"kmalloc", b"memset", b"f(a)", b"M(1)", b"int f(int a)", b"static "]),
        st.sampled_from([b"\n{\n", b"\n}\n", b"\n};\n", b"= {\n", b"{", b"}", b";", b"\n", b" "]),
        st.sampled_from([b"/*", b"*/", b"/*pg0*/", b'"{"', b"'}'", b"\\", b"\r\n", b"//"]),
        st.sampled_from([b"#if A\n", b"\n#endif\n", b"\n#define M(x) kmalloc \\\n memset\n"]),
    ),
    max_size=60,
).map(b"".join)


@given(FRAGMENTS)
def test_any_text_is_restored(source):
    cut = slice_source(source, (*NEEDS, parse_formula("f")))
    if cut.matters:
        assert cut.text.count(b"\n") == source.count(b"\n")
        if b"/*pg" not in source:
            assert restore(cut.text, cut.parts) == source
        else:
            assert restore(cut.text, cut.parts) in (source, None)
