# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a campaign: from edits to a branch and mails, in the same way as a variant's series."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from patchgen import __version__
from patchgen.campaign.groups import PatchGroup, split_edits
from patchgen.campaign.merging import merge_groups
from patchgen.campaign.messages import WIDTH, excerpt, make_subjects, wrap
from patchgen.campaign.prefixes import learn_style
from patchgen.campaign.trees import History, assign_trees, open_history
from patchgen.coccinelle import Header, find_spatch
from patchgen.controls import escape_controls
from patchgen.kernel import find_file_trees
from patchgen.model.base import Base, Oid
from patchgen.model.series import CommitDraft, Cover, FileEdit, Identity, Signatures
from patchgen.model.sweep import CampaignRequest, Split, Sweep
from patchgen.odb import (
    GitTree,
    Quarantine,
    Repository,
    digest_commits,
    git_version,
    resolve_object,
)
from patchgen.pipeline.next_version import NextVersion, track_series
from patchgen.pipeline.prepare import (
    PreparedSeries,
    WrittenSeries,
    prepare_series,
    publish_series,
)
from patchgen.pipeline.recipients import find_people
from patchgen.pipeline.target import choose_new_target
from patchgen.process import map_parallel
from patchgen.resources import shipped_folder
from patchgen.series import (
    Record,
    RecordedPatch,
    digest_cover,
    digest_message,
    record_options,
    sign_off,
)
from patchgen.sourcefolder import SourceFolder
from patchgen.spec import People
from patchgen.sweep import SweepRequest
from patchgen.templating import render_text

# Leaves room for a prefix.
_MAX_SUBJECT = 55


@dataclass(frozen=True, slots=True)
class Campaign:
    """The series that was made: its groups and messages, one per patch, and its mails on disk."""

    branch: str
    groups: tuple[PatchGroup, ...]
    drafts: tuple[CommitDraft, ...]
    series: PreparedSeries
    mails: tuple[Path, ...]
    warnings: tuple[str, ...] = ()


def make_campaign(
    repository: Repository,
    request: CampaignRequest,
    run: SweepRequest,
    sweep: Sweep,
    command: str,
) -> Campaign:
    """Make a branch and mails from the edits of a sweep; there must be at least one edit.

    `command` is the command line that makes the edits, for messages. Raises RefusedError if the
    branch or the folder must not be used, ToolError if git does not know the user's identity.
    Nothing is written then.
    """
    base = sweep.base
    stem = PurePosixPath(sweep.public_name).stem
    version, target = choose_new_target(
        repository,
        stem,
        first_version=1,
        branch=request.branch,
        revision=request.revision,
        output=request.output,
        may_replace=request.force,
    )
    old_tip = target.check(repository)
    tree = GitTree(repository, base.tree)
    history = open_history(repository, base.oid)
    groups, problems = _group(tree, history, request, sweep.edits)
    change = _SplitChange(request, run, sweep, command, tuple(groups), history)
    signatures = repository.read_signatures(as_of=None if request.force else old_tip)
    people = find_people(repository, request)
    with Quarantine(repository) as quarantine:
        drafts = change.draft(signatures.committer)
        series = _prepare(
            quarantine, tree, change, drafts, version, target.branch, old_tip, signatures, people
        )
        reason = f"patchgen: run {sweep.public_name} v{version.revision}"
        mails = publish_series(quarantine, target, series, old_tip, reason)
    warnings = tuple(dict.fromkeys((*problems, *series.warnings, *_warn(drafts, request))))
    return Campaign(target.branch, change.groups, tuple(drafts), series, mails, warnings)


def _prepare(
    quarantine: Quarantine,
    tree: GitTree,
    change: _SplitChange,
    drafts: Sequence[CommitDraft],
    version: NextVersion,
    branch: str,
    old_tip: Oid | None,
    signatures: Signatures,
    people: People,
) -> PreparedSeries:
    """Write the patches, and return them with their cover letter, record and mails."""
    base = change.sweep.base
    commits = quarantine.write_commits(base.oid, drafts, signatures)
    _check_whole(quarantine, base, change.sweep.edits, commits[-1], signatures)
    cover = change.render_cover(drafts)
    tracking = track_series(
        quarantine,
        version,
        old_tip,
        title=PurePosixPath(change.sweep.public_name).stem,
        branch=branch,
        base=base.oid,
        tip=commits[-1],
        author=signatures.author,
    )
    record = change.record(quarantine, version.revision, drafts, cover, commits)
    return prepare_series(
        quarantine,
        WrittenSeries(base.oid, tree, commits, cover, tracking, record),
        signatures,
        people=people,
        get_maintainer=change.request.get_maintainer,
    )


