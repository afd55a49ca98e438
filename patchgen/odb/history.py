"""Commits that exist: the ones of a series, and those as mails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

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
# "0001-subject.patch", "v4-10000-subject.patch".
_PATCH_NUMBER = re.compile(r"(?:v\d+-)?(\d+)-")
_FORMAT = "%H%x00%T%x00%P%x00%an <%ae>%x00%cn <%ce>%x00%B%x00"
_FIELDS = 6


def find_own_base(repository: Repository, branch: str, tip: Oid) -> Oid:
    """Return the commit that a branch starts from: the youngest that another ref has, too.

    The branch's own copy at a remote does not count. Raises BaseError where all of its commits are
    on other refs, or none of their parents is.
    """
    words = ["rev-list", "--parents", "--reverse", tip, "--not"]
    words += [f"--exclude={branch}", "--branches", f"--exclude=*/{branch}", "--remotes"]
    # A tag of the branch's name marks the series, and is not where it begins.
    words += [f"--exclude={branch}", "--tags"]
    if (head := repository.find_ref("HEAD")) not in (None, tip):
        words.append(str(head))
    lines = repository.run(*words).stdout.decode().splitlines()
    if not lines or len(lines[0].split()) != 2:
        why = "other branches have all of its commits" if not lines else "no other branch meets it"
        raise BaseError(
            f"where the series on {branch} begins cannot be told: {why}",
            alternatives={"start": "name the commit below its first one"},
        )
    return Oid(lines[0].split()[1])


def read_commits(git: Git, base: Oid, tip: Oid) -> tuple[Commit, ...]:
    """Return the commits above `base` up to `tip`, oldest first.

    Raises BaseError where `tip` does not build on `base`, or one of them is a merge.
    """
    if git.run("merge-base", "--is-ancestor", base, tip, ok=(0, 1)).returncode != 0:
        raise BaseError(f"{tip[:12]} does not build on {base[:12]}")
    oids = git.run("rev-list", "--reverse", f"{base}..{tip}").stdout.decode().split()
    return _read_all(git, [Oid(oid) for oid in oids])


def read_commit(git: Git, oid: Oid) -> Commit:
    """Return one commit. Raises BaseError where it is a merge, or has no parent."""
    return _read_all(git, [oid])[0]


def _read_all(git: Git, oids: Sequence[Oid]) -> tuple[Commit, ...]:
    """Return commits in their order, from two processes however many they are."""
    # Without a revision, `git log --stdin` shows HEAD.
    if not oids:
        return ()
    listed = "".join(f"{oid}\n" for oid in oids).encode()
    words = ("log", "--no-walk=unsorted", "--no-show-signature", "--encoding=UTF-8", "--stdin")
    shown = git.run(*words, f"--format={_FORMAT}", stdin=listed).stdout
    # git converts what declares an encoding to UTF-8, and leaves all else as it is.
    fields = [decode_text(field) for field in shown.split(b"\0")]
    files = _read_files(git, listed)
    commits = []
    for number, oid in enumerate(oids):
        at = number * _FIELDS
        tree, parents, author, committer, message = fields[at + 1 : at + _FIELDS]
        if len(parents.split()) != 1:
            what = "is a merge" if parents else "has no parent"
            raise BaseError(f"{oid[:12]} {what}; a series is a line of commits on a base")
        message = message.strip("\n") + "\n"
        commits.append(Commit(oid, Oid(tree), author, committer, message, files.get(oid, ())))
    return tuple(commits)


def _read_files(git: Git, listed: bytes) -> dict[Oid, tuple[PurePosixPath, ...]]:
    """Return the paths that each of the listed commits changes; one that changes none is left out.

    Format: git-diff-tree(1), "RAW OUTPUT FORMAT" with -z: an id, then for each file a field that
    begins with a colon, and its path.
    """
    words = ("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-renames")
    fields = iter(git.run(*words, stdin=listed).stdout.split(b"\0"))
    found: dict[Oid, tuple[PurePosixPath, ...]] = {}
    oid = Oid("")
    for field in fields:
        if field.startswith(b":"):
            path = PurePosixPath(next(fields).decode("utf-8", "surrogateescape"))
            found[oid] = (*found[oid], path)
        elif field:
            oid = Oid(field.decode())
            found[oid] = ()
    return found


def format_commits(checkout: Checkout, base: Oid, tip: Oid) -> list[Mail]:
    """Return the commits above `base` as mails, one each, as `git format-patch` writes them.

    A commit that changes nothing has a mail, too.
    """
    with scratch_folder("mails") as folder:
        words = ("format-patch", "--quiet", "--always", "--no-renames")
        checkout.run(*words, f"--output-directory={folder}", f"{base}..{tip}")
        return [Mail(path.name, path.read_bytes()) for path in sort_patches(folder)]


def sort_patches(folder: Path) -> list[Path]:
    """Return the files of `git format-patch` by their numbers, which may have five digits."""
    return sorted(folder.iterdir(), key=lambda path: (_number(path.name), path.name))


def _number(name: str) -> int:
    match = _PATCH_NUMBER.match(name)
    return int(match[1]) if match else 0


def compare_series(git: Git, theirs: tuple[Oid, Oid], ours: tuple[Oid, Oid]) -> str:
    """Return git's range-diff of two series, each as base and tip; "" where they are equal.

    Commits count as equal where message and diff are (`=` in git-range-diff(1)).
    """
    words = ("range-diff", "--no-color", "--creation-factor=90")
    done = git.run(*words, f"{theirs[0]}..{theirs[1]}", f"{ours[0]}..{ours[1]}")
    text = done.stdout.decode("utf-8", "replace")
    heads = [match[1] for line in text.splitlines() if (match := _RANGE_DIFF_HEAD.match(line))]
    return text if any(sign != "=" for sign in heads) else ""
