# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of an audit, as text: it is one file, always the same, and nothing in it can act."""

from __future__ import annotations

import re

import pytest

from patchgen.audit import compare_audits, render_diff_page, render_page
from patchgen.audit.pathtree import Mark, build_tree
from patchgen.audit.result import Audit
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


def test_it_needs_nothing_but_itself(audit):
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


def test_a_comparison_shows_the_fate_of_each_site(audit):
    before = audit_files({})
    page = render_diff_page(compare_audits(before, audit))
    assert "The fate of each site" in page and ">New" in page
    removed = render_diff_page(compare_audits(audit, before))
    assert ">Gone" in removed


def test_bytes_that_are_no_text_are_spelt():
    odd = audit_files({"arch/x86/kernel/\udcff\u202e.c": "void f(void) { kvm_hypercall1(X, 0); }"})
    page = render_page(odd)
    page.encode("utf-8")
    assert "\u202e" not in page and "\\udcff\\u202e" in page
