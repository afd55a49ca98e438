# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the hypercalls that can run before alternatives are patched, by a call graph of the guest.

`audit_tree` makes an audit, `compare_audits` compares two.
"""

from patchgen.audit.diff import compare_audits, describe_notifiers, explain_stay
from patchgen.audit.document import count_sites, describe_audit, describe_diff
from patchgen.audit.page import render_diff_page, render_page
from patchgen.audit.summary import render_summary, summarise_series

__all__ = [
    "compare_audits",
    "count_sites",
    "describe_audit",
    "describe_diff",
    "describe_notifiers",
    "explain_stay",
    "render_diff_page",
    "render_page",
    "render_summary",
    "summarise_series",
]
