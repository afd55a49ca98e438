# SPDX-License-Identifier: GPL-2.0-or-later
"""Join the changes of headers that spatch made while it ran on the files that include them.

spatch changes a header together with each file that includes it, and patchgen may also run spatch
on the header alone. Each result is a whole header. If they differ, spatch drops the change
(cocci.ml, check_duplicate_modif); patchgen reports an error.

spatch also drops a change if another file includes the header and does not change it. patchgen
makes the change and adds a note: the other file may not include the types that the rule needs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.errors import RefusedError
from patchgen.model.outcome import FileResult
from patchgen.sweep.hunks import find_hunks


@dataclass(frozen=True, slots=True)
class HeaderChange:
    """The new text of a header, and the first file that includes it and leads to this text."""

    path: PurePosixPath
    after: bytes
    includer: PurePosixPath

    def join_own(self, before: bytes, own: bytes) -> None:
        """Compare it with the result of the header as a file of its own.

        Files that include it may know more types, so that a rule matches in more places. Raises
        RefusedError if a change is missing here.
        """
        if not set(find_hunks(before, own)) <= set(find_hunks(before, self.after)):
            raise _differ(self.path, f"it alone and on {self.includer}")


def find_header_changes(outcomes: Iterable[FileResult]) -> dict[PurePosixPath, HeaderChange]:
    """Return the changes of headers by their paths.

    Raises RefusedError if two files change a header in different ways.
    """
    found: dict[PurePosixPath, HeaderChange] = {}
    for outcome in outcomes:
        for path, after in outcome.headers:
            change = found.setdefault(path, HeaderChange(path, after, outcome.path))
            if after != change.after:
                raise _differ(path, f"{change.includer} and on {outcome.path}")
    return found


def describe_partial_changes(
    outcomes: Iterable[FileResult], includers: Mapping[str, Collection[PurePosixPath]]
) -> list[str]:
    """Return a note for each header that some of its includers change and others do not.

    `includers` are the files that were run, by the names of the headers that they include.
    """
    changers: dict[PurePosixPath, set[PurePosixPath]] = {}
    for outcome in outcomes:
        for path, _ in outcome.headers:
            changers.setdefault(path, set()).add(outcome.path)
    notes = []
    for path, changing in sorted(changers.items()):
        if unchanging := set(includers.get(str(path), ())) - changing:
            files = f"{min(changing)}, but not on {min(unchanging)}"
            notes.append(f"{path} is changed when spatch runs on {files}")
    return notes


def _differ(path: PurePosixPath, files: str) -> RefusedError:
    return RefusedError(
        f"{path} is changed differently when spatch runs on {files}",
        code="header-changes-differ",
        hint="name files to run on one by one, or leave headers out",
        parameters=("with_headers",),
    )
