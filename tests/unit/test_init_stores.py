# SPDX-License-Identifier: GPL-2.0-or-later
"""Stores of a function's address in C source, as tokens show them."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies

from patchgen.kernel import read_c_file

HEAD = """
static void __init cb(void) { }
static void __init_or_module other(void) { }
static void other2(void) { }
"""


def stores(*lines: str, head: str = HEAD) -> list[tuple[str, str, str]]:
    """Return root, place and value of the stores in a function with these lines."""
    body = "\n".join(lines)
    source = f"{head}\nvoid __init setup(int a, struct ops *given)\n{{\n{body}\n}}\n"
    return [(store.root, store.place, store.value) for store in read_c_file(source.encode()).stores]


PV = ("pv_ops", "pv_ops.mmu.x", "cb")
FOUND = {
    "an assignment": ("pv_ops.mmu.x = cb;", [PV]),
    "an address of": ("pv_ops.mmu.x = &cb;", [PV]),
    "a cast": ("pv_ops.mmu.x = (void *)cb;", [PV]),
    "parentheses": ("pv_ops.mmu.x = (cb);", [PV]),
    "after a condition": ("if (a) pv_ops.mmu.x = cb;", [PV]),
    "after an else": ("if (a) f(); else pv_ops.mmu.x = cb;", [PV]),
    "in a loop": ("for (a = 0; a < 3; a++) pv_ops.mmu.x = cb;", [PV]),
    "after a label": ("switch (a) { case 1: pv_ops.mmu.x = cb; }", [PV]),
    "one of two": (
        "pv_ops.mmu.x = a ? cb : other2;",
        [PV, ("pv_ops", "pv_ops.mmu.x", "other2")],
    ),
    "a chain": ("y.a = pv_ops.mmu.x = cb;", [("y", "y.a", "cb"), PV]),
    "a comma": ("y = 1, pv_ops.mmu.x = cb;", [PV]),
    "WRITE_ONCE": ("WRITE_ONCE(pv_ops.mmu.x, cb);", [PV]),
    "a release": ("smp_store_release(&pv_ops.mmu.x, cb);", [PV]),
    "RCU": ("rcu_assign_pointer(pv_ops.mmu.x, cb);", [PV]),
    "cmpxchg": ("cmpxchg(&pv_ops.mmu.x, NULL, cb);", [PV]),
    "a static call": ("static_call_update(key, cb);", [("key", "key", "cb")]),
    "a table": ("table[a].f = cb;", [("table", "table[a].f", "cb")]),
    "a pointer variable": ("hook = cb;", [("hook", "hook", "cb")]),
    "a local pointer": (
        "struct ops *p = &pv_ops.mmu, *q;\np->x = cb;",
        [("pv_ops", "p->x", "cb")],
    ),
    "a local pointer, later": (
        "struct ops *p;\np = &pv_ops.mmu;\np->x = cb;",
        [("pv_ops", "p->x", "cb")],
    ),
    "a macro of paravirt": ("pv_ops.mmu.x = __PV_IS_CALLEE_SAVE(cb);", [PV]),
    "by way of a variable": ("initcall_t f = cb;\npv_ops.mmu.x = f;", [PV]),
}
NOT_FOUND = {
    "a local object": "struct ops o;\no.x = cb;",
    "a local variable": "void (*f)(void);\ninitcall_t g = cb;",
    "an initialiser": "struct ops o = { .x = cb };",
    "what the caller gives": "given->x = cb;",
    "a call": "cb();",
    "an argument": "call(cb);",
    "the result of a call": "pv_ops.mmu.x = wrap(cb);",
    "a comparison": "y = pv_ops.mmu.x == cb;",
    "a condition": "if (pv_ops.mmu.x == cb) f();",
    "a member": "pv_ops.mmu.x = o.cb;",
    "a comment": "/* pv_ops.mmu.x = cb; */",
    "a string": 'f("pv_ops.mmu.x = cb;");',
    "a type": "heap = (cb) &end;",
}


@pytest.mark.parametrize(("code", "expected"), FOUND.values(), ids=FOUND)
def test_finds(code, expected):
    matching = [store for store in stores(*code.split("\n")) if store[2] in ("cb", "other2")]
    assert matching == expected


@pytest.mark.parametrize("code", NOT_FOUND.values(), ids=NOT_FOUND)
def test_passes_over(code):
    assert [store for store in stores(*code.split("\n")) if store[2] == "cb"] == []


INITIAL = {
    "a member": ("struct a pv_ops = {\n\t.mmu.x = cb,\n};", [("pv_ops", "pv_ops.mmu.x", "cb")]),
    "with an attribute": (
        "static const struct a x_ops __ro_after_init = { .f = cb, .g = NULL };",
        [("x_ops", "x_ops.f", "cb")],
    ),
    "nested": ("struct a x = { .b = { .f = &cb } };", [("x", "x.f", "cb")]),
    "a macro": ("struct a x = { .f = PV_CALLEE_SAVE(cb) };", [("x", "x.f", "cb")]),
    "a list": ("initcall_t list[MOST] = { cb, NULL };", [("list", "list", "cb")]),
    "an index": ("initcall_t list[] = { [FIRST] = cb };", [("list", "list[FIRST]", "cb")]),
    "a pointer": ("void (*hook)(void) = cb;", [("hook", "hook", "cb")]),
    "a type": ("struct a { int b; } x = { cb };", [("x", "x", "cb")]),
}


@pytest.mark.parametrize(("code", "expected"), INITIAL.values(), ids=INITIAL)
def test_finds_initial_values(code, expected):
    """modpost lets pv_ops and whatever ends in _ops refer to __init functions."""
    file_stores = read_c_file((HEAD + code).encode()).stores
    assert [
        (store.root, store.place, store.value) for store in file_stores if store.value == "cb"
    ] == expected
    assert all(store.function == "" for store in file_stores)


def test_knows_what_the_file_marks():
    file = read_c_file(
        b"struct x86_init_ops x86_init __initdata = { .f = g };\n"
        b"void (*__initdata late)(void);\n"
        b"struct ops ops __ro_after_init = { .f = g };\n"
        b"extern struct ops elsewhere;\n"
        b"static int a, *b;\n"
        b"void prototype(void);\n"
        b"extern void __init marked(void);\n"
        b"static int __init\nbelow(void) __acquires(lock)\n{\n}\n"
        b"__init void before(void) { }\n"
        b"static void plain(struct a *b) { }\n"
    )
    assert {name: file.functions.get(name) for name in ("marked", "below", "before", "plain")} == {
        "marked": True,
        "below": True,
        "before": True,
        "plain": False,
    }
    assert (file.variables["x86_init"], file.variables["late"]) == (True, True)
    assert file.variables["ops"] is False and file.variables["a"] is file.variables["b"] is False
    # The mark is the object's, not its type's.
    assert "x86_init_ops" not in file.variables
    # What is only declared here is marked where it is defined, if at all.
    assert "elsewhere" not in file.variables and "prototype" not in file.functions


def test_names_the_function_and_the_line():
    [store] = read_c_file(b"void f(void)\n{\n\n\tx.y = g;\n}\n").stores
    assert (store.function, store.line) == ("f", 4)


@given(strategies.text(alphabet="abx =;,(){}[]*&.?:if>-\n#\"'", max_size=120))
def test_reads_any_text(text):
    read_c_file(text.encode())
