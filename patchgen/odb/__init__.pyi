# SPDX-License-Identifier: GPL-2.0-or-later
from .changes import (
    CommitChanges as CommitChanges,
    CommitHunk as CommitHunk,
    FileChange as FileChange,
    TreeChanges as TreeChanges,
    diff_trees as diff_trees,
    digest_commits as digest_commits,
    digest_diff as digest_diff,
    list_changed as list_changed,
    list_changes as list_changes,
    parse_diff as parse_diff,
    read_changes as read_changes,
    read_diffs as read_diffs,
    read_diffs_to_show as read_diffs_to_show,
)
from .checkout import Checkout as Checkout
from .commits import (
    RawCommit as RawCommit,
    parse_raw_commit as parse_raw_commit,
    put_empty_below as put_empty_below,
    reparent as reparent,
    write_commit_chain as write_commit_chain,
)
from .fetching import fetch_objects as fetch_objects, find_promisors as find_promisors
from .history import (
    ComparedSeries as ComparedSeries,
    compare_series as compare_series,
    find_branch_base as find_branch_base,
    format_commits as format_commits,
    read_commit as read_commit,
    read_commits as read_commits,
    sort_patches as sort_patches,
)
from .merge import (
    Conflict as Conflict,
    MergedTree as MergedTree,
    Resolutions as Resolutions,
    has_markers as has_markers,
    merge_texts as merge_texts,
    merge_trees as merge_trees,
)
from .missing import (
    require_objects as require_objects,
    require_range as require_range,
)
from .objects import Entry as Entry, ObjectReader as ObjectReader
from .opening import (
    find_absent as find_absent,
    find_git_subcommand as find_git_subcommand,
    git_version as git_version,
    has_tag as has_tag,
)
from .partial_trees import (
    TreeFiles as TreeFiles,
    find_renames as find_renames,
    move_files as move_files,
    write_tree as write_tree,
)
from .plumbing import Git as Git
from .quarantine import Quarantine as Quarantine
from .repository import Repository as Repository
from .searching import (
    PlannedSearch as PlannedSearch,
    grep_files as grep_files,
    grep_words as grep_words,
    plan_search as plan_search,
)
from .sent import (
    SentVersion as SentVersion,
    find_sent as find_sent,
    list_branch_tags as list_branch_tags,
    list_sent as list_sent,
    read_sent as read_sent,
    record_sent as record_sent,
)
from .tree import (
    REGULAR as REGULAR,
    GitTree as GitTree,
    is_folder as is_folder,
    list_entries as list_entries,
    list_files as list_files,
    open_tree as open_tree,
    read_blobs as read_blobs,
    read_contents as read_contents,
    read_file as read_file,
    read_files as read_files,
    resolve_object as resolve_object,
    resolve_paths as resolve_paths,
)
from .unfinished import warn_of_unfinished as warn_of_unfinished
