# SPDX-License-Identifier: GPL-2.0-or-later
"""A work tree of patchgen's own, to build and to run `git am` in; never the user's.

It borrows the repository's objects and checks out only the files that it is asked for: a kernel's
drivers and documentation, two thirds of its 1.3 GB, are rarely needed to build what a series
touches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from patchgen.errors import RefusedError, ToolError
from patchgen.model.base import Oid
from patchgen.model.series import Mail
from patchgen.odb.commits import INTERNAL_IDENTITY
from patchgen.odb.scratch import ScratchRepository
from patchgen.scratch import scratch_folder


class Checkout(ScratchRepository):
    """A context manager; the folder lives as long as the `with` block."""

    _is_bare = False
    # The committer of what `git am` applies here.
    _environment: ClassVar[Mapping[str, str]] = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", INTERNAL_IDENTITY.name), ("EMAIL", INTERNAL_IDENTITY.email))
    }

    def choose_files(self, patterns: Sequence[str]) -> None:
        """Check out only these files from the next switch on; no patterns means all files.

        The patterns are those of gitignore(5), as core.sparseCheckout reads them.
        """
        file = self.folder / ".git/info/sparse-checkout"
        file.parent.mkdir(exist_ok=True)
        # In a pattern, the "?" in place of a byte that is not UTF-8 matches any byte.
        file.write_bytes(("\n".join(patterns or ["/*"]) + "\n").encode("utf-8", "replace"))
        self.run("config", "core.sparseCheckout", "true")

    def switch(self, commit: Oid) -> None:
        """Check out a commit. Only files that differ are written, so make rebuilds only these."""
        self.run("checkout", "--quiet", "--force", "--detach", commit)

    def ignore_modes(self) -> None:
        """Let the files of the work tree keep the exec bits that they have by now."""
        self.run("config", "core.fileMode", "false")
        # Else each file looks changed since git wrote it, and the next switch writes it again.
        self.run("update-index", "-q", "--refresh", ok=None)

    def _promise(self) -> tuple[str, ...]:
        """Return the git options with which a tree may name blobs that a partial clone lacks.

        Git requires the content of files outside of the sparse checkout, too, unless a remote has
        promised it. The remote of these options has no address.
        """
        promise = ("-c", "remote.promisor.promisor=true", "-c", "remote.promisor.url=none:")
        return promise if self.repository.is_partial else ()

    def apply_mails(
        self, base: Oid, mails: Sequence[Mail], strips: Sequence[int] | None = None
    ) -> tuple[Oid, ...]:
        """Apply patches on top of a commit with `git am`, and return the new commits.

        `strips` are the numbers of leading folders to remove from the names in each mail's diff,
        None for the usual number. Raises RefusedError that names the mail which does not apply,
        MissingObjectsError if it does not apply because objects are missing.
        """
        self.switch(base)
        with scratch_folder("mails") as folder:
            for mail, strip in zip(mails, strips or [1] * len(mails), strict=True):
                path = folder / mail.file_name
                path.write_bytes(mail.content)
                # The same mails always result in the same commits.
                options = ("--quiet", "--keep-cr", "--committer-date-is-author-date")
                args = (*self._promise(), "am", *options, f"-p{strip}", str(path))
                completed = self.run(*args, ok=None)
                if completed.returncode != 0:
                    self.repository.explain(
                        self, args, b"", ToolError(completed.errors, code="git-failed")
                    )
                    self.run("am", "--abort", ok=None)
                    # git's hints refer to this work tree, which the user never sees.
                    lines = completed.errors.splitlines()
                    reason = "; ".join(line for line in lines if not line.startswith("hint: "))
                    raise RefusedError(
                        f"{mail.name} does not apply to {base[:12]}: {reason}",
                        code="patch-does-not-apply",
                        hint="name the commit that the mails were made on",
                        parameters=("start",),
                    )
        listed = self.run("rev-list", "--reverse", f"{base}..HEAD").stdout.decode().split()
        return tuple(Oid(oid) for oid in listed)
