"""A treewide change as a series: split into patches that each go to those whom they concern."""

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
