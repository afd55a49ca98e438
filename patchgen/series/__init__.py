# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn edits into commits: their messages, the cover letter, and the branch."""

from patchgen.series.branch import (
    Matched,
    SeriesBranch,
    find_cover_commit,
    find_tracking,
    match_commits,
    read_branch,
)
from patchgen.series.build import (
    SeriesDraft,
    draft_series,
    put_cover_below,
    write_patches,
)
from patchgen.series.change_id import digest_content, make_change_id, make_message_id
from patchgen.series.messages import render_subject, sign_off
from patchgen.series.record import (
    HandWork,
    Record,
    RecordedPatch,
    RecordedTesting,
    describe_asked,
    digest_cover,
    digest_message,
    read_record,
)
from patchgen.series.testing import (
    choose_cover,
    digest_tested,
    keep_testing,
    put_testing,
    take_out_testing,
)
from patchgen.series.tracking import Tracking, parse_cover_commit

__all__ = [
    "HandWork",
    "Matched",
    "Record",
    "RecordedPatch",
    "RecordedTesting",
    "SeriesBranch",
    "SeriesDraft",
    "Tracking",
    "choose_cover",
    "describe_asked",
    "digest_content",
    "digest_cover",
    "digest_message",
    "digest_tested",
    "draft_series",
    "find_cover_commit",
    "find_tracking",
    "keep_testing",
    "make_change_id",
    "make_message_id",
    "match_commits",
    "parse_cover_commit",
    "put_cover_below",
    "put_testing",
    "read_branch",
    "read_record",
    "render_subject",
    "sign_off",
    "take_out_testing",
    "write_patches",
]
