"""A treewide change as a series: split into patches that each go to those whom they concern."""

from patchgen.campaign.groups import Group, Split, merge_groups, split_edits
from patchgen.campaign.make import Campaign, CampaignRequest, Origin, make_campaign

__all__ = [
    "Campaign",
    "CampaignRequest",
    "Group",
    "Origin",
    "Split",
    "make_campaign",
    "merge_groups",
    "split_edits",
]
