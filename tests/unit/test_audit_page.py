# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of an audit, as text: one file without markup from the tree, the same each time."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from patchgen.audit import compare_audits, render_diff_page, render_page
from patchgen.audit.pathtree import Mark, build_tree
from patchgen.audit.result import (
    Audit,
    Notifier,
    Platform,
    Route,
    StatusChange,
    Step,
    TreeLocation,
)
from tests.support import TOP
from tests.support.hostile_audit import MARKUP, hostile_audit
from tests.support.html import read_html
from tests.support.small_kernel import audit_files


@pytest.fixture(scope="module")
def audit() -> Audit:
    return hostile_audit()


def test_names_from_the_tree_are_never_markup(audit):
    page = render_page(audit)
    reader = read_html(page)
    assert MARKUP not in page and "&lt;img src=x" in page
    assert reader.tags.count("script") == 1 and "img" not in reader.tags
    assert reader.handlers == []
    # And if one were, its script would not be run.
    assert re.search(r"default-src (?:'|&#39;)none(?:'|&#39;); script-src (?:'|&#39;)sha256-", page)


def test_the_page_refers_to_no_other_file(audit):
    reader = read_html(render_page(audit))
    assert reader.references
    assert all(reference.startswith("#") for reference in reader.references)
    assert not {"link", "iframe", "object", "embed"} & set(reader.tags)
    for name in ("audit/templates/page.css", "templating/pages/frame.css"):
        assert "url(" not in (TOP / "patchgen" / name).read_text()


def test_the_same_audit_gives_the_same_page(audit):
    assert render_page(audit) == render_page(hostile_audit())


def test_the_headline_reports_what_is_not_routed(audit):
    page = render_page(audit)
    assert "2 early hypercalls bypass the op, 1 to report page status" in page
    assert "No early hypercall bypasses the op" in render_page(audit_files({}))


def test_a_change_that_a_callback_reports_does_not_read_as_a_fault(audit):
    place = TreeLocation("arch/x86/mm/set.c", 7)
    notifier = Notifier("callback", "guest.finish", place, ("sev_finish",), (Platform.SEV,))
    change = StatusChange(
        function="share",
        place=place,
        call="set_memory_decrypted",
        pages="page",
        to="shared",
        early=Route((Step("share", place),), 1),
        notifiers=(notifier,),
    )
    page = render_page(replace(audit, changes=(change,)))
    table = page[page.index('<section id="changes"') : page.index('<section id="graph"')]
    assert "by a callback, <code>guest.finish</code>" in table
    assert ">no<" not in table and "Routed" not in table
    silent = render_page(replace(audit, changes=(replace(change, notifiers=()),)))
    assert '<p class="fatal">no</p>' in silent


def test_numbers_do_not_touch(audit):
    page = render_page(replace(audit, coverage=replace(audit.coverage, functions=76701)))
    assert "Not routed through the op: 2</h3>" in page
    assert "76\u202f701 functions" in page
    other = audit_files(
        {"arch/x86/kernel/vmware.c": "void console_init(void) { kvm_hypercall1(X, 0); }"}
    )
    xen = tuple(
        replace(site, instruction=replace(site.instruction, hypervisor="xen"))
        for site in other.hypercalls
    )
    text = " ".join(render_page(replace(other, hypercalls=xen)).split())
    assert 'Of other hypervisors: 1</h3> <span class="dim">(1 xen by alternative)</span>' in text


def test_the_certainty_is_next_to_the_answer(audit):
    page = render_page(audit)
    assert "<dt>Certainty</dt><dd>2 calls unresolved, 0 of them in arch/x86" in page
    # The list begins with those of arch/x86.
    calls = tuple(
        replace(audit.unresolved[0], place=TreeLocation(path, 1))
        for path in ("arch/arm/a.c", "arch/x86/b.c")
    )
    page = render_page(replace(audit, unresolved=calls))
    assert "2 calls unresolved, 1 of them in arch/x86" in page
    assert page.index("arch/x86/b.c:1") < page.index("arch/arm/a.c:1")


def test_the_tree_has_each_path_once_in_the_order_of_calls(audit):
    rows = build_tree(audit)
    assert [row.name for row in rows].count("start_kernel") == 1
    assert [row.number for row in rows] == list(range(len(rows)))
    for row in rows:
        assert row.parent is None or rows[row.parent].depth == row.depth - 1
        below = rows[row.number + 1 : row.last + 1]
        assert all(child.depth > row.depth for child in below)
        assert row.sites == sum(child.site is not None for child in (row, *below))
    sites = [row for row in rows if row.site is not None]
    assert [row.marks for row in sites] == [(Mark.UNROUTED,)] * 2
    names = [rows[row.parent].name for row in sites if row.parent is not None]
    assert names == ["platform", "deep"]


def test_a_comparison_shows_what_changed_at_each_site(audit):
    before = audit_files({})
    page = render_diff_page(compare_audits(before, audit))
    assert "What changed at each site" in page and ">New" in page
    removed = render_diff_page(compare_audits(audit, before))
    assert ">Gone" in removed


def test_bytes_that_are_not_text_are_escaped():
    odd = audit_files({"arch/x86/kernel/\udcff\u202e.c": "void f(void) { kvm_hypercall1(X, 0); }"})
    page = render_page(odd)
    page.encode("utf-8")
    assert "\u202e" not in page and "\\xff\\u202e" in page
