# SPDX-License-Identifier: GPL-2.0-or-later
"""The interface by which a reroll generates the patches of a variant or a campaign again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from patchgen.edit import OnProgress
from patchgen.model.base import Base, TreeReader
from patchgen.model.plan import LeftOut
from patchgen.model.series import Signatures
from patchgen.series import HandWork, SeriesDraft

# Gets the title of the stage of a reroll that begins, and returns where its progress goes.
OnStage = Callable[[str], OnProgress]


class Generated(Protocol):
    """Patches that were generated on a base. `names` are those of all patches, in order.

    `present` are the names of patches that the base already has. `title` is the name of the variant
    or of the semantic patch. `left_out` are the parts that are not made on the base.
    """

    @property
    def base(self) -> Base: ...
    @property
    def tree(self) -> TreeReader: ...
    @property
    def title(self) -> str: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def present(self) -> Collection[str]: ...
    @property
    def is_empty(self) -> bool: ...
    @property
    def why_empty(self) -> str:
        """Why `is_empty`, as a clause."""

    @property
    def left_out(self) -> tuple[LeftOut, ...]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...

    def cite_from(self, tree: TreeReader) -> Generated:
        """Return the same with the calls that its texts cite as they are in another tree."""

    def draft(self, signatures: Signatures, hand_work: HandWork | None = None) -> SeriesDraft:
        """Return the messages, the cover letter and the record; `hand_work` None means no edits."""


class SeriesSource(Protocol):
    """The source of a series: a variant, or the semantic patch of a campaign."""

    @property
    def old_notes(self) -> str | None:
        """The text generated below the cut of each message before, None if it is not recorded."""

    def plan(self, on_stage: OnStage) -> Mapping[str, bool]:
        """Return the names of the patches that may be made on the new base.

        The value of each is whether the base needs it for certain: an optional patch may change
        nothing. Raises a PatchgenError if the series cannot be made on the base.
        """

    def generate(self, on_stage: OnStage) -> Generated:
        """Return the patches on the new base, after `plan`."""

    def regenerate(self, on_stage: OnStage) -> Generated | None:
        """Return the patches of the version before, on its base; None if its input has changed.

        Raises a PatchgenError if they can no longer be generated.
        """

    def record_place(self) -> None:
        """Store where the source is, after the new version was published."""
