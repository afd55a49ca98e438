# SPDX-License-Identifier: GPL-2.0-or-later
"""New commits in a bare repository in a scratch folder that borrows the real one's objects.

Everything is built there and can be thrown away. `publish` copies the new objects to the real
repository, then moves one ref in one transaction that checks the ref's old value. A process killed
before that leaves at most unreachable objects, which the next `git gc` removes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.series import CommitDraft, Signatures, Stat
from patchgen.odb.additions import check_additions
from patchgen.odb.scratch import ScratchRepository
from patchgen.quoting import quote_path

_BRANCH = "refs/heads/series"


class Quarantine(ScratchRepository):
    """A context manager; the scratch repository lives as long as the `with` block."""

    def write_commits(
        self, base: Oid, drafts: Sequence[CommitDraft], signatures: Signatures
    ) -> tuple[Oid, ...]:
        """Write a chain of commits on top of `base` and return their ids.

        One `git fast-import` writes all blobs, trees and commits; it reads only the trees on the
        way to the changed files. Raises RefusedError for a file that must not be added.
        """
        check_additions(self, base, drafts)
        marks = self.folder / "marks"
        stream = _fast_import_stream(base, drafts, signatures)
        args = ("fast-import", "--quiet", "--force", "--done", f"--export-marks={marks}")
        self.run(*args, stdin=stream)
        oids = dict(line.split(" ", 1) for line in marks.read_text().splitlines())
        return tuple(Oid(oids[f":{number}"]) for number in range(1, len(drafts) + 1))

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
        extra_refs: Mapping[str, Oid] | None = None,
        names: Mapping[str, Oid] | None = None,
    ) -> None:
        """Copy the commits above `base` into the real repository, then move `ref` to `new`.

        `old` is the ref's current value, None if it must not exist. The refs in `extra_refs` are
        created or moved in the same transaction, whatever their values, and so are those in
        `names`, whose objects the repository has already. Raises RefusedError if the refs cannot be
        written, or `ref` has moved meanwhile; all refs are then unchanged.
        """
        self.copy_commits(base, new, *(extra_refs or {}).values())
        refs = {**(extra_refs or {}), **(names or {})}
        commands = [f"update {ref} {new} {old}" if old else f"create {ref} {new}"]
        commands += [f"update {name} {oid}" for name, oid in refs.items()]
        try:
            self.repository.change_refs(commands, "-m", reason, "--create-reflog", written=ref)
        except RefusedError as err:
            is_moved = self.repository.find_ref(ref) != old
            moved = "it was created or moved while patchgen ran; run patchgen again"
            raise RefusedError(
                f"{ref} cannot be written: {err.message}",
                code="ref-unwritable",
                hint=moved if is_moved else err.hint,
            ) from None

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
        out += f"author {signatures.author}\ncommitter {signatures.committer}\n".encode()
        out += f"data {len(message)}\n".encode() + message + b"\n"
        out += f"from {parent}\n".encode()
        for edit in draft.edits:
            out += b"M " + edit.mode.encode() + b" inline " + quote_path(edit.path) + b"\n"
            out += f"data {len(edit.after)}\n".encode() + edit.after + b"\n"
        parent = f":{number}"
    return bytes(out + b"done\n")