def _group(
    tree: GitTree, history: History, request: CampaignRequest, edits: Sequence[FileEdit]
) -> tuple[list[PatchGroup], list[str]]:
    """Return the groups of edits that become patches, and warnings about MAINTAINERS."""
    by_tree = request.split is Split.TREE
    by_section = by_tree or request.split in (Split.MAINTAINER, Split.SUBSYSTEM)
    if not by_section and request.max_patches is None:
        return split_edits(edits, request.split, {}), []
    files = find_file_trees(tree, [edit.path for edit in edits])
    if files is None:
        groups = split_edits(edits, request.split, {})
        warnings = ["the base has no MAINTAINERS, so no git tree is known"] if by_tree else []
    else:
        trees = assign_trees(history if by_tree else history.forget(), files)
        groups = split_edits(edits, request.split, files.owners, trees)
        warnings = list(files.warnings)
        if by_tree and not history.is_known:
            warnings.append(
                "the base has no history that names who applied patches: the git trees are those "
                "of MAINTAINERS"
            )
    if request.max_patches is None:
        return groups, warnings
    joined = merge_groups(groups, request.max_patches)
    if len(joined) > request.max_patches:
        warnings.append(
            f"{len(joined)} patches are left, not {request.max_patches}: patches for different git "
            "trees are not joined"
        )
    return joined, warnings


@dataclass(frozen=True, slots=True)
class _SplitChange:
    """The change that a sweep found, and its texts: the groups become one patch each."""

    request: CampaignRequest
    run: SweepRequest
    sweep: Sweep
    command: str
    groups: tuple[PatchGroup, ...]
    history: History

    @property
    def header(self) -> Header:
        return self.run.header or Header()

    def draft(self, signer: Identity) -> list[CommitDraft]:
        """Return the patches with their messages."""
        learn = partial(learn_style, self.history)
        styles = map_parallel(learn, self.groups, workers=os.cpu_count() or 1)
        drafts = []
        for group, subject in zip(
            self.groups, make_subjects(styles, self.groups, self._summarise()), strict=True
        ):
            text = self._render("campaign-message.txt.j2", subject=subject)
            message = sign_off(text, signer) if self.request.sign_off else text
            drafts.append(CommitDraft(message, group.edits))
        return drafts

    def render_cover(self, drafts: Sequence[CommitDraft]) -> Cover:
        """Return the cover letter."""
        text = self._render(
            "campaign-cover.txt.j2",
            subject=f"treewide: {self._summarise()}",
            split=self.request.split,
            files=len(self.sweep.edits),
            # Without the files' contents: templates are rendered in another process.
            groups=[
                (draft.subject, {"name": group.name, "edits": list(map(str, group.paths))})
                for draft, group in zip(drafts, self.groups, strict=True)
            ],
        )
        first, _, body = text.partition("\n")
        return Cover(first, body.strip("\n") + "\n")

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
            recipients=request.policy.who,
            max_recipients=request.policy.most,
            revision=revision,
            cover=digest_cover(cover),
            tools=_tools(),
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

    def _summarise(self) -> str:
        """Return the phrase for the subjects: the user's, else the semantic patch's purpose.

        `///` may be a whole paragraph of reasons, which is not a subject; its file name is used
        then.
        """
        if self.request.subject:
            return self.request.subject
        summary = " ".join(self.header.purpose.strip().partition("\n\n")[0].split()).rstrip(".")
        if not summary or len(summary) > _MAX_SUBJECT or ". " in summary:
            return f"Apply {PurePosixPath(self.sweep.public_name).name}"
        return summary[:1].upper() + summary[1:]

    def _render(self, template: str, **context: object) -> str:
        base = self.sweep.base
        context |= {
            "origin": {"name": self.sweep.public_name, "command": self.command},
            "purpose": wrap(self.header.purpose),
            "comments": wrap(self.header.comments),
            "text": excerpt(self.run.program.patch.text),
            "base": {"describe": base.describe, "version": base.version},
            "tools": _tools(),
        }
        text = render_text(template, [SourceFolder(shipped_folder("templates"))], context)
        # It contains paths, names from MAINTAINERS, and text of the semantic patch.
        text = escape_controls(text, allow="\n\t")
        return "\n".join(line.rstrip() for line in text.strip("\n").split("\n")) + "\n"


def _tools() -> dict[str, str]:
    return {"patchgen": __version__, "spatch": find_spatch().version, "git": git_version()}


def _check_whole(
    quarantine: Quarantine,
    base: Base,
    edits: Sequence[FileEdit],
    tip: Oid,
    signatures: Signatures,
) -> None:
    """Check that the patches together equal the change that was split."""
    [whole] = quarantine.write_commits(
        base.oid, [CommitDraft("everything\n", tuple(edits))], signatures
    )
    trees = {resolve_object(quarantine, f"{commit}^{{tree}}") for commit in (whole, tip)}
    if len(trees) != 1:
        raise AssertionError("the patches together are not the whole change")


def _warn(drafts: Sequence[CommitDraft], request: CampaignRequest) -> list[str]:
    warnings = [
        f"the subject has more than {WIDTH} columns: {draft.subject}"
        for draft in drafts
        if len(draft.subject) > WIDTH
    ]
    if len(drafts) > 15 and request.max_patches is None and request.split is not Split.TREE:
        warnings.append(
            f"{len(drafts)} patches are many at once (submitting-patches.rst: 15 or so); "
            "--max-patches 15 joins groups"
        )
    if request.subject is None:
        warnings.append("the subjects quote the semantic patch; --subject sets your own")
    return warnings
