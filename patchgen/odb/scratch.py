# SPDX-License-Identifier: GPL-2.0-or-later
"""A repository in a scratch folder that borrows the real one's objects.

New objects stay there until they are copied over. It does not use the real repository's refs,
index, hooks or configuration.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar, Self

from patchgen.errors import ToolError
from patchgen.git_environment import scratch_environment
from patchgen.model.base import Oid
from patchgen.odb.objects import ObjectReader
from patchgen.odb.partial_view import write_skeleton
from patchgen.odb.repository import Repository
from patchgen.process import Completed, run
from patchgen.scratch import scratch_folder


class ScratchRepository:
    """A context manager; the folder lives as long as the `with` block.

    `folder` is the repository, or its work tree if `_is_bare` is not set. `repository` is the one
    whose objects it borrows.
    """

    _is_bare: ClassVar[bool] = True
    _environment: ClassVar[Mapping[str, str]] = {}

    def __init__(self, repository: Repository):
        self.repository = repository
        self.folder = Path()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = stack.enter_context(
                scratch_folder("quarantine" if self._is_bare else "tree")
            )
            git_dir = self.folder if self._is_bare else self.folder / ".git"
            write_skeleton(git_dir, self.repository.location, bare=self._is_bare)
            (git_dir / "refs/heads").mkdir(parents=True)
            self.objects = ObjectReader(git_dir, git_dir, scratch_environment())
            stack.callback(self.objects.close)
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
        """Run git in the repository, without the user's configuration.

        Raises ToolError if git fails, MissingObjectsError if it fails because objects are missing.
        """
        where = ("--git-dir", str(self.folder)) if self._is_bare else ()
        try:
            return run(
                ["git", "--no-pager", *where, *args],
                stdin=stdin,
                cwd=None if self._is_bare else self.folder,
                env={**scratch_environment(), **self._environment, **(env or {})},
                ok=ok,
            )
        except ToolError as err:
            self.repository.explain(self, args, stdin, err)
            raise

    def copy_commits(self, base: Oid, *tips: Oid) -> None:
        """Copy the commits above `base` into the real repository, without a ref to them."""
        revisions = "".join(f"{tip}\n" for tip in tips) + f"^{base}\n"
        args = ("pack-objects", "--revs", "--stdout", "-q")
        packed = self.run(*args, stdin=revisions.encode())
        self.repository.run("unpack-objects", "-q", stdin=packed.stdout)
