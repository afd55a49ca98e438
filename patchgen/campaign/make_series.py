# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a campaign: from edits to a branch and mails, in the same way as a variant's series."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from patchgen import __version__
from patchgen.campaign.excerpt import excerpt
from patchgen.campaign.groups import PatchGroup, merge_groups, split_edits
from patchgen.campaign.subject import WIDTH, learn_prefix, make_subjects
from patchgen.controls import escape_controls
from patchgen.kernel import find_owners
from patchgen.mail import Existing
from patchgen.model.base import Base, Oid
from patchgen.model.campaign import CampaignRequest, Split
from patchgen.model.series import CommitDraft, Cover, FileEdit, Identity, Series, Signatures
from patchgen.odb import (
    GitTree,
    Quarantine,
    Repository,
    git_version,
    read_substances,
    resolve_object,
)
from patchgen.pipeline.next_version import NextVersion, choose_version, track_series
from patchgen.pipeline.prepare import (
    SeriesTarget,
    choose_target,
    describe_series,
    post_series,
    publish_series,
)
from patchgen.pipeline.recipients import find_people
from patchgen.resources import shipped_folder
from patchgen.series import (
    Record,
    RecordedPatch,
    digest_cover,
    digest_message,
    sign_off,
)
from patchgen.sourcefolder import SourceFolder
from patchgen.templating import render_text

_BODY_WIDTH = 72
# Leaves room for a prefix.
_MOST_WORDS = 55


@dataclass(frozen=True, slots=True)
class RuleSource:
    """The semantic patch that made the edits, for messages.

    `purpose` and `comments` are its own text (`///`, `//#`), `command` is the run's command line,
    `hits` are the numbers of its rules' matches.
    """

    name: str
    text: str
    purpose: str
    comments: str
    command: str
    spatch: str
    hits: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Campaign:
    """The series that was made: its groups, one per patch, and its mails on disk."""

    groups: tuple[PatchGroup, ...]
    series: Series
    mails: tuple[Path, ...]
    warnings: tuple[str, ...] = ()


def make_campaign(
    repository: Repository,
    request: CampaignRequest,
    base: Base,
    edits: Sequence[FileEdit],
    origin: RuleSource,
) -> Campaign:
    """Make a branch and mails from the edits to a base; there must be at least one edit.

    Raises RefusedError if the branch or the folder must not be used, ToolError if git does not know
    the user's identity. Nothing is written then.
    """
    stem = PurePosixPath(origin.name).stem
    existing = Existing.ANYTHING if request.force else Existing.NOTHING
    version, target, old = _choose_target(repository, request, stem, existing)
    tree = GitTree(repository, base.tree)
    groups, problems = _group(tree, request, edits)
    signatures = repository.read_signatures(as_of=None if request.force else old)
    people = find_people(repository, request.to, request.cc, request.cover_cc)
    with Quarantine(repository) as quarantine:
        drafts = _draft(quarantine, request, base, groups, origin, signatures.committer)
        commits = quarantine.write_commits(base.oid, drafts, signatures)
        _check_whole(quarantine, base, edits, commits[-1], signatures)
        cover = _render_cover(base, groups, drafts, origin, request)
        tracking = track_series(
            quarantine,
            version,
            old,
            title=stem,
            branch=target.branch,
            base=base.oid,
            tip=commits[-1],
            author=signatures.author,
        )
        posted = post_series(
            quarantine,
            tree,
            base.oid,
            cover,
            tracking,
            _record(quarantine, request, version, base, groups, drafts, cover, origin, commits),
            commits,
            signatures,
            with_cover=True,
            people=people,
            get_maintainer=request.get_maintainer,
        )
        series = describe_series(quarantine, base, target.branch, posted, drafts)
        mails = publish_series(
            quarantine,
            target,
            posted.mails,
            base.oid,
            series.tip,
            old,
            f"patchgen: run {origin.name} v{version.revision}",
            replace=request.force,
            existing=existing,
        )
    warnings = tuple(dict.fromkeys((*problems, *posted.warnings, *_warn(drafts, request))))
    return Campaign(tuple(groups), series, mails, warnings)


def _choose_target(
    repository: Repository, request: CampaignRequest, stem: str, existing: Existing
) -> tuple[NextVersion, SeriesTarget, Oid | None]:
    """Return the version, its branch and folder, and the branch's current commit."""
    version = choose_version(repository, request.branch, stem, first=1, wanted=request.revision)
    branch = request.branch or f"patchgen/{stem}-v{version.revision}"
    target = choose_target(repository, branch, version.revision, request.output)
    return version, target, target.check(repository, replace=request.force, existing=existing)


def _group(
    tree: GitTree, request: CampaignRequest, edits: Sequence[FileEdit]
) -> tuple[list[PatchGroup], tuple[str, ...]]:
    """Return the groups of edits that become patches, and warnings about MAINTAINERS."""
    found = None
    if request.split in (Split.MAINTAINER, Split.SUBSYSTEM):
        found = find_owners(tree, [edit.path for edit in edits])
    owners, warnings = found or ({}, ())
    groups = split_edits(edits, request.split, owners)
    return groups if request.max_patches is None else merge_groups(
        groups, request.max_patches
    ), warnings


