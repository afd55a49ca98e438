# SPDX-License-Identifier: GPL-2.0-or-later
"""`patchgen reroll`: make the next version of a branch on a newer base."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from patchgen.edit import OnProgress
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
    names_for_branch,
    read_commits,
    reparent,
    resolve_object,
    write_commit_chain,
)
from patchgen.pipeline.generate import GeneratedSeries, plan_variant, run_plan
from patchgen.pipeline.prepare import PreparedSeries, choose_target, prepare_series, publish_series
from patchgen.pipeline.recipients import find_people
from patchgen.reroll import conflicts as waiting
from patchgen.reroll.changelog import (
    Changes,
    VersionTexts,
    check_changes,
    describe_version,
    prepend_changes,
    read_changes,
)
from patchgen.reroll.hand_edits import Carrier, ConflictsError, Placed, carry_cover
from patchgen.reroll.hand_work import (
    expect_patch_names,
    find_edited,
    find_edited_recipients,
    find_hand_work,
)
from patchgen.reroll.history import read_history
from patchgen.reroll.original import OriginalSeries, find_original, original_ref
from patchgen.reroll.request import (
    RerollRequest,
    RerollResult,
    build_variant_request,
    from_document,
    to_document,
)
from patchgen.series import (
    HandWork,
    MatchedCommit,
    Record,
    SeriesDraft,
    digest_cover,
    keep_testing,
    match_commits,
    put_cover_below,
    write_patches,
)
from patchgen.series.trailers import Message
from patchgen.spec import SeriesPlan


def reroll_series(
    request: RerollRequest, *, on_progress: OnProgress = lambda done, total: None
) -> RerollResult:
    """Generate a series again on another base, and carry hand edits over.

    Raises a PatchgenError with nothing written; a conflict is a result, not an error.
    """
    repository = Repository(request.tree)
    try:
        resolutions: Resolutions = {}
        if request.resume:
            stopped = waiting.read_stopped(repository)
            request = from_document(request, stopped.request)
            resolutions = stopped.resolutions
        elif waiting.is_stopped(repository):
            raise _another_waits()
        with Quarantine(repository) as quarantine:
            return _Reroll(repository, quarantine, request, resolutions).run(on_progress)
    finally:
        repository.close()


def _nothing_left(made: GeneratedSeries) -> RefusedError:
    return RefusedError(
        f"{made.plan.base.describe} has the whole series: no patch is left",
        hint="`patchgen apply` on that base shows where",
    )


def _another_waits() -> RefusedError:
    return RefusedError(
        "another reroll is waiting here for its conflicts",
        hint="`patchgen reroll --continue` resumes it, `--abort` ends it",
    )


def abort_reroll(tree: Path) -> None:
    """End the reroll that is waiting. Raises RefusedError if there is none."""
    repository = Repository(tree)
    try:
        if not waiting.is_stopped(repository):
            raise RefusedError("no reroll is waiting here")
        waiting.forget_stopped(repository)
    finally:
        repository.close()


class _Reroll:
    """One run: the series on the branch, and its next version."""

    def __init__(
        self,
        repository: Repository,
        quarantine: Quarantine,
        request: RerollRequest,
        resolutions: Resolutions,
    ):
        self._repository = repository
        self._quarantine = quarantine
        self._request = request
        self._resolutions = resolutions
        self._signatures = repository.read_signatures()
        self._history = history = read_history(
            repository, quarantine, request.branch, request.revision
        )
        self._series, self._record = history.series, history.record
        self._tracking, self._revision = history.tracking, history.revision
        record = self._record
        self._people = find_people(repository, record.to, record.cc, record.cover_cc)
        name = request.new_branch or history.next_branch
        self._target = choose_target(repository, name, self._revision, request.output)
        # Remaking a version replaces its mails; other files stay only if the user allows them.
        may_have_others = request.force or request.dry_run
        self._existing = Existing.ANYTHING if may_have_others else Existing.THIS_VERSION
        in_place = self._target.branch == self._series.name
        self._replaces = request.force or request.dry_run or in_place

    def run(self, on_progress: OnProgress) -> RerollResult:
        old = self._target.check(
            self._repository,
            replace=self._replaces,
            existing=self._existing,
            # It may have been killed after publishing, before it removed its state.
            may_be_made=self._request.resume,
        )
        if old is not None and not self._replaces:
            self._signatures = self._repository.read_signatures(as_of=old)
        change_digests = digest_commits(self._quarantine, self._series.start, self._series.tip)
        branch = match_commits(self._series.commits, change_digests, self._record)
        before = self._find_before(branch)
        made, changes = self._make(on_progress)
        base = made.plan.base
        # If possible, refuse a change log for a missing patch before any conflict.
        names = expect_patch_names(made, self._record, branch, change_digests)
        check_changes(changes, self._revision, names)
        plain = made.draft(self._signatures)
        oids, _ = write_patches(self._quarantine, base.oid, plain, self._signatures)
        carrier = self._make_carrier(made, plain, oids, before, change_digests)
        try:
            gone = {patch.name for patch in made.patches if patch.present_at}
            placed = carrier.carry_content(base.tree, branch, gone)
            if not placed:
                raise _nothing_left(made)
            check_changes(changes, self._revision, [commit.name for commit in placed])
            made_now = dict(zip(plain.drafts, oids, strict=True))
            edited = find_edited(
                self._quarantine, base.oid, placed, made_now, change_digests, self._signatures
            )
            carried, draft = self._carry_messages(made, plain, carrier, placed, edited)
            cover, remarks = self._carry_cover(plain.cover, draft.cover, before)
        except ConflictsError as stop:
            return self._stop(stop.subject, base.oid, stop.conflicts)
        oids, record = write_patches(self._quarantine, base.oid, draft, self._signatures)
        lines = [
            (each.source, each.tree, str(message))
            for each, message in zip(placed, carried, strict=True)
        ]
        written = write_commit_chain(self._quarantine, lines, base.oid, self._signatures.committer)
        version = self._describe_version(placed, carried, written, change_digests, changes)
        cover = replace(cover, notes=prepend_changes(cover.notes, self._revision, version.cover))
        messages = dict(zip(written, version.messages, strict=True))
        commits = reparent(self._quarantine, written, base.oid, messages=messages)
        posted = self._post(made, cover, record, commits)
        pristine = self._keep_made(made, draft, posted, oids)
        remarks = (*carrier.remarks, *remarks)
        return self._publish(made, old, posted, carried, remarks, version, pristine)

    def _make(self, on_progress: OnProgress) -> tuple[GeneratedSeries, Changes]:
        """Generate the variant on the base; the change log is read before that work."""
        request = build_variant_request(self._request, self._record, self._series.base)
        plan = plan_variant(self._repository, request, self._revision)
        changes = self._read_changes(plan)
        made = run_plan(plan, request, on_progress)
        if made.is_nothing:
            raise _nothing_left(made)
        return made, changes

    def _post(
        self, made: GeneratedSeries, cover: Cover, record: Record, commits: Sequence[Oid]
    ) -> PreparedSeries:
        base, before = made.plan.base.oid, self._record
        cover, record = keep_testing(self._quarantine, base, commits, cover, record, before)
        return prepare_series(
            self._quarantine,
            made.plan.tree,
            base,
            cover,
            replace(self._tracking, revision=self._revision),
            record,
            commits,
            self._signatures,
            people=self._people,
            edited=find_edited_recipients(self._series.cover, self._record),
            get_maintainer=self._request.get_maintainer,
        )

    def _find_before(self, branch: Sequence[MatchedCommit]) -> OriginalSeries | None:
        variant = self._request.variant or self._record.variant
        return find_original(
            self._repository,
            self._quarantine,
            self._series,
            self._record,
            variant,
            {matched.name: matched.commit.subject for matched in branch if matched.name},
        )

    def _read_changes(self, plan: SeriesPlan) -> Changes:
        """Read the change log before the work; it may name patches of the variant or the branch."""
        names = [patch.name for patch in plan.patches]
        names += [patch.name for patch in self._record.patches]
        folder = self._request.changelog
        if folder is None and (self._repository.top / "changelog").is_dir():
            folder = self._repository.top / "changelog"
        known = list(dict.fromkeys(names))
        return read_changes(self._request.changes, folder, self._revision, known)

    def _labels(self) -> tuple[str, str]:
        return f"made-for-v{self._revision}", f"edited-in-v{self._record.revision}"

    def _make_carrier(
        self,
        made: GeneratedSeries,
        plain: SeriesDraft,
        oids: Sequence[Oid],
        before: OriginalSeries | None,
        change_digests: Mapping[Oid, str],
    ) -> Carrier:
        now = read_commits(self._quarantine, made.plan.base.oid, oids[-1])
        edited = made.draft(self._signatures, HandWork(edited=tuple(plain.drafts)))
        return Carrier(
            quarantine=self._quarantine,
            original=before,
            change_digests=change_digests,
            generated=dict(zip(plain.drafts, now, strict=True)),
            edited=edited.messages,
            recorded=[patch.name for patch in self._record.patches],
            parents=self._parent,
            labels=self._labels(),
            resolutions=self._resolutions,
        )

    def _carry_messages(
        self,
        made: GeneratedSeries,
        plain: SeriesDraft,
        carrier: Carrier,
        placed: Sequence[Placed],
        edited: Collection[str],
    ) -> tuple[tuple[Message, ...], SeriesDraft]:
        """Return the messages of the commits, and the draft that matches them."""
        planned = [patch.name for patch in made.plan.patches]
        subjects = [commit.subject for commit in placed]
        hand = find_hand_work(placed, subjects, edited, tuple(plain.drafts), planned)
        draft = made.draft(self._signatures, hand)
        carried = carrier.carry_messages(placed, draft.messages)
        subjects = [message.subject for message in carried]
        hand = find_hand_work(placed, subjects, edited, tuple(plain.drafts), planned)
        return carried, made.draft(self._signatures, hand)

    def _carry_cover(
        self, plain: Cover, now: Cover, before: OriginalSeries | None
    ) -> tuple[Cover, tuple[str, ...]]:
        """Return the cover letter, and remarks on it."""
        branch = self._series.cover
        assert branch is not None
        if digest_cover(branch) == self._record.cover:
            return replace(now, notes=branch.notes), ()
        if before is None or before.cover is None:
            return branch, ("the cover letter is that of the branch, not generated again",)
        sides = (before.cover, branch, (plain, now))
        return carry_cover(*sides, self._quarantine, self._labels(), self._resolutions), ()

    def _describe_version(
        self,
        placed: Sequence[Placed],
        carried: Sequence[Message],
        written: Sequence[Oid],
        change_digests: Mapping[Oid, str],
        changes: Changes,
    ) -> VersionTexts:
        base = self._parent(written[0])
        new = digest_commits(self._quarantine, base, written[-1])
        sent = self._history.sent
        before = sent.revision if sent else self._record.revision
        link = "".join(self._tracking.history.get(f"v{before}", ())[:1])
        # b4 adds the link when it sends that version.
        is_linked = self._series.cover is not None and link in self._series.cover.notes
        moved = self._repository.describe(base) if base != self._series.base else ""
        return describe_version(
            (before if before < self._revision else None, self._revision),
            placed,
            carried,
            [new[oid] for oid in written],
            self._history.find_earlier(self._quarantine, placed, change_digests),
            changes,
            moved_to=moved,
            posted_as="" if is_linked or before >= self._revision else link,
        )

    def _keep_made(
        self, made: GeneratedSeries, draft: SeriesDraft, posted: PreparedSeries, oids: Sequence[Oid]
    ) -> Oid:
        """Write the generated series, without edits, as a branch of its own; return its tip."""
        base, cover = made.plan.base.oid, (draft.cover, posted.tracking)
        return put_cover_below(self._quarantine, base, *cover, oids, self._signatures)[1][-1]

    def _stop(self, subject: str, base: Oid, found: Sequence[Conflict]) -> RerollResult:
        """Write conflicts to files for a person, unless it is a dry run."""
        result = RerollResult(self._target.branch, self._revision, stopped_at=subject)
        if self._request.dry_run:
            return replace(result, conflicts=tuple(Path(conflict.path) for conflict in found))
        if not self._request.resume and waiting.is_stopped(self._repository):
            raise _another_waits()
        # Resume on the same base, even if the ref has moved meanwhile.
        request = replace(self._request, base=base if self._request.base else None)
        document = to_document(request, self._series.name)
        marked, sides = waiting.store_conflicts(
            self._repository, document, self._resolutions, found
        )
        return replace(result, conflicts=tuple(marked), sides=tuple(sides))

    def _publish(
        self,
        made: GeneratedSeries,
        old: Oid | None,
        posted: PreparedSeries,
        carried: Sequence[Message],
        remarks: tuple[str, ...],
        version: VersionTexts,
        pristine: Oid,
    ) -> RerollResult:
        base = made.plan.base.oid
        start = posted.cover_commit or base
        range_diff = self._history.compare(self._quarantine, start, posted.commits)
        result = RerollResult(
            branch=self._target.branch,
            revision=self._revision,
            subjects=tuple(message.subject for message in carried),
            remarks=remarks,
            dropped=version.dropped,
            range_diff=range_diff,
            warnings=made.warnings + posted.warnings,
            tip=posted.tip,
            left_out=made.plan.left_out,
        )
        if self._request.dry_run:
            return result
        change_id = self._tracking.change_id
        mails = publish_series(
            self._quarantine,
            self._target,
            posted,
            base,
            old,
            f"patchgen: reroll {made.plan.variant.name} v{self._revision}",
            replace=self._replaces,
            existing=self._existing,
            extra_refs={original_ref(change_id, self._revision): pristine},
            names=names_for_branch(self._repository, change_id, self._target.branch),
        )
        if self._request.resume:
            waiting.forget_stopped(self._repository)
        return replace(result, mails=mails)

    def _parent(self, commit: Oid) -> Oid:
        return resolve_object(self._quarantine, f"{commit}^")
