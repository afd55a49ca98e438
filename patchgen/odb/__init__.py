"""Git's object database: read trees, write commits aside, publish them by one ref update."""

from patchgen.odb.changes import (
    CommitChanges,
    FileChange,
    Hunk,
    diff_trees,
    read_changes,
)
from patchgen.odb.checkout import Checkout
from patchgen.odb.commits import (
    Git,
    read_raw_commits,
    rechain,
    write_empty_commit,
    write_raw_commit,
)
from patchgen.odb.entries import TreeFiles, find_renames, read_files, write_tree
from patchgen.odb.history import (
    compare_series,
    find_own_base,
    format_commits,
    read_commit,
    read_commits,
)
from patchgen.odb.listing import (
    TreeChanges,
    grep_files,
    list_changed,
    list_changes,
    list_files,
    read_blobs,
    resolve_paths,
)
from patchgen.odb.merge import (
    Conflict,
    MergedTree,
    Resolutions,
    has_markers,
    merge_texts,
    merge_trees,
    move_files,
)
from patchgen.odb.quarantine import Quarantine
from patchgen.odb.repository import (
    Repository,
    find_git_subcommand,
    git_version,
    neutral_environment,
)
from patchgen.odb.sent import (
    SentVersion,
    find_sent,
    name_for_branch,
    read_sent,
    record_sent,
    sent_tag,
)
from patchgen.odb.substance import read_substances
from patchgen.odb.tree import GitTree

__all__ = [
    "Checkout",
    "CommitChanges",
    "Conflict",
    "FileChange",
    "Git",
    "GitTree",
    "Hunk",
    "MergedTree",
    "Quarantine",
    "Repository",
    "Resolutions",
    "SentVersion",
    "TreeChanges",
    "TreeFiles",
    "compare_series",
    "diff_trees",
    "find_git_subcommand",
    "find_own_base",
    "find_renames",
    "find_sent",
    "format_commits",
    "git_version",
    "grep_files",
    "has_markers",
    "list_changed",
    "list_changes",
    "list_files",
    "merge_texts",
    "merge_trees",
    "move_files",
    "name_for_branch",
    "neutral_environment",
    "read_blobs",
    "read_changes",
    "read_commit",
    "read_commits",
    "read_files",
    "read_raw_commits",
    "read_sent",
    "read_substances",
    "rechain",
    "record_sent",
    "resolve_paths",
    "sent_tag",
    "write_empty_commit",
    "write_raw_commit",
    "write_tree",
]
