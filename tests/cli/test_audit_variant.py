# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen audit --variant`: the questions of a variant's audit.toml, on a small kernel."""

from __future__ import annotations

import json
import re

import pytest
from pydantic import BaseModel

from patchgen.audit import questions
from patchgen.audit.questions import load_questions
from patchgen.audit.tables import load_tables
from patchgen.errors import SpecError
from patchgen.sourcefolder import SourceFolder
from tests.support import TOP
from tests.support.kernels import commit_all
from tests.support.small_kernel import FILES, write_files

HEADER = """\
struct cache_ops {
	void (*flush)(int how);
};
extern struct cache_ops cache_ops;
static inline void wbinvd(void)
{
	asm volatile("wbinvd" : : : "memory");
}
"""
CODE = """\
static void hw_flush(int how)
{
	wbinvd();
}
void start_flusher(void)
{
	wbinvd();
}
void console_init(void)
{
	wbinvd();
	kvm_hypercall1(KVM_HC_X, 0);
	start_flusher();
}
void after_alternatives(void)
{
	cache_ops.flush = hw_flush;
	cache_ops.flush(1);
	cache_flush_all(3);
	run_flusher(start_flusher);
}
void rest_init(void)
{
}
"""
MANIFEST = """\
schema = 1

[variant]
name = "flush"
title = "x86: Flush caches through an op"
cover = "cover.txt.j2"
"""
QUESTIONS = """\
schema = 1
site = "a cache flush"
only = true

[window]
end = "rest_init"
never = "start_flusher"

[op]
variable = "cache_ops"
member = "flush"

[[form]]
name = "wbinvd"
instructions = ["wbinvd", "wbnoinvd"]
effects = { TDX = "fatal", SEV = "works", SEV-ES/SNP = "works", VT-x = "works", SVM = "works" }
reason = "WBINVD raises #VE in a TDX guest"

[[form]]
name = "flush-call"
calls = "cache_flush_*"
""".replace("SEV-ES/SNP =", '"SEV-ES/SNP" =')
TEXT = """\
3 early sites; 3 calls unresolved, 1 of them in arch/x86. An early site is a cache flush that can
run before rest_init(); 2 are fatal on one platform or more. Unresolved calls may lead to more.
6.1.0 (HEAD), all branches (no --config); 1 late site (--late)
window: x86_64_start_kernel() to init/main.c:20
op: cache_ops.flush(), installed: hw_flush

Early sites, fatal on one platform or more: 2 (2 wbinvd)
  site                       function     form   fatal on op  by way of
  arch/x86/kernel/cache.c:11 console_init wbinvd TDX      no  start_kernel
  arch/x86/kernel/cache.c:3  hw_flush     wbinvd TDX      yes (2) > after_alternatives

Early sites, unknown on one platform or more: 1 (1 flush-call)
  site                       function           form       fatal on op by way of
  arch/x86/kernel/cache.c:19 after_alternatives flush-call -        no 2 steps

"""


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "98")
    tree = tmp_path / "kernel"
    write_files(
        tree, {**FILES, "arch/x86/kernel/cache.c": CODE, "arch/x86/include/asm/cache.h": HEADER}
    )
    commit_all(tree, "kernel")
    return tree


@pytest.fixture
def variant(tmp_path):
    folder = tmp_path / "flush"
    write_files(folder, {"manifest.toml": MANIFEST, "audit.toml": QUESTIONS, "cover.txt.j2": "x\n"})
    return folder


def test_it_lists_the_calls_that_a_variant_asks_about(kernel, variant, patchgen):
    result = patchgen("audit", "--tree", kernel, "--variant", variant)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(TEXT)
    late = patchgen("audit", "--tree", kernel, "--variant", variant, "--late").out
    assert "It is listed under `never` in tables.toml or audit.toml: 1" in late
    # Without the variant, the same kernel has one hypercall.
    assert patchgen("audit", "--tree", kernel).out.startswith("1 early site; ")


def test_a_variant_adds_its_calls_to_the_hypercalls(kernel, variant, patchgen):
    write_files(variant, {"audit.toml": QUESTIONS.replace("only = true\n", "")})
    result = patchgen("audit", "--tree", kernel, "--variant", variant, "--json")
    document = json.loads(result.out)
    forms = sorted(site["instruction"]["name"] for site in document["hypercalls"])
    assert forms == ["", "flush-call", "wbinvd", "wbinvd", "wbinvd"]
    effects = {p: e["reason"] for p, e in document["hypercalls"][0]["effects"].items()}
    assert effects["TDX"] == "WBINVD raises #VE in a TDX guest"
    assert effects["SEV"] == "as audit.toml says"
    assert document["notify"]["member"] == document["op"] == "cache_ops.flush"
    assert patchgen("audit", "--tree", kernel, "--variant", variant, "--strict").code == 1


