"""Commits that exist: the ones of a series, and those as mails."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from patchgen.errors import BaseError
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.series import Mail
from patchgen.odb.checkout import Checkout
from patchgen.odb.commits import Git, decode_text
from patchgen.odb.repository import Repository
from patchgen.scratch import scratch_folder

# "1:  0123abc = 1:  4567def subject", "-:  ------- > 2:  ..." and the like.
_RANGE_DIFF_HEAD = re.compile(r"^ *(?:\d+|-): +[0-9a-f-]+ ([=!<>]) +(?:\d+|-): ")
_FORMAT = "%H%x00%T%x00%P%x00%an <%ae>%x00%cn <%ce>%x00%B%x00"


def find_own_base(repository: Repository, branch: str, tip: Oid) -> Oid:
    """Return the commit that a branch starts from: the youngest that another ref has, too.

    The branch's own copy at a remote does not count. Raises BaseError where all of its commits are
    on other refs, or none of their parents is.
    """
    words = ["rev-list", "--parents", "--reverse", tip, "--not"]
    words += [f"--exclude={branch}", "--branches", f"--exclude=*/{branch}", "--remotes", "--tags"]
    if (head := repository.find_ref("HEAD")) not in (None, tip):
        words.append(str(head))
    lines = repository.run(*words).stdout.decode().splitlines()
    if not lines or len(lines[0].split()) != 2:
        why = "other branches have all of its commits" if not lines else "no other branch meets it"
        raise BaseError(
            f"where the series on {branch} begins cannot be told: {why}",
            hint="name the commit below its first one with --base, or give BASE..TIP",
        )
    return Oid(lines[0].split()[1])


def read_commits(git: Git, base: Oid, tip: Oid) -> tuple[Commit, ...]:
    """Return the commits above `base` up to `tip`, oldest first.

    Raises BaseError where `tip` does not build on `base`, or one of them is a merge.
    """
    if git.run("merge-base", "--is-ancestor", base, tip, ok=(0, 1)).returncode != 0:
        raise BaseError(f"{tip[:12]} does not build on {base[:12]}")
    oids = git.run("rev-list", "--reverse", f"{base}..{tip}").stdout.decode().split()
    return tuple(read_commit(git, Oid(oid)) for oid in oids)


def read_commit(git: Git, oid: Oid) -> Commit:
    """Return one commit. Raises BaseError where it is a merge, or has no parent."""
    shown = git.run("show", "--no-patch", "--encoding=UTF-8", f"--format={_FORMAT}", oid).stdout
    # git gives in UTF-8 what says its encoding, and all else as it is.
    _, tree, parents, author, committer, message, _ = map(decode_text, shown.split(b"\0"))
    if len(parents.split()) != 1:
        what = "is a merge" if parents else "has no parent"
        raise BaseError(f"{oid[:12]} {what}; a series is a line of commits on a base")
    words = ("diff-tree", "-r", "-z", "--no-commit-id", "--no-renames", "--name-only", oid)
    names = git.run(*words).stdout.split(b"\0")
    files = tuple(PurePosixPath(name.decode("utf-8", "surrogateescape")) for name in names if name)
    return Commit(oid, Oid(tree), author, committer, message.strip("\n") + "\n", files)


def format_commits(checkout: Checkout, base: Oid, tip: Oid) -> list[Mail]:
    """Return the commits above `base` as mails, one each, as `git format-patch` writes them.

    A commit that changes nothing has a mail, too.
    """
    with scratch_folder("mails") as folder:
        words = ("format-patch", "--quiet", "--always", "--no-renames")
        checkout.run(*words, f"--output-directory={folder}", f"{base}..{tip}")
        return [Mail(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]


def compare_series(git: Git, theirs: tuple[Oid, Oid], ours: tuple[Oid, Oid]) -> str:
    """Return git's range-diff of two series, each as base and tip; "" where they are equal.

    Commits count as equal where message and diff are (`=` in git-range-diff(1)).
    """
    words = ("range-diff", "--no-color", "--creation-factor=90")
    done = git.run(*words, f"{theirs[0]}..{theirs[1]}", f"{ours[0]}..{ours[1]}")
    text = done.stdout.decode("utf-8", "replace")
    heads = [match[1] for line in text.splitlines() if (match := _RANGE_DIFF_HEAD.match(line))]
    return text if any(sign != "=" for sign in heads) else ""
