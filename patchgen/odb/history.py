# SPDX-License-Identifier: GPL-2.0-or-later
"""Existing commits: read those of a series, and format them as mails."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Mail
from patchgen.odb.checkout import Checkout
from patchgen.odb.commits import RawCommit, read_raw_commits
from patchgen.odb.plumbing import Git, parse_raw_diff
from patchgen.odb.repository import Repository
from patchgen.scratch import scratch_folder

# "1:  0123abc = 1:  4567def subject", "-:  ------- > 2:  ..." and the like.
_RANGE_DIFF_HEAD = re.compile(
    r"^(?P<theirs> *(?:\d+|-): +)(?P<old>[0-9a-f-]+)(?P<mark> [=!<>] )"
    r"(?P<ours> *(?:\d+|-): +)(?P<new>[0-9a-f-]+)"
)
# The length of the ids of commits in Documentation/process/submitting-patches.rst.
_ID_LENGTH = 12
# "0001-subject.patch", "v4-10000-subject.patch".
_PATCH_NUMBER = re.compile(r"(?:v\d+-)?(\d+)-")


def find_branch_base(repository: Repository, branch: str, tip: Oid) -> Oid:
    """Return the commit that a branch starts from: the youngest that another ref has, too.

    The branch's own copy at a remote is ignored. Raises RefusedError if all of its commits are on
    other refs, or none of their parents is.
    """
    args = ["rev-list", "--parents", "--reverse", tip, "--not"]
    args += [f"--exclude={branch}", "--branches", f"--exclude=*/{branch}", "--remotes"]
    # A tag with the branch's name marks the series, not its start.
    args += [f"--exclude={branch}", "--tags"]
    if (head := repository.find_ref("HEAD")) not in (None, tip):
        args.append(str(head))
    lines = repository.run(*args).lines
    if not lines or len(lines[0].split()) != 2:
        reason = (
            "no other ref shares its history" if lines else "other refs have all of its commits"
        )
        raise RefusedError(
            f"cannot tell where the series on {branch} starts: {reason}",
            code="series-start",
            alternatives={"start": "name the commit below its first patch"},
        )
    return Oid(lines[0].split()[1])


def read_commits(git: Git, base: Oid, tip: Oid) -> tuple[Commit, ...]:
    """Return the commits above `base` up to `tip`, oldest first.

    Raises RefusedError if `tip` does not build on `base`, or if one of the commits is a merge.
    """
    listed = git.run("rev-list", "--reverse", f"{base}..{tip}").stdout.decode().split()
    oids = [Oid(oid) for oid in listed]
    commits = read_raw_commits(git, oids)
    is_line = [commit.parents for commit in commits] == [[oid] for oid in [base, *oids][:-1]]
    if not is_line or (not oids and base != tip):
        args = ("merge-base", "--is-ancestor", base, tip)
        if git.run(*args, ok=(0, 1)).returncode != 0:
            raise RefusedError(f"{tip[:12]} does not build on {base[:12]}", code="series-start")
    return _describe_all(git, oids, commits)


def read_commit(git: Git, oid: Oid) -> Commit:
    """Return one commit. Raises RefusedError if it is a merge or has no parent."""
    return _describe_all(git, [oid], read_raw_commits(git, [oid]))[0]


def _describe_all(
    git: Git, oids: Sequence[Oid], commits: Sequence[RawCommit]
) -> tuple[Commit, ...]:
    for oid, commit in zip(oids, commits, strict=True):
        if len(commit.parents) != 1:
            fault = "is a merge" if commit.parents else "has no parent"
            raise RefusedError(
                f"{oid[:12]} {fault}; a series must be a line of commits on a base",
                code="series-start",
            )
    files = _read_files(git, oids) if oids else {}
    return tuple(
        Commit(
            oid,
            commit.tree,
            commit.find_person("author"),
            commit.find_person("committer"),
            commit.text.strip("\n") + "\n",
            files.get(oid, ()),
        )
        for oid, commit in zip(oids, commits, strict=True)
    )


def _read_files(git: Git, oids: Sequence[Oid]) -> dict[Oid, tuple[PurePosixPath, ...]]:
    """Return the paths that each listed commit changes; empty commits are left out."""
    args = ("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames")
    listed = "".join(f"{oid}\n" for oid in oids).encode()
    files: dict[Oid, tuple[PurePosixPath, ...]] = {}
    for change in parse_raw_diff(git.run(*args, stdin=listed).stdout):
        oid = Oid(change.heading)
        files[oid] = (*files.get(oid, ()), PurePosixPath(change.path))
    return files


def format_commits(checkout: Checkout, base: Oid, tip: Oid) -> list[Mail]:
    """Return the commits above `base` as mails, one each, as `git format-patch` writes them.

    An empty commit gets a mail, too.
    """
    with scratch_folder("mails") as folder:
        args = ("format-patch", "--quiet", "--always", "--no-renames")
        checkout.run(*args, f"--output-directory={folder}", f"{base}..{tip}")
        return [Mail(path.name, path.read_bytes()) for path in sort_patches(folder)]


def sort_patches(folder: Path) -> list[Path]:
    """Return the files of `git format-patch`, sorted by number; numbers may have five digits."""
    return sorted(folder.iterdir(), key=lambda path: (_number(path.name), path.name))


def _number(name: str) -> int:
    match = _PATCH_NUMBER.match(name)
    return int(match[1]) if match else 0


@dataclass(frozen=True, slots=True)
class ComparedSeries:
    """A series to compare, of the commits above `start`.

    `names` are these commits, in order, each with the one by which people know it, or None for one
    that they cannot look up.
    """

    start: Oid
    names: Mapping[Oid, Oid | None]

    def __str__(self) -> str:
        return f"{self.start}..{list(self.names)[-1]}"

    def show(self, abbreviated: str) -> str:
        """Return the id by which people know a commit, as long as its own, which has been cut."""
        oid = next((oid for oid in self.names if oid.startswith(abbreviated)), None)
        if oid is None:
            return abbreviated
        return (self.names[oid] or "-" * len(abbreviated))[: len(abbreviated)]


def compare_series(git: Git, theirs: ComparedSeries, ours: ComparedSeries) -> str:
    """Return git's range-diff of two series; "" if they are equal.

    Commits are equal if their messages and diffs are (`=` in git-range-diff(1)).
    """
    # git-range-diff(1) has no option for the length of ids.
    args = ("-c", f"core.abbrev={_ID_LENGTH}", "range-diff", "--no-color", "--creation-factor=90")
    completed = git.run(*args, str(theirs), str(ours))
    lines = completed.stdout.decode("utf-8", "replace").split("\n")
    heads = {i: match for i, line in enumerate(lines) if (match := _RANGE_DIFF_HEAD.match(line))}
    if all(match["mark"] == " = " for match in heads.values()):
        return ""
    for number, match in heads.items():
        old, new = theirs.show(match["old"]), ours.show(match["new"])
        rest = lines[number][match.end() :]
        lines[number] = f"{match['theirs']}{old}{match['mark']}{match['ours']}{new}{rest}"
    return "\n".join(lines)
