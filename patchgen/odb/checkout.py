"""A work tree of patchgen's own, to build and to `git am` in; never the user's.

It borrows the repository's objects and has the files that it is told to have only: a kernel's
drivers and documentation, two thirds of its 1.3 GB, are rarely needed to build what a series
touches.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from patchgen.errors import BaseError, ToolError
from patchgen.model.base import Oid
from patchgen.model.series import Identity, Mail
from patchgen.odb.repository import Repository
from patchgen.odb.scratch import create_scratch, run_in_scratch
from patchgen.process import Completed
from patchgen.scratch import scratch_folder

# Who commits what `git am` applies here; nobody sees these commits.
_NOBODY = Identity("patchgen", "patchgen@localhost", "0 +0000")


class Checkout:
    """A context manager; the folder lives as long as the `with` block."""

    def __init__(self, repository: Repository):
        self._repository = repository
        self.folder = Path()
        self._stack = ExitStack()

    def __enter__(self) -> Checkout:
        with ExitStack() as stack:
            self.folder = stack.enter_context(scratch_folder("tree"))
            create_scratch(self._repository, self.folder / ".git", bare=False)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, *words: str, stdin: bytes = b"", ok: tuple[int, ...] | None = (0,)) -> Completed:
        """Run git in the work tree.

        Raises ToolError where it fails, MissingObjectsError where it does for lack of objects.
        """
        who = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", _NOBODY.name), ("EMAIL", _NOBODY.email))
        }
        try:
            return run_in_scratch(*words, stdin=stdin, cwd=self.folder, env=who, ok=ok)
        except ToolError as err:
            self._repository.explain(self, words, stdin, err)
            raise

    def choose_files(self, patterns: Sequence[str]) -> None:
        """From the next switch on, have these files only; no patterns means all of them.

        The patterns are those of gitignore(5), as core.sparseCheckout takes them.
        """
        file = self.folder / ".git/info/sparse-checkout"
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(patterns or ["/*"]) + "\n")
        self.run("config", "core.sparseCheckout", "true")

    def switch(self, commit: Oid) -> None:
        """Check a commit out. Only files that differ are written, so make rebuilds only these."""
        self.run("checkout", "--quiet", "--force", "--detach", commit)

    def _promise(self) -> tuple[str, ...]:
        """Return git's options with which a tree may name blobs that a partial clone lacks.

        Git asks for the content of files outside of the sparse checkout, too, unless a remote has
        promised it. This one has no address.
        """
        promise = ("-c", "remote.promisor.promisor=true", "-c", "remote.promisor.url=none:")
        return promise if self._repository.is_partial else ()

    def apply_mails(
        self, base: Oid, mails: Sequence[Mail], strips: Sequence[int] | None = None
    ) -> tuple[Oid, ...]:
        """Let `git am` apply patches on top of a commit, and return the commits that it makes.

        `strips` are the numbers of leading folders to remove from the names in each mail's diff,
        None for the usual one. Raises BaseError that names the mail which does not apply,
        MissingObjectsError where that is for lack of objects.
        """
        self.switch(base)
        with scratch_folder("mails") as folder:
            for mail, strip in zip(mails, strips or [1] * len(mails), strict=True):
                path = folder / mail.file_name
                path.write_bytes(mail.content)
                # The same mails make the same commits on any day.
                options = ("--quiet", "--keep-cr", "--committer-date-is-author-date")
                words = (*self._promise(), "am", *options, f"-p{strip}", str(path))
                done = self.run(*words, ok=None)
                if done.returncode != 0:
                    self._repository.explain(self, words, b"", ToolError(done.errors))
                    self.run("am", "--abort", ok=None)
                    # git's hints are about a work tree that the user never sees.
                    lines = done.errors.splitlines()
                    said = "; ".join(line for line in lines if not line.startswith("hint: "))
                    raise BaseError(
                        f"{mail.file_name} does not apply to {base[:12]}: {said}",
                        hint="name the commit that the mails were made on",
                        parameters=("start",),
                    )
        made = self.run("rev-list", "--reverse", f"{base}..HEAD").stdout.decode().split()
        return tuple(Oid(oid) for oid in made)
