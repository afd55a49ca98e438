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
from patchgen.paths import absolute_path
from patchgen.pipeline.generate import VariantRequest
from patchgen.reroll.changelog import DroppedTag
from patchgen.series import Record


@dataclass(frozen=True, slots=True)
class RerollRequest:
    """The parameters of `patchgen reroll`.

    `branch` None means the current branch; `base` None, the branch's base; `revision` None, the
    next version. `variant` is a name or a folder; None means where the series' variant was before.
    For a campaign, `semantic_patch` replaces the recorded one, `only_built` is the .config of a run
    that was restricted by one, and `trusted` lets the semantic patch run code. With `resume`, the
    request of the waiting reroll is used.
    """

    tree: Path
    branch: str | None = None
    base: str | None = None
    revision: int | None = None
    new_branch: str | None = None
    variant: str | None = None
    definitions: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    semantic_patch: str | None = None
    only_built: Path | None = None
    trusted: bool = False
    changes: tuple[str, ...] = ()
    changelog: Path | None = None
    output: Path | None = None
    get_maintainer: Path | None = None
    force: bool = False
    dry_run: bool = False
    resume: bool = False

    @property
    def campaign_options(self) -> tuple[str, ...]:
        """The parameters in use that only campaigns have."""
        return self._list_used("semantic_patch", "only_built", "trusted")

    @property
    def variant_options(self) -> tuple[str, ...]:
        """The parameters in use that only variants have."""
        return self._list_used("variant", "backends")

    def _list_used(self, *names: str) -> tuple[str, ...]:
        return tuple(name for name in names if getattr(self, name))


@dataclass(frozen=True, slots=True)
class RerollResult:
    """The result of a reroll.

    If it stopped, `conflicts` are files with markers that wait for a person, and `sides` files that
    contain one side of a conflict each. `range_diff` compares with the newest version that was
    sent, or with the branch if none was; "" if all patches are the same. `left_out` are the
    backends and patches that the variant does not make on the base. `unsent` is the version of the
    branch if it was not sent and could be made again, else None; `old_branch` is that branch, and
    `old_checkout` the work tree that has it checked out, if any: it cannot be moved there.
    `cover_changed` is set if the cover letter above its change log differs from the branch's.
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
    unsent: int | None = None
    cover_changed: bool = False
    old_branch: str = ""
    old_checkout: Path | None = None


def to_document(request: RerollRequest, branch: str) -> dict[str, Any]:
    """Return a request as a JSON value, with the name of the branch to reroll."""
    document = asdict(replace(request, branch=branch))
    for key in ("tree", "resume"):
        del document[key]
    for key in ("variant", "semantic_patch"):
        name = document[key] or ""
        if "/" in name or Path(name).is_file():
            document[key] = str(absolute_path(Path(name)))
    for key in ("changelog", "output", "get_maintainer", "only_built"):
        document[key] = str(absolute_path(Path(document[key]))) if document[key] else None
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
            code="state-damaged",
            hint="`patchgen reroll --abort` removes it; then start again",
        ) from None


def build_variant_request(
    request: RerollRequest, record: Record, base: str, variant: str
) -> VariantRequest:
    """Return the request to generate a variant again: the recorded one, with the reroll's options.

    `base` is that of the branch, and `variant` the name or the folder of the variant.
    """
    return replace(
        VariantRequest.from_record(record, variant),
        base=request.base or base,
        backends=request.backends or record.backends,
        definitions=record.join_definitions(request.definitions),
    )