def test_a_changed_question_is_not_answered_from_the_cache(kernel, variant, patchgen):
    args = ("audit", "--tree", kernel, "--variant", variant)
    assert patchgen(*args).out.startswith("3 early sites")
    write_files(variant, {"audit.toml": QUESTIONS.replace("cache_flush_*", "other")})
    assert patchgen(*args).out.startswith("2 early sites")


MORE_CHANGES = """\
schema = 1

[notifiers]
requests = "share_*"
callbacks = "tell_*"
constants = { HC_TELL = ["SEV"] }
"""
SHARING = """\
struct guest { void (*tell_host)(unsigned long page); };
static struct guest guest;
static void hc_tell(unsigned long page)
{
	hypercall(HC_TELL, page);
}
void share_page(unsigned long page)
{
	guest.tell_host(page);
}
void console_init(void)
{
	guest.tell_host = hc_tell;
	share_page(ADDRESS);
}
"""


def test_a_variant_adds_requests_and_their_notifications(kernel, variant, patchgen, git):
    write_files(kernel, {"arch/x86/kernel/cache.c": SHARING})
    write_files(variant, {"audit.toml": MORE_CHANGES})
    git(kernel, "commit", "-q", "-a", "-m", "share")
    assert json.loads(patchgen("audit", "--tree", kernel, "--json").out)["changes"] == []
    result = patchgen("audit", "--tree", kernel, "--variant", variant, "--json")
    (change,) = json.loads(result.out)["changes"]
    assert (change["call"], change["pages"]) == ("share_page", "ADDRESS")
    assert [(n["via"], n["functions"], n["platforms"]) for n in change["tellers"]] == [
        ("guest.tell_host", ["hc_tell"], ["SEV"])
    ]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("schema = 1\n\n[window]\nends = 'x'\n", "audit.toml:4: window.ends", "unknown key 'ends'"),
        ("[window]\n", "audit.toml: schema", "is missing"),
        ("schema = 2\n", "audit.toml:1: schema", "Input should be 1"),
        (
            "schema = 1\n\n[[form]]\nname = 'x'\n",
            "audit.toml:3: form[1]",
            "needs instructions or calls",
        ),
        (
            "schema = 1\n[[form]]\nname = 'vmcall'\ncalls = 'f'\n",
            "audit.toml:2: form[1]",
            "'vmcall' is a form of patchgen's own; choose another name",
        ),
        (
            "schema = 1\n[[form]]\nname = 'x'\ncalls = ['f', '(a+)+']\n",
            "audit.toml:4: form[1].calls[2]",
            "match",
        ),
        (
            "schema = 1\n[[form]]\nname = 'x'\ncalls = 'f'\n[form.effects]\nSEV = 'dies'\n",
            "audit.toml:6: form[1].effects.SEV",
            "'works', 'emulated', 'fatal'",
        ),
        ("schema = 1\nonly = \nsite = 'x'\n", "audit.toml:2:8", "Invalid value"),
    ],
)
def test_an_error_has_file_line_and_field(variant, text, place, message):
    write_files(variant, {"audit.toml": text})
    with pytest.raises(SpecError) as refused:
        load_questions(SourceFolder(variant), load_tables())
    assert str(refused.value).startswith(f"{variant}/{place}: ")
    assert message in str(refused.value)


def test_an_error_ends_the_command_before_the_tree_is_read(variant, patchgen, tmp_path):
    (variant / "audit.toml").unlink()
    result = patchgen("audit", "--tree", tmp_path, "--variant", variant)
    assert (result.code, result.out) == (1, "")
    assert f"{variant}/audit.toml: the file does not exist" in result.err


def test_each_key_is_in_the_documentation_and_the_example_is_valid(variant):
    page = (TOP / "docs/verify-and-audit.md").read_text(encoding="utf-8")
    section = page[page.index("### Audit other calls") :]
    classes = [value for value in vars(questions).values() if isinstance(value, type)]
    tables = [value for value in classes if issubclass(value, BaseModel)]
    assert len(tables) > 5
    keys = {field.alias or name for table in tables for name, field in table.model_fields.items()}
    assert {key for key in keys if f"| `{key}` |" not in section} == set()
    (example,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    write_files(variant, {"audit.toml": example})
    assert load_questions(SourceFolder(variant), load_tables()).end == ("jump_label_init",)
