"""From edits to commits: messages, the cover letter, and the commits themselves."""

from patchgen.series.asked import describe_asked
from patchgen.series.branch import SeriesBranch, find_cover_commit, find_tracking, read_branch
from patchgen.series.build import (
    SeriesDraft,
    draft_series,
    put_cover_below,
    write_patches,
)
from patchgen.series.change_id import digest_content, make_change_id, make_message_id
from patchgen.series.match import Matched, match_commits
from patchgen.series.messages import render_subject, sign_off
from patchgen.series.record import (
    HandWork,
    Record,
    RecordedPatch,
    digest_cover,
    digest_message,
    read_record,
)
from patchgen.series.tracking import Tracking, parse_cover_commit

__all__ = [
    "HandWork",
    "Matched",
    "Record",
    "RecordedPatch",
    "SeriesBranch",
    "SeriesDraft",
    "Tracking",
    "describe_asked",
    "digest_content",
    "digest_cover",
    "digest_message",
    "draft_series",
    "find_cover_commit",
    "find_tracking",
    "make_change_id",
    "make_message_id",
    "match_commits",
    "parse_cover_commit",
    "put_cover_below",
    "read_branch",
    "read_record",
    "render_subject",
    "sign_off",
    "write_patches",
]
