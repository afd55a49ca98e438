# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts of a campaign: the messages of its patches, its cover letter, and its record."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from patchgen import __version__
from patchgen.campaign.groups import PatchGroup
from patchgen.campaign.messages import excerpt, make_subjects
from patchgen.campaign.places import PlaceCount
from patchgen.campaign.prefixes import learn_style
from patchgen.campaign.texts import CampaignTexts
from patchgen.campaign.trees import History
from patchgen.coccinelle import find_spatch
from patchgen.controls import escape_controls
from patchgen.model.base import Oid
from patchgen.model.series import CommitDraft, Cover, Identity
from patchgen.model.sweep import CampaignRequest, Sweep
from patchgen.odb import Quarantine, digest_commits, git_version
from patchgen.process import map_parallel
from patchgen.resources import shipped_folder
from patchgen.series import (
    Record,
    RecordedPatch,
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
class SplitChange:
    """The change that a sweep found, and its texts: the groups become one patch each.

    `counts` are the places of each group.
    """

    request: CampaignRequest
    run: SweepRequest
    sweep: Sweep
    command: str
    groups: tuple[PatchGroup, ...]
    counts: tuple[PlaceCount, ...]
    texts: CampaignTexts

    def draft(self, history: History, signer: Identity) -> list[CommitDraft]:
        """Return the patches with their messages; subjects begin as those of the history."""
        learn = partial(learn_style, history)
        styles = map_parallel(learn, self.groups, workers=os.cpu_count() or 1)
        text = self.texts.message
        drafts = []
        for group, count, subject in zip(
            self.groups,
            self.counts,
            make_subjects(styles, self.groups, text.subject),
            strict=True,
        ):
            rendered = self._render(
                "campaign-message.txt.j2", subject=subject, purpose=text.body, places=str(count)
            )
            message = str(
                parse_message(rendered).with_trailers(text.trailers).with_notes(text.notes)
            )
            if self.request.sign_off:
                message = sign_off(message, signer)
            drafts.append(CommitDraft(message, group.edits))
        return drafts

    def render_cover(self, drafts: Sequence[CommitDraft]) -> Cover:
        """Return the cover letter; its trailers are part of the body."""
        text = self.texts.cover
        trailers = "\n".join(map(str, text.trailers))
        left = self.sweep.leftovers.by_reason if self.sweep.leftovers else {}
        changed = sum(count.changed for count in self.counts)
        rendered = self._render(
            "campaign-cover.txt.j2",
            subject=text.subject,
            purpose="\n\n".join(part for part in (text.body, trailers) if part),
            places=str(PlaceCount(changed, len(self.sweep.edits), left)),
            split=self.request.split,
            files=len(self.sweep.edits),
            # Without the files' contents: templates are rendered in another process.
            groups=[
                (draft.subject, {"name": group.name, "edits": list(map(str, group.paths))})
                for draft, group in zip(drafts, self.groups, strict=True)
            ],
        )
        first, _, body = rendered.partition("\n")
        return Cover(first, body.strip("\n") + "\n", f"{text.notes}\n" if text.notes else "")

    def record(
        self,
        quarantine: Quarantine,
        revision: int,
        drafts: Sequence[CommitDraft],
        cover: Cover,
        commits: Sequence[Oid],
    ) -> Record:
        """Return what a later version compares itself with."""
        request, base, name = self.request, self.sweep.base, self.sweep.public_name
        change_digests = digest_commits(quarantine, base.oid, commits[-1])
        patches = enumerate(zip(self.groups, drafts, commits, strict=True), 1)
        return Record(
            variant=name,
            split=request.split,
            recipients=request.policy.roles,
            max_recipients=request.policy.max_recipients,
            revision=revision,
            cover=digest_cover(cover),
            tools=_list_tools(),
            patches=tuple(
                RecordedPatch(
                    name=str(number),
                    subject=draft.subject,
                    message=digest_message(draft.message),
                    content=change_digests[commit],
                    files=tuple(map(str, group.paths)),
                    # All patches have the same, so one copy is enough.
                    semantic_patches={name: self.run.program.patch.text} if number == 1 else {},
                )
                for number, (group, draft, commit) in patches
            ),
            **record_options(base, request),
        )

    def _render(self, template: str, **context: object) -> str:
        base = self.sweep.base
        context |= {
            "origin": {"name": self.sweep.public_name, "command": self.command},
            "text": excerpt(self.run.program.patch.text),
            "base": {"describe": base.describe, "version": base.version},
            "tools": _list_tools(),
        }
        text = render_text(template, [SourceFolder(shipped_folder("templates"))], context)
        # It contains paths, names from MAINTAINERS, and text of the semantic patch.
        text = escape_controls(text, allow="\n\t")
        return "\n".join(line.rstrip() for line in text.strip("\n").split("\n")) + "\n"


def _list_tools() -> dict[str, str]:
    return {"patchgen": __version__, "spatch": find_spatch().version, "git": git_version()}
