# SPDX-License-Identifier: GPL-2.0-or-later
"""Describe the state of a patch as text: in its files, upstream, and by mail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from patchgen.counting import count
from patchgen.status.result import FileStatus, PatchState, PatchStatus, UpstreamCommit

# States that need work come first.
_ORDER = (PatchState.CONFLICTS, PatchState.NEEDED, PatchState.GONE, PatchState.APPLIED)


def list_details(patch: PatchStatus) -> Iterator[str]:
    """Yield the details of a patch next to its state: open work first, then what is applied."""
    if not patch.files:
        yield "it changes no file"
    applied = [file for file in patch.files if file.state is PatchState.APPLIED]
    open_files = [file for file in patch.files if file.state is not PatchState.APPLIED]
    if open_files and patch.present_at is not None:
        yield f"already there ({patch.present_at})"
        yield from (f"by {show_commit(commit)}" for commit in patch.made_by)
        return
    for file in sort_files(open_files):
        if remark := describe_file(file):
            yield f"{file.path}: {remark}"
    unnamed = [file for file in applied if not file.made_by]
    commits = tuple(dict.fromkeys(commit for file in applied for commit in file.made_by))
    if patch.state is PatchState.APPLIED and not open_files:
        yield from (f"by {show_commit(commit)}" for commit in commits)
        if unnamed:
            where = "" if len(unnamed) == len(applied) else f"{_list(unnamed)}: "
            yield f"{where}all of it is there; no single commit made this change"
        return
    for commit in commits:
        files = [file for file in applied if commit in file.made_by]
        yield f"{_list(files)}: already there, by {show_commit(commit)}"
    if unnamed:
        yield f"{_list(unnamed)}: already there"
    if patch.mail is not None:
        when = f" on {patch.mail.date}" if patch.mail.date else ""
        yield f"sent{when}: <{patch.mail.message_id}>"
    yield from (f"{tag.name}: {tag.value}" for tag in patch.tags)


def sort_files(files: Sequence[FileStatus]) -> list[FileStatus]:
    """Return the files that need work first."""
    return sorted(files, key=lambda file: _ORDER.index(file.state))


def _list(files: Sequence[FileStatus]) -> str:
    return str(files[0].path) if len(files) == 1 else count(len(files), "file")


def describe_file(file: FileStatus) -> str:
    """Return the remarks on a patch's part in one file, "" if it has none."""
    remarks = [f"renamed to {file.renamed_to}"] if file.renamed_to else []
    if file.state is PatchState.CONFLICTS:
        remarks += [
            "conflicts" + (f" since patch {file.conflicts_since}" if file.conflicts_since else "")
        ]
    elif file.is_deleted:
        remarks += ["deleted" + (f" by {show_commit(file.removed_by)}" if file.removed_by else "")]
    elif file.state is PatchState.GONE:
        remarks += ["the lines that it changes were removed"]
    elif file.present:
        hunks = count(file.hunks, "hunk")
        remarks += [f"{file.present} of {hunks} already there" + _describe_makers(file)]
    if file.undone_by:
        remarks += [f"was applied, then reverted by {show_commit(file.undone_by)}"]
    return "; ".join(remarks)


def _describe_makers(file: FileStatus) -> str:
    return ", by " + ", ".join(map(show_commit, file.made_by)) if file.made_by else ""


def show_commit(commit: UpstreamCommit) -> str:
    """Return the abbreviated id and the subject of a commit."""
    return f'{commit.oid[:12]} ("{commit.subject}")'
