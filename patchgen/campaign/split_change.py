# SPDX-License-Identifier: GPL-2.0-or-later
"""A campaign before it is written: its patches, their messages, cover letter and record."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from patchgen.campaign.groups import PatchGroup, list_names
from patchgen.campaign.messages import excerpt
from patchgen.campaign.places import PlaceCount, join_counts, name_left
from patchgen.campaign.recorded_run import record_run
from patchgen.campaign.texts import CampaignTexts
from patchgen.controls import escape_controls
from patchgen.model.base import Base, TreeReader
from patchgen.model.finding import list_first
from patchgen.model.leftover import Leftovers
from patchgen.model.plan import LeftOut
from patchgen.model.series import CommitDraft, Cover, Identity, Signatures
from patchgen.model.sweep import CampaignRequest, Split, Sweep
from patchgen.odb import GitTree
from patchgen.resources import shipped_folder
from patchgen.series import (
    HandWork,
    Record,
    RecordedPatch,
    SeriesDraft,
    digest_cover,
    digest_message,
    parse_message,
    record_options,
    sign_off,
)
from patchgen.sourcefolder import SourceFolder
from patchgen.sweep import SweepRequest
from patchgen.templating import render_text


@dataclass(frozen=True, slots=True)
class SplitPatch:
    """A patch of a campaign. All versions of the campaign have the same `name` for it."""

    name: str
    subject: str
    group: PatchGroup
    count: PlaceCount


@dataclass(frozen=True, slots=True)
class SplitChange:
    """The change that a sweep found, divided into patches, and its texts.

    `tree` is that of the base. `tools` are the versions that the messages name. `warnings` are
    about the division and the texts. `declarations` are the files of several patches with changes
    that other files may depend on. `unchanged` are the files that a person took out of the series,
    for its cover letter.
    """

    request: CampaignRequest
    run: SweepRequest
    sweep: Sweep
    revision: int
    patches: tuple[SplitPatch, ...]
    texts: CampaignTexts
    tree: GitTree
    tools: Mapping[str, str]
    warnings: tuple[str, ...] = ()
    declarations: tuple[PurePosixPath, ...] = ()
    unchanged: frozenset[PurePosixPath] = frozenset()

    @property
    def base(self) -> Base:
        """The commit that the patches are based on."""
        return self.sweep.base

    @property
    def present(self) -> frozenset[str]:
        """The names of patches that the base has: always empty, as the rule finds only new ones."""
        return frozenset()

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The parts that are not made on the base: always empty, as only variants have parts."""
        return ()

    @property
    def is_empty(self) -> bool:
        """Whether the semantic patch changes nothing."""
        return not self.patches

    @property
    def why_empty(self) -> str:
        """Why `is_empty`, as a clause."""
        absent = self.sweep.leftovers.absent if self.sweep.leftovers is not None else ()
        unfinished = list_first(list(map(str, self.sweep.unfinished)))
        return (
            f"{self.title} changes nothing in {self.base.describe}"
            + (f"; no file has {', '.join(absent)}" if absent else "")
            + (f"; spatch did not finish {unfinished}" if unfinished else "")
        )

    @property
    def title(self) -> str:
        """The name of the semantic patch."""
        return self.sweep.public_name

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the patches."""
        return tuple(patch.name for patch in self.patches)

    def cite_from(self, tree: TreeReader) -> SplitChange:
        """Return the same without the files that a tree, that of the series, has as the base."""
        paths = [str(path) for patch in self.patches for path in patch.group.paths]
        before = {(file.path, file.oid) for file in self.tree.find(paths)}
        unchanged = {file.path for file in tree.find(paths) if (file.path, file.oid) in before}
        return replace(self, unchanged=frozenset(unchanged))

    def draft(self, signatures: Signatures, hand_work: HandWork | None = None) -> SeriesDraft:
        """Return the messages, the cover letter and the record of the series.

        `hand_work` are the hand edits in the branch, None for none.
        """
        hand = hand_work or HandWork()
        signer = signatures.committer if self.request.sign_off else None
        drafts = {patch.name: self._draft(patch, signer, hand) for patch in self.patches}
        cover = self._render_cover(hand)
        return SeriesDraft(drafts, cover, self._record(drafts, cover, hand))

    def _draft(self, patch: SplitPatch, signer: Identity | None, hand: HandWork) -> CommitDraft:
        text = self.texts.message
        rendered = self._render(
            "campaign-message.txt.j2",
            subject=patch.subject,
            purpose=text.body,
            places=str(join_counts([part.count for part in self._list_parts(patch, hand)])),
            edited=patch.name in hand.edited,
        )
        message = str(parse_message(rendered).with_trailers(text.trailers).with_notes(text.notes))
        return CommitDraft(sign_off(message, signer) if signer else message, patch.group.edits)

    def _render_cover(self, hand: HandWork) -> Cover:
        """Return the cover letter; its trailers are part of the body."""
        text = self.texts.cover
        trailers = "\n".join(map(str, text.trailers))
        patches = [patch for patch in self.patches if patch.name not in hand.left_out]
        leftovers = self.sweep.leftovers or Leftovers()
        changed = sum(patch.count.changed for patch in self.patches)
        all_files = sum(len(patch.group.edits) for patch in self.patches)
        subjects = {patch.name: patch.subject for patch in patches} | dict(hand.subjects)
        rendered = self._render(
            "campaign-cover.txt.j2",
            subject=text.subject,
            purpose="\n\n".join(part for part in (text.body, trailers) if part),
            places=str(
                PlaceCount(changed, all_files, leftovers.by_reason, words=name_left(leftovers))
            ),
            split=self.request.split,
            all_files=all_files,
            files=all_files - len(self.unchanged),
            groups=[self._describe_group(patch, subjects[patch.name], hand) for patch in patches],
            edited=[subjects[name] for name in hand.edited],
            by_hand=list(hand.added),
            has_declarations=bool(self.declarations),
        )
        first, _, body = rendered.partition("\n")
        return Cover(first, body.strip("\n") + "\n", f"{text.notes}\n" if text.notes else "")

    def _describe_group(
        self, patch: SplitPatch, subject: str, hand: HandWork
    ) -> tuple[str, dict[str, Any]]:
        """Return a patch of the cover letter's list, with the files of those squashed into it."""
        groups = [part.group for part in self._list_parts(patch, hand)]
        # Without the files' contents: templates are rendered in another process.
        paths = {
            str(path) for group in groups for path in group.paths if path not in self.unchanged
        }
        return subject, {
            "name": list_names([self._name_taker(group) for group in groups])
            if len(groups) > 1
            else self._name_taker(patch.group),
            "edits": sorted(paths),
        }

    def _list_parts(self, patch: SplitPatch, hand: HandWork) -> list[SplitPatch]:
        """Return a patch, and those that were squashed into it."""
        return [
            patch,
            *(part for part in self.patches if hand.squashed.get(part.name) == patch.name),
        ]

    def _name_taker(self, group: PatchGroup) -> str:
        """Return the address of the git tree that takes a patch, else what its files share."""
        if self.request.split is Split.TREE and group.tree is not None:
            return list_names((group.tree.location,))
        return group.name

    def _record(self, drafts: Mapping[str, CommitDraft], cover: Cover, hand: HandWork) -> Record:
        """Return the record that a later version is made from and compared with.

        `write_patches` sets the patches' `content`.
        """
        request, run = self.request, self.run
        patches = [
            RecordedPatch(
                name=patch.name,
                group=patch.group.names,
                subject=patch.subject,
                message=digest_message(drafts[patch.name].message),
                files=tuple(map(str, patch.group.paths)),
            )
            for patch in self.patches
        ]
        if patches:
            # All patches have the same semantic patch, so it is recorded once.
            texts = {self.title: run.program.patch.text}
            patches[0] = patches[0].model_copy(update={"semantic_patches": texts})
        return Record(
            variant=self.title,
            split=request.split,
            recipients=request.policy.roles,
            max_recipients=request.policy.max_recipients,
            revision=self.revision,
            cover=digest_cover(cover),
            tools=self.tools,
            definitions=run.run.definitions,
            run=record_run(run, request),
            hand=hand,
            patches=tuple(patches),
            **record_options(self.base, request),
        )

    def _render(self, template: str, **context: Any) -> str:
        context |= {
            "origin": {"name": self.title, "command": format_command(self.run, self.title)},
            "text": excerpt(self.run.program.patch.text),
            "base": {"describe": self.base.describe, "version": self.base.version},
            "tools": self.tools,
        }
        text = render_text(template, [SourceFolder(shipped_folder("templates"))], context)
        # It contains paths, names from MAINTAINERS, and text of the semantic patch.
        text = escape_controls(text, allow="\n\t")
        return "\n".join(line.rstrip() for line in text.strip("\n").split("\n")) + "\n"


def format_command(request: SweepRequest, name: str) -> str:
    """Return the command line for messages, with each option that the result depends on.

    Readers do not have the user's own files, so FILE stands for their names.
    """
    run, files = request.run, request.run.files
    options = [
        *(("-D", definition) for definition in run.definitions),
        *((("--since", run.since),) if run.since else ()),
        *((("--only-built", "FILE"),) if run.only_built else ()),
        *((("--macro-file", "FILE"),) if files.macros else ()),
        *((("--iso-file", "FILE"),) if files.isomorphisms else ()),
        *(("--include", "FILE") for _ in files.headers),
        *(("-I", folder) for folder in files.folders),
        *((("--macros", "FILE" if run.macros else "none"),) if run.macros is not None else ()),
        *((("--no-headers",),) if not run.with_headers else ()),
        *((("--no-style",),) if not run.style else ()),
    ]
    paths = map(str, run.paths)
    return shlex.join(["patchgen", "run", name, *paths, *(arg for args in options for arg in args)])
