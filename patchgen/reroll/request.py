# SPDX-License-Identifier: GPL-2.0-or-later
"""The request and the result of a reroll, and the request's form while it waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.plan import LeftOut
from patchgen.pipeline.generate import VariantRequest
from patchgen.reroll.changelog import DroppedTag
from patchgen.series import Record


@dataclass(frozen=True, slots=True)
class RerollRequest:
    """The parameters of `patchgen reroll`.

    `branch` None means the current branch; `base` None, the branch's base; `revision` None, the
    next version. `variant` is a folder, needed if the record names a variant that is not shipped.
    With `resume`, the request of the waiting reroll is used.
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
    resume: bool = False


@dataclass(frozen=True, slots=True)
class RerollResult:
    """The result of a reroll.

    If it stopped, `conflicts` are files with markers that wait for a person, and `sides` files that
    contain one side of a conflict each. `range_diff` compares with the newest version that was
    sent, or with the branch if none was; "" if all patches are the same. `left_out` are the
    backends and patches that the variant does not make on the base.
    """

    branch: str
    revision: int
    subjects: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    dropped: tuple[DroppedTag, ...] = ()
    range_diff: str = ""
    mails: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    stopped_at: str = ""
    conflicts: tuple[Path, ...] = ()
    sides: tuple[Path, ...] = ()
    tip: Oid | None = None
    left_out: tuple[LeftOut, ...] = ()


def to_document(request: RerollRequest, branch: str) -> dict[str, Any]:
    """Return a request as a JSON value. The branch is named, whatever is checked out later."""
    document = asdict(replace(request, branch=branch))
    for key in ("tree", "resume"):
        del document[key]
    if "/" in (document["variant"] or ""):
        document["variant"] = str(Path(document["variant"]).absolute())
    for key in ("changelog", "output", "get_maintainer"):
        document[key] = str(Path(document[key]).absolute()) if document[key] else None
    return document


def from_document(request: RerollRequest, document: Mapping[str, Any]) -> RerollRequest:
    """Return the request in a JSON value, for the tree of another request.

    Raises RefusedError if `to_document` did not make it.
    """
    from pydantic import TypeAdapter

    overrides = {"tree": request.tree, "resume": True}
    try:
        unknown = document.keys() - {field.name for field in fields(RerollRequest)}
        if unknown:
            raise ValueError(f"it has {min(unknown)!r}")
        return TypeAdapter(RerollRequest).validate_python({**document, **overrides})
    except ValueError as err:
        raise RefusedError(
            f"the request of the waiting reroll cannot be read: {err}",
            hint="`patchgen reroll --abort` removes it; then start again",
        ) from None


def build_variant_request(request: RerollRequest, record: Record, base: str) -> VariantRequest:
    """Return what to generate: what the record has, changed by the options of the reroll.

    `base` is that of the branch.
    """
    defined = {definition.partition("=")[0] for definition in request.definitions}
    recorded = [
        definition
        for definition in record.definitions
        if definition.partition("=")[0] not in defined
    ]
    return replace(
        VariantRequest.from_record(record, request.variant or record.variant),
        base=request.base or base,
        backends=request.backends or record.backends,
        definitions=(*recorded, *request.definitions),
    )
