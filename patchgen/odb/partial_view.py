# SPDX-License-Identifier: GPL-2.0-or-later
"""A partial clone without its promisor: the same objects and refs, and no configuration.

In a partial clone, git fetches each missing object by itself. If it must not, it first searches
all packs for the promise, which takes minutes in a kernel's history. In a repository without a
promisor remote, git reports at once that the object is missing.
"""

from __future__ import annotations

import os
import shutil
import weakref
from contextlib import ExitStack, suppress
from pathlib import Path

from patchgen.odb.opening import Location
from patchgen.quoting import quote_path
from patchgen.scratch import scratch_folder

_PACKS = "objects/pack"


def is_partial_clone(location: Location) -> bool:
    """Return whether a repository has packs of a partial clone (git-pack-objects(1), .promisor)."""
    return any((location.git_dir / _PACKS).glob("*.promisor"))


class PartialView:
    """A folder that git reads as a repository, with links to another's refs, and its objects."""

    def __init__(self, location: Location):
        stack = ExitStack()
        self.git_dir = stack.enter_context(scratch_folder("view"))
        self._end = weakref.finalize(self, stack.close)
        write_skeleton(self.git_dir, location, bare=True)
        # As in contrib/workdir/git-new-workdir. HEAD is copied: as a link it would be a symref.
        for name in ("refs", "packed-refs"):
            (self.git_dir / name).symlink_to(location.git_dir / name)
        with suppress(OSError):
            shutil.copyfile(location.own_dir / "HEAD", self.git_dir / "HEAD")

    def close(self) -> None:
        """Remove the folder."""
        self._end()


def write_skeleton(git_dir: Path, location: Location, *, bare: bool) -> None:
    """Make `git_dir` a repository without refs that borrows all objects of another."""
    (git_dir / "objects/info").mkdir(parents=True)
    (git_dir / "HEAD").write_text("ref: refs/heads/none\n")
    version = (
        "\trepositoryformatversion = 0\n"
        if location.object_format == "sha1"
        else "\trepositoryformatversion = 1\n"
        f"[extensions]\n\tobjectFormat = {location.object_format}\n"
    )
    bareness = f"[core]\n\tbare = {'true' if bare else 'false'}\n"
    (git_dir / "config").write_text(bareness + version)
    alternates = git_dir / "objects/info/alternates"
    alternates.write_bytes(quote_path(location.git_dir / "objects") + b"\n")
    if os.path.lexists(location.git_dir / "shallow"):
        shutil.copyfile(location.git_dir / "shallow", git_dir / "shallow")
