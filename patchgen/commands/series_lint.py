# SPDX-License-Identifier: GPL-2.0-or-later
"""Lint a series for `patchgen verify`: each commit and its log, and the series as a whole."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from patchgen.campaign.prefixes import are_mostly_lower
from patchgen.campaign.trees import History, open_history
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.model.finding import Finding, list_first
from patchgen.model.series import Cover
from patchgen.odb import Checkout, digest_commits, read_file, read_sent
from patchgen.pipeline.journal import list_begun
from patchgen.pipeline.next_version import find_begun_revision
from patchgen.reroll.original import find_stored
from patchgen.series import (
    REVIEW_TAGS,
    MatchedCommit,
    Record,
    SeriesBranch,
    describe_empty_variables,
    match_commits,
    parse_message,
)
from patchgen.verify.checked_series import CheckedSeries
from patchgen.verify.cover_claims import check_cover_claims
from patchgen.verify.cover_places import check_cover_places
from patchgen.verify.dropped_patches import MissingPatch, check_dropped, find_added_names
from patchgen.verify.lint import (
    check_claims,
    check_commit,
    check_cover_subject,
    check_declarations,
    check_series,
)


@dataclass
class SeriesLint:
    """The lint of a series whose commits are in `checkout`."""

    checkout: Checkout
    target: CheckedSeries

    def check_commits(self) -> Iterator[tuple[Oid, list[Finding]]]:
        """Yield each commit with its findings."""
        for commit, sender in zip(self.target.commits, self.target.senders, strict=True):
            diff = self._show(commit.oid)
            in_message = check_commit(
                commit,
                self._find_subject,
                sender,
                self._writes_lower_case,
                self.target.signoff_command,
            )
            in_code = check_declarations(commit, diff)
            yield commit.oid, [*in_message, *in_code]

    def check_series(self) -> Iterator[Finding]:
        """Yield the findings about the series as a whole, its cover letter and its record."""
        target = self.target
        if target.cover_subject:
            yield from check_cover_subject(
                target.cover_subject, target.commits, self._writes_lower_case
            )
        yield from check_series(target.commits, target.cover)
        yield from self._check_places()
        if target.record is not None:
            change_digests = digest_commits(self.checkout, target.start, target.tip)
            yield from check_claims(target.commits, change_digests, target.record, self._reroll)
            messages = [commit.message for commit in target.commits]
            if target.series is not None and target.series.cover is not None:
                matched = match_commits(target.commits, change_digests, target.record)
                letter = target.series.cover
                yield from check_cover_claims(
                    letter, matched, change_digests, target.record, self._reroll
                )
                yield from self._check_dropped(target.series, letter, target.record, matched)
            yield from self._check_reviews(target.record, change_digests)
            for text in describe_empty_variables(target.record, messages, self._reroll):
                yield Finding("lint", text, failure=False)

    def _check_places(self) -> Iterator[Finding]:
        """Yield the places that the cover letter names and that no tree of the series has."""
        read_base, read_tip = (
            partial(read_file, self.checkout, commit)
            for commit in (self.target.base, self.target.tip)
        )
        # The change logs below the cut may be about an earlier version.
        letter = parse_message(self.target.cover).text
        for line, text in check_cover_places(letter, read_base, read_tip):
            remedy = "correct it"
            if self.target.record is not None:
                remedy += f", or let `{self._reroll}` make the lists again"
            where = f"cover letter:{line}"
            yield Finding("lint", f"{text}; {remedy}", where=where, failure=False)

    def _check_dropped(
        self, series: SeriesBranch, letter: Cover, record: Record, matched: Sequence[MatchedCommit]
    ) -> Iterator[Finding]:
        """Yield what the cover letter says about patches that a person has dropped."""
        present = {patch.name for patch in matched}
        subjects = {
            patch.name: patch.subject for patch in record.patches if patch.name not in present
        }
        if not subjects:
            return
        original = find_stored(self.checkout.repository, self.checkout, series, record)
        commits = original.commits if original else {}
        dropped = [
            MissingPatch(
                subject, find_added_names(self._show(commits[name].oid) if name in commits else "")
            )
            for name, subject in subjects.items()
        ]
        remaining = "\n".join(self._show(commit.oid) for commit in series.commits)
        yield from check_dropped(
            letter, dropped, [commit.subject for commit in series.commits], remaining
        )

    def _check_reviews(
        self, record: Record, change_digests: Mapping[Oid, str]
    ) -> Iterator[Finding]:
        """Yield the review tags on code that reviewers have not seen, if a version was sent.

        A reroll drops them, but the branch may be edited after it.
        """
        series = self.target.series
        if series is None or series.tracking is None:
            return
        repository, change_id = self.checkout.repository, series.tracking.change_id
        versions = read_sent(repository, change_id)
        sent = [version for version in versions if version.revision <= record.revision]
        if not sent:
            return
        newest = sent[-1]
        # A part of this version was sent: the tags may be from replies to it.
        if newest.revision < record.revision in list_begun(repository, change_id):
            return
        seen = set(digest_commits(self.checkout, newest.base, newest.tip).values())
        for commit in series.commits:
            trailers = parse_message(commit.message).trailers
            tags = [f"{tag.name} of {tag.value}" for tag in trailers if tag.name in REVIEW_TAGS]
            if tags and change_digests[commit.oid] not in seen:
                text = (
                    f"the code differs from v{newest.revision}, the last version that was sent, "
                    f"but the patch still has {list_first(tags)}; `{self._reroll}` drops such tags"
                )
                yield Finding("lint", text, commit.oid, failure=False)

    @cached_property
    def _reroll(self) -> str:
        """The command that makes the series again: as the next version if this one was sent."""
        series, record = self.target.series, self.target.record
        args = ["patchgen", "reroll", *([self.target.name] if self.target.is_branch else [])]
        if series is not None and record is not None:
            begun = find_begun_revision(self.checkout.repository, series.tip)
            args += [] if begun is not None else ["-v", str(record.revision)]
        return shlex.join(args)

    def _show(self, commit: Oid) -> str:
        """Return the diff of a commit."""
        diff = self.checkout.run("show", "--format=", "--no-renames", commit).stdout
        return diff.decode("utf-8", "replace")

    def _writes_lower_case(self, commit: Commit) -> bool:
        """Return whether the log of a commit's files continues most subjects in lower case."""
        log = self._history.read(sorted(commit.files))
        return are_mostly_lower([entry.subject for entry in log])

    @cached_property
    def _history(self) -> History:
        return open_history(self.checkout, self.target.base)

    def _find_subject(self, oid: str) -> str | None:
        """Return the subject of a commit in the history of the base, None for other commits."""
        args = ("merge-base", "--is-ancestor", oid, self.target.base)
        if self.checkout.run(*args, ok=None).returncode != 0:
            return None
        subject = self.checkout.run("show", "--no-patch", "--format=%s", oid).stdout
        return subject.decode("utf-8", "replace").strip()
