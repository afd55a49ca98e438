# SPDX-License-Identifier: GPL-2.0-or-later
from .diff import (
    compare_audits as compare_audits,
    describe_notifiers as describe_notifiers,
    explain_routing as explain_routing,
)
from .difference_groups import (
    CHANGE_TITLES as CHANGE_TITLES,
    group_differences as group_differences,
)
from .document import (
    count_sites as count_sites,
    describe_audit as describe_audit,
    describe_diff as describe_diff,
)
from .object_hypercalls import (
    HypercallSite as HypercallSite,
    read_machine_code as read_machine_code,
)
from .page import (
    render_diff_page as render_diff_page,
    render_page as render_page,
)
from .pathtree import describe_call as describe_call
from .summary import (
    render_summary as render_summary,
    summarise_series as summarise_series,
)
from .tables import load_tables as load_tables
