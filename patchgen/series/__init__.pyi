# SPDX-License-Identifier: GPL-2.0-or-later
from .branch import (
    MatchedCommit as MatchedCommit,
    SeriesBranch as SeriesBranch,
    compare_versions as compare_versions,
    find_cover_commit as find_cover_commit,
    find_tracking as find_tracking,
    match_commits as match_commits,
    read_branch as read_branch,
)
from .build import (
    SeriesDraft as SeriesDraft,
    draft_series as draft_series,
    put_cover_below as put_cover_below,
    write_patches as write_patches,
)
from .change_id import (
    digest_content as digest_content,
    make_change_id as make_change_id,
    make_message_id as make_message_id,
    strip_version as strip_version,
)
from .default_branch import (
    BASES as BASES,
    find_current_series as find_current_series,
    resolve_series as resolve_series,
)
from .messages import (
    PLACEHOLDER as PLACEHOLDER,
    render_subject as render_subject,
    sign_off as sign_off,
)
from .named_series import NamedSeries as NamedSeries, list_series as list_series
from .patch_names import list_names as list_names, number_names as number_names
from .record import (
    HandWork as HandWork,
    Record as Record,
    RecordedPatch as RecordedPatch,
    RecordedRun as RecordedRun,
    RecordedTesting as RecordedTesting,
    describe_empty_variables as describe_empty_variables,
    digest_cover as digest_cover,
    digest_message as digest_message,
    format_reroll as format_reroll,
    read_record as read_record,
    record_options as record_options,
)
from .testable import (
    FILES_OF_CHECKS as FILES_OF_CHECKS,
    advise_recording as advise_recording,
    advise_testing as advise_testing,
    find_absent_files as find_absent_files,
    skip_impossible as skip_impossible,
)
from .tested_line import (
    CHECKPATCH_IS_CLEAN as CHECKPATCH_IS_CLEAN,
    choose_cover as choose_cover,
    digest_tested as digest_tested,
    is_generated_cover as is_generated_cover,
    keep_testing as keep_testing,
    put_testing as put_testing,
    take_out_testing as take_out_testing,
)
from .tracking import (
    Tracking as Tracking,
    format_cover as format_cover,
    parse_cover_commit as parse_cover_commit,
)
from .trailers import (
    APPROVALS as APPROVALS,
    REVIEW_TAGS as REVIEW_TAGS,
    Trailer as Trailer,
    parse_message as parse_message,
)
from .unsendable import (
    COVER_LETTER as COVER_LETTER,
    describe_placeholders as describe_placeholders,
    name_message as name_message,
    warn_of_unsendable as warn_of_unsendable,
)
