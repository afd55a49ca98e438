# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a series from a treewide change, split into patches by the people they concern."""

from patchgen.campaign.groups import Group, merge_groups, split_edits
from patchgen.campaign.make import Campaign, Origin, make_campaign

__all__ = [
    "Campaign",
    "Group",
    "Origin",
    "make_campaign",
    "merge_groups",
    "split_edits",
]
