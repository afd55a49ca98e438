# SPDX-License-Identifier: GPL-2.0-or-later
"""The status of a campaign with a patch at each stage, whose names are markup."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import PurePosixPath

from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.outcome import Site
from patchgen.model.series import Cover
from patchgen.series import Record, SeriesBranch, Tracking
from patchgen.status import (
    FileStatus,
    PatchState,
    PatchStatus,
    SentMail,
    SeriesStatus,
    Stage,
    UpstreamCommit,
)
from patchgen.status.page import PatchOwners, render_page

MARKUP = '<img src=x onerror="document.title=1">'
PEOPLE = tuple(
    f"{name} Maintainer <{name.lower()}@example.org>" for name in ("Ada", "Bea", "Cy", "Di", "Eve")
)
_NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
_BASE = Oid("b" * 40)
_MAIL = SentMail(f"{MARKUP}@example.org", 1.79e9, ("Zoe <zoe@example.org>",), (MARKUP,))
_ACK = "Acked-by: Rea Reviewer <rea@example.org>\n"


def hostile_page() -> str:
    """Return the page of the status."""
    tree = ("net-next", f"https://git.example.org/{MARKUP}.git")
    owners = [PatchOwners((tree,), PEOPLE[: 5 * (number % 2)]) for number, _ in enumerate(Stage)]
    return render_page(hostile_status(), owners, _NOW)


def hostile_status() -> SeriesStatus:
    """Return a status with one patch at each stage, in the order of the stages."""
    patches = tuple(_make_patch(stage, number) for number, stage in enumerate(Stage, 1))
    series = SeriesBranch(
        f"patchgen/{MARKUP}",
        _BASE,
        patches[-1].commit.oid,
        tuple(patch.commit for patch in patches),
        Oid("c" * 40),
        Cover(f"treewide: {MARKUP}: Rename it", "Text.\n"),
        Tracking("20261128-it-0123456789ab", 2, history={"v1": (f"1-{MARKUP}@example.org",)}),
        Record(variant=f"{MARKUP}.cocci", revision=2, base=_BASE, describe="v6.12", split="tree"),
    )
    return SeriesStatus(
        series,
        (_BASE, "v6.12"),
        (Oid("d" * 40), MARKUP),
        newer=1,
        patches=patches,
        mail=SentMail("2@example.org", 1.78e9),
        warnings=(f"{MARKUP} is not a warning",),
    )


def _make_patch(stage: Stage, number: int) -> PatchStatus:
    """Return a patch at a stage, with `number` files."""
    is_open = stage in (Stage.ACKED, Stage.SENT, Stage.NEEDED)
    state = PatchState.NEEDED if is_open else PatchState(stage)
    makers = (UpstreamCommit(Oid("e" * 40), MARKUP),) if stage is Stage.APPLIED else ()
    files = tuple(
        FileStatus(PurePosixPath(f"drivers/{stage}/{MARKUP}{index}.c"), state, 1, made_by=makers)
        for index in range(number)
    )
    message = (
        f"net: {stage}: {MARKUP}\n\nText.\n\n{_ACK if stage is Stage.ACKED else ''}Cc: <a@b>\n"
    )
    commit = Commit(
        Oid(f"{number:040x}"),
        Oid("f" * 40),
        "A <a@b>",
        "A <a@b>",
        message,
        tuple(f.path for f in files),
    )
    return PatchStatus(
        commit,
        files,
        present_at=Site(PurePosixPath(f"{MARKUP}.c"), 7) if stage is Stage.APPLIED else None,
        mail=_MAIL if stage in (Stage.ACKED, Stage.SENT) else None,
    )