def _draft(
    quarantine: Quarantine,
    request: CampaignRequest,
    base: Base,
    groups: Sequence[PatchGroup],
    origin: RuleSource,
    signer: Identity,
) -> list[CommitDraft]:
    prefixes = [learn_prefix(quarantine, base.oid, group) for group in groups]
    subjects = make_subjects(prefixes, groups, _what(request, origin))
    drafts = []
    for group, subject in zip(groups, subjects, strict=True):
        text = _render("campaign-message.txt.j2", base, origin, subject=subject)
        message = sign_off(text, signer) if request.sign_off else text
        drafts.append(CommitDraft(message, group.edits))
    return drafts


def _what(request: CampaignRequest, origin: RuleSource) -> str:
    """Return the phrase for the subjects: the user's, else the semantic patch's purpose.

    `///` may be a whole paragraph of reasons, which is not a subject; its file name is used then.
    """
    if request.subject:
        return request.subject
    first = " ".join(origin.purpose.strip().partition("\n\n")[0].split()).rstrip(".")
    if not first or len(first) > _MOST_WORDS or ". " in first:
        return f"Apply {PurePosixPath(origin.name).name}"
    return first[:1].upper() + first[1:]


def _render_cover(
    base: Base,
    groups: Sequence[PatchGroup],
    drafts: Sequence[CommitDraft],
    origin: RuleSource,
    request: CampaignRequest,
) -> Cover:
    subject = f"treewide: {_what(request, origin)}"
    text = _render(
        "campaign-cover.txt.j2",
        base,
        origin,
        subject=subject,
        split=request.split,
        files=sum(len(group.edits) for group in groups),
        # Without the files' contents: templates are rendered in another process.
        groups=[
            (draft.subject, {"name": group.name, "edits": list(map(str, group.paths))})
            for draft, group in zip(drafts, groups, strict=True)
        ],
    )
    first, _, body = text.partition("\n")
    return Cover(first, body.strip("\n") + "\n")


def _render(template: str, base: Base, origin: RuleSource, **context: object) -> str:
    wrapped = {
        "purpose": _wrap(origin.purpose),
        "comments": _wrap(origin.comments),
        "text": excerpt(origin.text),
    }
    described = {"describe": base.describe, "version": base.version}
    tools = {"patchgen": __version__, "spatch": origin.spatch, "git": git_version()}
    text = render_text(
        template,
        [SourceFolder(shipped_folder("templates"))],
        {"origin": origin, "base": described, "tools": tools, **wrapped, **context},
    )
    # It contains paths, names from MAINTAINERS, and text of the semantic patch.
    text = escape_controls(text, allow="\n\t")
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n")) + "\n"


def _wrap(text: str) -> str:
    """Wrap the paragraphs of a message; indented ones are not changed."""
    paragraphs = []
    for paragraph in text.strip("\n").split("\n\n"):
        is_code = any(line.startswith((" ", "\t")) for line in paragraph.split("\n"))
        paragraphs.append(paragraph if is_code else textwrap.fill(paragraph, _BODY_WIDTH))
    return "\n\n".join(paragraphs)


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


def _record(
    quarantine: Quarantine,
    request: CampaignRequest,
    version: NextVersion,
    base: Base,
    groups: Sequence[PatchGroup],
    drafts: Sequence[CommitDraft],
    cover: Cover,
    origin: RuleSource,
    commits: Sequence[Oid],
) -> Record:
    substances = read_substances(quarantine, base.oid, commits[-1])
    return Record(
        variant=origin.name,
        split=request.split,
        revision=version.revision,
        base=base.oid,
        describe=base.describe,
        signed_off=request.sign_off,
        to=request.to,
        cc=request.cc,
        cover_cc=request.cover_cc,
        cover=digest_cover(cover),
        tools={"patchgen": __version__, "spatch": origin.spatch, "git": git_version()},
        patches=tuple(
            RecordedPatch(
                name=str(number),
                subject=draft.subject,
                message=digest_message(draft.message),
                content=substances[commit],
                files=tuple(map(str, group.paths)),
                # All patches have the same, so one copy is enough.
                semantic_patches={origin.name: origin.text} if number == 1 else {},
            )
            for number, (group, draft, commit) in enumerate(
                zip(groups, drafts, commits, strict=True), 1
            )
        ),
    )


def _warn(drafts: Sequence[CommitDraft], request: CampaignRequest) -> list[str]:
    warnings = [
        f"the subject has more than {WIDTH} columns: {draft.subject}"
        for draft in drafts
        if len(draft.subject) > WIDTH
    ]
    if len(drafts) > 15 and request.max_patches is None:
        warnings.append(
            f"{len(drafts)} patches are many at once (submitting-patches.rst: 15 or so); "
            "--max-patches 15 joins groups"
        )
    if request.subject is None:
        warnings.append("the subjects quote the semantic patch; --subject sets your own")
    return warnings
