# SPDX-License-Identifier: GPL-2.0-or-later
"""Record the run that made a campaign, and restore the request from the record."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from patchgen.campaign.texts import choose_texts
from patchgen.coccinelle import read_header
from patchgen.model.sweep import CampaignRequest, Split
from patchgen.series import Record, RecordedRun
from patchgen.sweep import Lookup, OptionFiles, RunRequest, SweepRequest


def record_run(sweep: SweepRequest, request: CampaignRequest) -> RecordedRun:
    """Return the options and files that a result depends on, besides the semantic patch itself."""
    run, files = sweep.run, sweep.run.files
    return RecordedRun(
        sources=sweep.sources,
        paths=tuple(map(str, run.paths)),
        since=sweep.since,
        only_built=run.only_built is not None,
        macros=run.macros,
        macro_files=files.macros,
        isomorphisms=files.isomorphisms,
        headers=files.headers,
        folders=files.folders,
        with_headers=run.with_headers,
        style=run.style,
        timeout_s=run.timeout_s,
        max_patches=request.max_patches,
        subject=request.subject,
        message=request.message,
        cover=request.cover,
    )


def restore_run(
    record: Record,
    run: RecordedRun,
    tree: Path,
    base: str,
    *,
    definitions: tuple[str, ...] = (),
    trusted: bool = False,
) -> RunRequest:
    """Return the request to run the semantic patch of a record again, on a base.

    `definitions` are added, and replace recorded ones of the same name. A .config is not recorded,
    so the request has none.
    """
    return RunRequest(
        record.variant,
        tree=tree,
        base=base,
        paths=tuple(map(PurePosixPath, run.paths)),
        definitions=record.join_definitions(definitions),
        since=run.since,
        trusted=trusted,
        style=run.style,
        with_headers=run.with_headers,
        timeout_s=run.timeout_s,
        files=OptionFiles(run.macro_files, run.isomorphisms, run.headers, run.folders),
        macros=run.macros,
    )


def restore_campaign(record: Record, run: RecordedRun) -> CampaignRequest:
    """Return the request to divide the change of a record's semantic patch again."""
    return CampaignRequest(
        Split(record.split),
        max_patches=run.max_patches,
        recipients=record.recipients,
        max_recipients=record.max_recipients,
        subject=run.subject,
        message=run.message,
        cover=run.cover,
        **asdict(record.options),
    )


def read_recorded_notes(record: Record, run: RecordedRun) -> str:
    """Return the text that was generated below the cut of each message of a record's campaign."""
    header = read_header("".join(_read_semantic_patch(record).values()))
    return choose_texts(restore_campaign(record, run), header, record.variant).message.notes


def _read_semantic_patch(record: Record) -> Mapping[str, str]:
    """Return the semantic patch of a record, by name; empty if the record has no patches."""
    return record.find_semantic_patches(record.patches[0]) if record.patches else {}


def look_up_recorded(record: Record, run: RecordedRun, tree: Lookup) -> Lookup:
    """Return functions that find the semantic patch of a record, and the files that it names.

    Folders that it names are looked up in `tree`.
    """
    folder = posixpath.dirname(record.variant)
    texts = {posixpath.join(folder, name): text for name, text in run.sources.items()}
    texts.update(_read_semantic_patch(record))

    def read(name: str) -> bytes | None:
        text = texts.get(name)
        return text.encode() if text is not None else None

    return Lookup(read, read, tree.is_folder, is_recorded=True)
