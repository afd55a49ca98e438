# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen reroll`: make the next version of a branch on a newer base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from patchgen.commands.applied_upstream import (
    UpstreamStates,
    list_applied,
    list_applied_parts,
    refuse_empty,
)
from patchgen.commands.earlier_patches import find_earlier_patches
from patchgen.commands.reroll_campaign import CampaignSource
from patchgen.errors import RefusedError
from patchgen.mail import Existing
from patchgen.model.base import Oid
from patchgen.model.series import Cover
from patchgen.odb import (
    Conflict,
    Quarantine,
    Repository,
    Resolutions,
    digest_commits,
    list_branch_tags,
    read_commits,
    reparent,
    resolve_object,
)
from patchgen.pipeline.prepare import PreparedSeries, WrittenSeries, prepare_series, publish_series
from patchgen.pipeline.recipients import find_people
from patchgen.pipeline.target import SeriesTarget, choose_target
from patchgen.reroll.changelog import (
    ChangeLog,
    VersionTexts,
    check_changes,
    describe_version,
    prepend_changes,
    read_changes,
)
from patchgen.reroll.conflicts import (
    forget_stopped,
    is_stopped,
    read_stopped,
    refuse_second,
    store_conflicts,
)
from patchgen.reroll.gone_patches import find_gone
from patchgen.reroll.hand_edits import Carrier, ConflictsError, NewCommit
from patchgen.reroll.hand_work import (
    carry_letter,
    carry_messages,
    cite_from_version,
    expect_patch_names,
    find_edited_recipients,
    find_lost_tags,
    write_commits,
)
from patchgen.reroll.history import read_history
from patchgen.reroll.original import (
    OriginalSeries,
    find_original,
    original_ref,
    put_generated_cover,
)
from patchgen.reroll.request import RerollRequest, RerollResult, from_document, to_document
from patchgen.reroll.source import Generated, OnStage, SeriesSource
from patchgen.reroll.variant_source import VariantSource
from patchgen.send.parts import add_sent_cover
from patchgen.series import (
    HandWork,
    MatchedCommit,
    Record,
    SeriesDraft,
    keep_testing,
    match_commits,
    write_patches,
)
from patchgen.series.trailers import Message


def reroll_series(
    request: RerollRequest, *, on_stage: OnStage = lambda title: lambda done, total: None
) -> RerollResult:
    """Generate a series again on another base, and carry hand edits over.

    Raises a PatchgenError with nothing written; a conflict is a result, not an error.
    """
    with closing(Repository(request.tree)) as repository:
        resolutions: Resolutions = {}
        if request.resume:
            stopped = read_stopped(repository)
            request = from_document(request, stopped.request)
            resolutions = stopped.resolutions
        elif is_stopped(repository):
            raise refuse_second()
        with Quarantine(repository) as quarantine:
            on_stage("reading the series")
            return _Reroll(repository, quarantine, request, resolutions, on_stage).run()


def abort_reroll(tree: Path) -> None:
    """End the waiting reroll. Raises RefusedError if no reroll is waiting."""
    with closing(Repository(tree)) as repository:
        if not is_stopped(repository):
            raise RefusedError("no reroll is waiting here", code="no-reroll-waiting")
        forget_stopped(repository)


