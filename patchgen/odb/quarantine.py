# SPDX-License-Identifier: GPL-2.0-or-later
"""New commits in a bare repository in a scratch folder that borrows the real one's objects.

Everything is built there and can be thrown away. `publish` copies the new objects to the real
repository, then moves one ref in one transaction that checks the ref's old value. A process killed
before that leaves at most unreachable objects, which the next `git gc` removes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from patchgen.errors import RefusedError, ToolError
from patchgen.interrupts import put_off_interrupts
from patchgen.model.base import Oid
from patchgen.model.series import CommitDraft, Identity, Signatures, Stat
from patchgen.odb.additions import check_additions
from patchgen.odb.quoting import quote_path
from patchgen.odb.ref_locks import explain_ref_failure
from patchgen.odb.repository import Repository
from patchgen.odb.scratch import create_scratch, run_in_scratch
from patchgen.process import Completed
from patchgen.scratch import scratch_folder

_BRANCH = "refs/heads/series"


class Quarantine:
    """A context manager; the scratch repository lives as long as the `with` block."""

    def __init__(self, repository: Repository):
        self._repository = repository
        self._folder = Path()
        self._stack = ExitStack()

    def __enter__(self) -> Quarantine:
        with ExitStack() as stack:
            self._folder = stack.enter_context(scratch_folder("quarantine"))
            create_scratch(self._repository, self._folder, bare=True)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(
        self,
        *args: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        ok: tuple[int, ...] | None = (0,),
    ) -> Completed:
        """Run git in the scratch repository, without the user's configuration.

        Raises ToolError if git fails, MissingObjectsError if it fails because objects are missing.
        """
        argv = ("--git-dir", str(self._folder), *args)
        try:
            return run_in_scratch(*argv, stdin=stdin, env=env, ok=ok)
        except ToolError as err:
            self._repository.explain(self, args, stdin, err)
            raise

    def write_commits(
        self, base: Oid, drafts: Sequence[CommitDraft], signatures: Signatures
    ) -> tuple[Oid, ...]:
        """Write a chain of commits on top of `base` and return their ids.

        One `git fast-import` writes all blobs, trees and commits; it reads only the trees on the
        way to the changed files. Raises RefusedError for a file that must not be added.
        """
        check_additions(self, base, drafts)
        marks = self._folder / "marks"
        stream = _fast_import_stream(base, drafts, signatures)
        args = ("fast-import", "--quiet", "--force", "--done", f"--export-marks={marks}")
        self.run(*args, stdin=stream)
        oids = dict(line.split(" ", 1) for line in marks.read_text().splitlines())
        return tuple(Oid(oids[f":{number}"]) for number in range(1, len(drafts) + 1))

    def move_files(self, commit: Oid, moves: Mapping[PurePosixPath, PurePosixPath]) -> Oid:
        """Write a commit on top of another that renames files, and return its id."""
        who = b"patchgen <patchgen@localhost> 0 +0000\n"
        stream = b"feature done\ncommit %s\nmark :1\ncommitter %sdata 0\n" % (_BRANCH.encode(), who)
        stream += f"from {commit}\n".encode()
        for old, new in moves.items():
            stream += b"R " + quote_path(old) + b" " + quote_path(new) + b"\n"
        args = ("fast-import", "--quiet", "--force", "--done")
        self.run(*args, stdin=stream + b"done\n")
        return Oid(self.run("rev-parse", _BRANCH).stdout.decode().strip())

    def read_stats(self, base: Oid, tip: Oid) -> list[Stat]:
        """Return the lines added and removed by each commit above `base`, oldest first."""
        log = self.run("log", "--reverse", "--format=%x00", "--numstat", f"{base}..{tip}")
        stats = []
        for commit in log.stdout.split(b"\0")[1:]:
            # A binary file has "-" for both numbers.
            rows = [line.split(b"\t") for line in commit.splitlines() if b"\t" in line]
            counts = [(int(row[0]), int(row[1])) for row in rows if row[0] != b"-"]
            stats.append(Stat(sum(c[0] for c in counts), sum(c[1] for c in counts)))
        return stats

    def show_patches(self, base: Oid, tip: Oid) -> str:
        """Return messages and diffs of the commits above `base`, oldest first, as text."""
        log = self.run(
            "log",
            "--reverse",
            "--stat",
            "--patch",
            "--format=medium",
            "--color=never",
            f"{base}..{tip}",
        )
        return log.stdout.decode("utf-8", "surrogateescape")

    def publish(
        self,
        ref: str,
        new: Oid,
        base: Oid,
        old: Oid | None,
        reason: str,
        *,
        also: Mapping[str, Oid] | None = None,
        names: Mapping[str, Oid] | None = None,
    ) -> None:
        """Copy the commits above `base` into the real repository, then move `ref` to `new`.

        `old` is the ref's current value, None if it must not exist. The refs in `also` are created
        or moved in the same transaction, whatever their values, and so are those in `names`, whose
        objects the repository has already. Raises RefusedError if the refs cannot be written, or
        `ref` has moved meanwhile; all refs are then unchanged.
        """
        self.copy_commits(base, new, *(also or {}).values())
        refs = {**(also or {}), **(names or {})}
        commands = [f"update {ref} {new} {old}" if old else f"create {ref} {new}"]
        commands += [f"update {name} {oid}" for name, oid in refs.items()]
        try:
            with put_off_interrupts(f"{ref} was written before"):
                self._repository.run(
                    "update-ref",
                    "--stdin",
                    "-m",
                    reason,
                    "--create-reflog",
                    stdin="\n".join(["start", *commands, "prepare", "commit", ""]).encode(),
                    # If it were killed along with patchgen, it would leave a REF.lock.
                    detached=True,
                )
        except ToolError as err:
            is_moved = self._repository.find_ref(ref) != old
            why, hint = explain_ref_failure(err.message)
            if is_moved:
                hint = "it was created or moved while patchgen ran; run patchgen again"
            raise RefusedError(f"{ref} cannot be written: {why}", hint=hint) from None

    def copy_commits(self, base: Oid, *tips: Oid) -> None:
        """Copy the commits above `base` into the real repository, without a ref to them."""
        revisions = "".join(f"{tip}\n" for tip in tips) + f"^{base}\n"
        args = ("pack-objects", "--revs", "--stdout", "-q")
        packed = self.run(*args, stdin=revisions.encode())
        self._repository.run("unpack-objects", "-q", stdin=packed.stdout)

    def name_branch(self, branch: str, tip: Oid) -> str:
        """Create a branch in the scratch repository, for tools that need one."""
        ref = f"refs/heads/{branch}"
        self.run("update-ref", ref, tip)
        return ref


def _fast_import_stream(base: Oid, drafts: Sequence[CommitDraft], signatures: Signatures) -> bytes:
    """Return git-fast-import(1) commands for the commits; mark i is the i-th commit."""
    out = bytearray(b"feature done\n")
    parent = str(base)
    for number, draft in enumerate(drafts, 1):
        message = draft.message.encode()
        out += f"commit {_BRANCH}\nmark :{number}\n".encode()
        out += b"author " + _person(signatures.author)
        out += b"committer " + _person(signatures.committer)
        out += f"data {len(message)}\n".encode() + message + b"\n"
        out += f"from {parent}\n".encode()
        for edit in draft.edits:
            out += b"M " + edit.mode.encode() + b" inline " + quote_path(edit.path) + b"\n"
            out += f"data {len(edit.after)}\n".encode() + edit.after + b"\n"
        parent = f":{number}"
    return bytes(out + b"done\n")


def _person(identity: Identity) -> bytes:
    return f"{identity.name} <{identity.email}> {identity.date}\n".encode()
