# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a series from a treewide change, split into patches by the people they concern."""

from patchgen.campaign.groups import PatchGroup, merge_groups, split_edits
from patchgen.campaign.make_series import Campaign, make_campaign

__all__ = [
    "Campaign",
    "PatchGroup",
    "make_campaign",
    "merge_groups",
    "split_edits",
]