class _Reroll:
    """One run: the series on the branch, and its next version."""

    def __init__(
        self,
        repository: Repository,
        quarantine: Quarantine,
        request: RerollRequest,
        resolutions: Resolutions,
        on_stage: OnStage,
    ):
        self._repository, self._quarantine = repository, quarantine
        self._request = request
        self._resolutions = resolutions
        self._on_stage = on_stage
        self._signatures = repository.read_signatures()
        self._history = history = read_history(
            repository, quarantine, request.branch, request.revision
        )
        self._series, self._record = history.series, history.record
        self._revision = history.revision
        # A partly sent version has no tag, so the tracking does not have its cover letter.
        self._tracking = add_sent_cover(repository, history.tracking, history.record.revision)
        self._labels = (f"made-for-v{self._revision}", f"edited-in-v{self._record.revision}")
        self._upstream = UpstreamStates(
            repository, quarantine, self._series, request.base, on_stage
        )
        self._people = find_people(repository, self._record.options)
        self._source: SeriesSource = (
            CampaignSource(repository, request, history)
            if history.record.split
            else VariantSource(repository, request, history, self._upstream.list_applied)
        )
        self._target = self._choose_target()

    def _choose_target(self) -> SeriesTarget:
        request = self._request
        is_forced = request.force or request.dry_run
        name = request.new_branch or self._history.next_branch
        return choose_target(
            self._repository,
            name,
            self._revision,
            request.output,
            may_replace=is_forced or name == self._series.name,
            # Making a version again replaces its mails; the user may allow other files.
            existing=Existing.ANYTHING if is_forced else Existing.THIS_VERSION,
            writes=not request.dry_run,
        )

    def run(self) -> RerollResult:
        old_tip = self._check_target()
        change_digests = digest_commits(self._quarantine, self._series.start, self._series.tip)
        matched = match_commits(self._series.commits, change_digests, self._record)
        original = self._find_original(matched)
        generated, changes = self._generate(matched, change_digests)
        self._on_stage("carrying edits over")
        base, plain = generated.base, generated.draft(self._signatures)
        carrier = self._make_carrier(generated, plain, original, change_digests)
        carrier.dropped += find_gone(self._quarantine, self._history, matched, change_digests)
        try:
            commits = self._carry_content(generated, carrier, matched, changes)
            generated = cite_from_version(self._quarantine, generated, carrier, commits)
            messages, draft = carry_messages(
                self._quarantine, generated, carrier, commits, self._signatures
            )
            letters = plain.cover, draft.cover
            cover, warnings = carry_letter(carrier, self._series.cover, self._record, letters)
        except ConflictsError as stop:
            return self._stop(stop.subject, base.oid, stop.conflicts)
        draft_oids, record = write_patches(self._quarantine, base.oid, draft, self._signatures)
        committer = self._signatures.committer
        written = write_commits(self._quarantine, base.oid, commits, messages, committer)
        changes = changes.dropping(carrier.dropped).comparing(self._record, record)
        version = self._describe_version(
            base.oid, commits, messages, written, change_digests, changes
        )
        present = {*generated.present, *list_applied(matched, commits, self._upstream)}
        lost = find_lost_tags(matched, commits, present, change_digests, self._revision)
        version = replace(version, dropped=(*version.dropped, *lost))
        notes = prepend_changes(cover.notes, self._revision, version.cover, self._history.seen)
        cover = replace(cover, notes=notes)
        texts = dict(zip(written, version.messages, strict=True))
        oids = reparent(self._quarantine, written, base.oid, messages=texts)
        self._on_stage("preparing the mails")
        prepared = self._prepare(generated, cover, record, oids)
        made_tip = put_generated_cover(
            self._quarantine, base.oid, draft.cover, prepared.tracking, draft_oids, self._signatures
        )
        parts = list_applied_parts(commits, carrier.generated, self._upstream)
        remarks = (*carrier.remarks, *parts)
        result = self._publish(generated, old_tip, prepared, messages, remarks, version, made_tip)
        changed = self._is_changed(cover)
        return replace(result, cover_changed=changed, warnings=result.warnings + warnings)

    def _find_original(self, matched: Sequence[MatchedCommit]) -> OriginalSeries | None:
        regenerate = partial(self._source.regenerate, self._on_stage)
        return find_original(
            self._repository, self._quarantine, self._series, self._record, regenerate, matched
        )

    def _check_target(self) -> Oid | None:
        """Return the tip of the target branch, None for a new branch; refuse to overwrite work."""
        # An earlier run may have been killed after publishing, before it removed its state.
        old_tip = self._target.check(self._repository, may_be_published=self._request.resume)
        if old_tip is not None and not self._target.may_replace:
            self._signatures = self._repository.read_signatures(as_of=old_tip)
        return old_tip

    def _generate(
        self, matched: Sequence[MatchedCommit], change_digests: Mapping[Oid, str]
    ) -> tuple[Generated, ChangeLog]:
        """Read the change log and generate the patches; refuse a change log for a missing patch."""
        changes = self._read_changes(self._source.plan(self._on_stage), matched)
        generated = self._source.generate(self._on_stage)
        if generated.is_empty:
            raise refuse_empty(generated, matched, self._upstream)
        # If possible, refuse a change log for a missing patch before any conflict.
        names = expect_patch_names(generated, self._record, matched, change_digests)
        check_changes(changes, self._revision, names)
        return generated, changes

    def _prepare(
        self, generated: Generated, cover: Cover, record: Record, commits: Sequence[Oid]
    ) -> PreparedSeries:
        base = generated.base.oid
        letter = cover, record, self._record
        cover, record, lost = keep_testing(self._quarantine, base, commits, *letter)
        tracking = replace(self._tracking, revision=self._revision)
        prepared = prepare_series(
            self._quarantine,
            WrittenSeries(base, generated.tree, commits, cover, tracking, record),
            self._signatures,
            people=self._people,
            edits=find_edited_recipients(self._series.cover, self._record),
            get_maintainer=self._request.get_maintainer,
        )
        return replace(prepared, warnings=(*lost, *prepared.warnings))

    def _read_changes(
        self, planned: Mapping[str, bool], branch: Sequence[MatchedCommit]
    ) -> ChangeLog:
        """Read the change log, which may name planned patches and those of the branch."""
        names = {**planned, **{patch.name: True for patch in self._record.patches}}
        folder = self._request.changelog
        if folder is None and (self._repository.top / "changelog").is_dir():
            folder = self._repository.top / "changelog"
        return read_changes(self._request.changes, folder, self._revision, names, branch)

    def _make_carrier(
        self,
        generated: Generated,
        plain: SeriesDraft,
        original: OriginalSeries | None,
        change_digests: Mapping[Oid, str],
    ) -> Carrier:
        oids, _ = write_patches(self._quarantine, generated.base.oid, plain, self._signatures)
        commits = read_commits(self._quarantine, generated.base.oid, oids[-1])
        edited = generated.draft(self._signatures, HandWork(edited=tuple(plain.drafts)))
        return Carrier(
            quarantine=self._quarantine,
            original=original,
            change_digests=change_digests,
            generated=dict(zip(plain.drafts, commits, strict=True)),
            edited_messages=edited.messages,
            old_notes=self._source.old_notes,
            recorded=[patch.name for patch in self._record.patches],
            parents=lambda commit: resolve_object(self._quarantine, f"{commit}^"),
            labels=self._labels,
            resolutions=self._resolutions,
            explain=self._upstream.describe,
        )

    def _carry_content(
        self,
        generated: Generated,
        carrier: Carrier,
        branch: Sequence[MatchedCommit],
        changes: ChangeLog,
    ) -> tuple[NewCommit, ...]:
        """Return the commits of the new version; refuse an empty one, and unknown names."""
        commits = carrier.carry_content(generated.base.tree, branch, set(generated.present))
        if not commits:
            raise refuse_empty(generated, branch, self._upstream, carrier.remarks)
        check_changes(changes, self._revision, [commit.name for commit in commits])
        return commits

    def _is_changed(self, cover: Cover) -> bool:
        """Return whether a cover letter, without its change logs, differs from the branch's."""
        branch = self._series.cover
        assert branch is not None
        return (cover.subject, cover.body) != (branch.subject, branch.body)

    def _describe_version(
        self,
        base: Oid,
        commits: Sequence[NewCommit],
        messages: Sequence[Message],
        written: Sequence[Oid],
        change_digests: Mapping[Oid, str],
        changes: ChangeLog,
    ) -> VersionTexts:
        new_digests = digest_commits(self._quarantine, base, written[-1])
        sent = self._history.sent
        earlier = sent.revision if sent else self._record.revision
        link = "".join(self._tracking.history.get(f"v{earlier}", ())[:1])
        # b4 adds the link when it sends that version.
        is_linked = self._series.cover is not None and link in self._series.cover.notes
        return describe_version(
            (earlier if earlier < self._revision else None, self._revision),
            commits,
            messages,
            [new_digests[oid] for oid in written],
            find_earlier_patches(
                self._repository, self._quarantine, self._history, commits, change_digests
            ),
            changes,
            seen=self._history.seen,
            new_base=self._repository.describe(base) if base != self._series.base else "",
            old_message_id="" if is_linked or earlier >= self._revision else link,
        )

    def _stop(self, subject: str, base: Oid, conflicts: Sequence[Conflict]) -> RerollResult:
        """Write conflicts to files for a person, unless it is a dry run."""
        result = RerollResult(
            self._target.branch,
            self._revision,
            stopped_at=subject,
            warnings=self._history.warnings,
        )
        if self._request.dry_run:
            return replace(result, conflicts=tuple(Path(conflict.path) for conflict in conflicts))
        if not self._request.resume and is_stopped(self._repository):
            raise refuse_second()
        # Resume on the same base, even if the ref has moved meanwhile.
        request = replace(self._request, base=base if self._request.base else None)
        document = to_document(request, self._series.name)
        marked, sides = store_conflicts(self._repository, document, self._resolutions, conflicts)
        return replace(result, conflicts=tuple(marked), sides=tuple(sides))

    def _publish(
        self,
        generated: Generated,
        old_tip: Oid | None,
        prepared: PreparedSeries,
        messages: Sequence[Message],
        remarks: tuple[str, ...],
        version: VersionTexts,
        original_tip: Oid,
    ) -> RerollResult:
        self._on_stage("comparing the versions")
        range_diff = self._history.compare(
            self._quarantine,
            prepared.start,
            prepared.commits,
            is_published=not self._request.dry_run,
        )
        result = RerollResult(
            branch=self._target.branch,
            revision=self._revision,
            subjects=tuple(message.subject for message in messages),
            remarks=remarks,
            dropped=version.dropped,
            range_diff=range_diff,
            warnings=self._history.warnings + generated.warnings + prepared.warnings,
            tip=prepared.tip,
            left_out=generated.left_out,
            unsent=self._history.unsent,
            old_branch=self._series.name,
            old_checkout=self._repository.find_checkout(f"refs/heads/{self._series.name}"),
        )
        if self._request.dry_run:
            return result
        mails = publish_series(
            self._quarantine,
            self._target,
            prepared,
            old_tip,
            f"patchgen: reroll {generated.title} v{self._revision}",
            extra_refs={original_ref(self._tracking.change_id, self._revision): original_tip},
            names=list_branch_tags(self._repository, self._tracking.change_id, self._target.branch),
        )
        self._source.record_place()
        if self._request.resume:
            forget_stopped(self._repository)
        return replace(result, mails=mails)
