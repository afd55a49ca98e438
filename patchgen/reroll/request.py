"""What is asked of a reroll, what comes of it, and how a request waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from patchgen.errors import BaseError
from patchgen.model.base import Oid
from patchgen.model.plan import LeftOut


@dataclass(frozen=True, slots=True)
class RerollRequest:
    """What the user asked for.

    `branch` None means the one that is checked out; `base` None, the base that it has; `revision`
    None, the next one. `variant` is a folder, where the record's name is of none that is shipped.
    With `go_on` all of it is taken from the reroll that waits.
    """

    tree: Path
    branch: str | None = None
    base: str | None = None
    revision: int | None = None
    new_branch: str | None = None
    variant: str | None = None
    definitions: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    changelog: Path | None = None
    output: Path | None = None
    get_maintainer: Path | None = None
    force: bool = False
    dry_run: bool = False
    go_on: bool = False


@dataclass(frozen=True, slots=True)
class RerollResult:
    """What came of it.

    If it stopped, `conflicts` are the files that wait for a person, with markers, and `sides` those
    that have one side of a conflict each. `range_diff` compares with the newest version that went
    out, or with the branch where none did; "" where all patches are the same. `left_out` are the
    backends and patches that the variant does not make on the base.
    """

    branch: str
    revision: int
    subjects: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    range_diff: str = ""
    mails: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    stopped_at: str = ""
    conflicts: tuple[Path, ...] = ()
    sides: tuple[Path, ...] = ()
    tip: Oid | None = None
    left_out: tuple[LeftOut, ...] = ()


def to_document(request: RerollRequest, branch: str) -> dict[str, Any]:
    """Return a request as JSON has it: the branch by its name, whatever is checked out later."""
    document = asdict(replace(request, branch=branch))
    for key in ("tree", "go_on"):
        del document[key]
    if "/" in (document["variant"] or ""):
        document["variant"] = str(Path(document["variant"]).absolute())
    for key in ("changelog", "output", "get_maintainer"):
        document[key] = str(Path(document[key]).absolute()) if document[key] else None
    return document


def from_document(request: RerollRequest, document: Mapping[str, Any]) -> RerollRequest:
    """Return a request that JSON has, for the tree of another one.

    Raises BaseError where it is not one that `to_document` makes.
    """
    from pydantic import TypeAdapter

    own = {"tree": request.tree, "go_on": True}
    try:
        unknown = document.keys() - {each.name for each in fields(RerollRequest)}
        if unknown:
            raise ValueError(f"it has {min(unknown)!r}")
        return TypeAdapter(RerollRequest).validate_python({**document, **own})
    except ValueError as err:
        raise BaseError(
            f"the reroll that waits cannot be read: {err}",
            hint="`patchgen reroll --abort` removes it; then begin again",
        ) from None
