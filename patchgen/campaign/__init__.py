# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a series from a treewide change, split into patches that one maintainer applies."""

from patchgen.campaign.divide import divide_change
from patchgen.campaign.groups import PatchGroup, split_edits
from patchgen.campaign.make_series import Campaign, make_campaign
from patchgen.campaign.merging import merge_groups
from patchgen.campaign.recorded_run import (
    look_up_recorded,
    read_recorded_notes,
    restore_campaign,
    restore_run,
)
from patchgen.campaign.split_change import SplitChange
from patchgen.campaign.texts import CampaignTexts, Text, parse_text

__all__ = [
    "Campaign",
    "CampaignTexts",
    "PatchGroup",
    "SplitChange",
    "Text",
    "divide_change",
    "look_up_recorded",
    "make_campaign",
    "merge_groups",
    "parse_text",
    "read_recorded_notes",
    "restore_campaign",
    "restore_run",
    "split_edits",
]
