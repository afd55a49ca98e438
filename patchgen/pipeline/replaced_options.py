# SPDX-License-Identifier: GPL-2.0-or-later
"""Warn if --force replaces a version that was made with options which the new one lacks."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from patchgen.errors import RefusedError
from patchgen.model.base import Oid
from patchgen.model.series import SeriesOptions
from patchgen.odb import Git, read_commit
from patchgen.series import Record, find_tracking, parse_message, read_record


def warn_of_replaced(
    git: Git,
    old_tip: Oid | None,
    variant: str,
    options: SeriesOptions,
    definitions: Sequence[str],
    backends: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return a warning with the options of a replaced version that the new one lacks.

    `old_tip` is the last commit of the replaced branch, None without one. `variant` names what
    makes the new version, `options`, `definitions` and `backends` are its own.
    """
    if old_tip is None:
        return ()
    try:
        record = read_record(find_tracking(git, old_tip))
    except RefusedError:
        record = None
    if record is not None and record.variant != variant:
        return ()
    trailers = parse_message(read_commit(git, old_tip).message).trailers
    is_signed = any(trailer.name == "Signed-off-by" for trailer in trailers)
    lost = ["--signoff"] if is_signed and not options.sign_off else []
    if record is not None:
        lost += _list_lost(record, options, definitions, backends)
    if not lost:
        return ()
    return (
        f"the replaced version had other options: add `{shlex.join(lost)}` to this command to "
        "make it with them again",
    )


def _list_lost(
    record: Record, options: SeriesOptions, definitions: Sequence[str], backends: Sequence[str]
) -> Iterator[str]:
    names = {text.partition("=")[0] for text in definitions}
    for text in record.definitions:
        if text.partition("=")[0] not in names:
            yield from ("-D", text)
    for backend in record.backends if not backends else ():
        yield from ("--backend", backend)
    for option, recorded, given in (
        ("--to", record.to, options.to),
        ("--cc", record.cc, options.cc),
        ("--cc-cover", record.cover_cc, options.cover_cc),
    ):
        for person in recorded:
            if person not in given:
                yield from (option, person)
