# SPDX-License-Identifier: GPL-2.0-or-later
"""The content of a report: a series, its patches with the origin of their lines, and results."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from patchgen.counting import count
from patchgen.mail import RecipientGroup
from patchgen.model.base import Oid
from patchgen.model.commit import Commit
from patchgen.report.diff_lines import FileDiff, read_file_diffs
from patchgen.report.results import FindingDocument
from patchgen.report.rule_lines import PatchRules, find_rules, read_patch_rules
from patchgen.series import MatchedCommit, Record, RecordedPatch, SeriesBranch

# This text is written by templates/provenance.txt.j2, and may be wrapped.
_TEMPLATE_LINES = re.compile(r"\btemplate\s+text:\s+(\d+)\s+of\s+(\d+)\s+lines?\.")


class OtherOrigin(StrEnum):
    """The origin of the changed lines that do not match the text of a rule."""

    TEMPLATE = "template text or a rule"
    BY_HAND = "edited by hand"
    EITHER = "template text, a rule, or edited by hand"
    UNKNOWN = "not determined"


@dataclass(frozen=True, slots=True)
class FileReport:
    """The diff of a file, and the origin of each line of its blocks of changed lines.

    An origin is the name of a rule or an OtherOrigin, derived from the text of the rules. `origins`
    is () if the patch has no record.
    """

    diff: FileDiff
    origins: tuple[Sequence[str], ...] = ()

    @property
    def counts(self) -> Counter[str]:
        """The number of changed lines of each origin."""
        return Counter(origin for origins in self.origins for origin in origins)


@dataclass(frozen=True, slots=True)
class TemplateLines:
    """The numbers in a patch's message: of the lines that it adds, and of those from templates."""

    templates: int
    added: int

    def __str__(self) -> str:
        """Return the text as in the message."""
        return f"template text: {self.templates} of {count(self.added, 'line')}"


@dataclass(frozen=True, slots=True)
class PatchReport:
    """A patch. `recorded` is None if a person added it, or if the series has no record.

    `edited` is what a person changed: "code", "message". `is_certain` is set if only one rule can
    have made the patch. `template_lines` is None if a person edited the code, or without a record.
    """

    commit: Commit
    files: tuple[FileReport, ...]
    recorded: RecordedPatch | None = None
    edited: tuple[str, ...] = ()
    findings: tuple[FindingDocument, ...] = ()
    is_certain: bool = False
    template_lines: TemplateLines | None = None

    @property
    def counts(self) -> Mapping[str, int]:
        """The number of changed lines of each origin."""
        return sum((file.counts for file in self.files), Counter())

    @property
    def only_origin(self) -> str:
        """The origin of all changed lines, "" for several origins, or without a record."""
        origins = list(self.counts)
        return origins[0] if len(origins) == 1 else ""


class ResultState(StrEnum):
    """The result of a check."""

    PASSED = "passed"
    FAILED = "failed"
    DONE = "done"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class ResultLine:
    """The result of a check in a sentence, with details."""

    name: str
    state: ResultState
    text: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesReport:
    """A series for its reviewers.

    `previous` is the tag of the last version that was sent, "" without one, and `range_diff` git's
    comparison with it, "" if the patches are the same.
    """

    series: SeriesBranch
    base_name: str
    patches: tuple[PatchReport, ...]
    results: tuple[ResultLine, ...]
    recipients: tuple[RecipientGroup, ...]
    previous: str = ""
    range_diff: str = ""
    warnings: tuple[str, ...] = ()


def report_patch(
    matched: MatchedCommit,
    diff: bytes,
    record: Record | None,
    change_digests: Mapping[Oid, str],
    findings: Sequence[FindingDocument],
) -> PatchReport:
    """Return the report of a commit; `change_digests` are those of the series."""
    files = read_file_diffs(diff)
    patch = matched.patch
    if record is None or patch is None:
        reports = tuple(map(FileReport, files))
        return PatchReport(matched.commit, reports, findings=tuple(findings))
    edited = matched.list_edited(change_digests)
    rules = read_patch_rules(
        record.find_semantic_patches(patch).values(),
        patch.rules,
        has_templates=not record.split,
        is_edited="code" in edited,
    )
    other = _choose_other(rules)
    reports = tuple(
        FileReport(
            file,
            tuple([rule or other for rule in find_rules(block, rules)] for block in file.blocks),
        )
        for file in files
    )
    return PatchReport(
        matched.commit,
        reports,
        patch,
        edited,
        tuple(findings),
        is_certain=bool(rules.only_rule),
        template_lines=None if rules.is_edited else _read_template_lines(matched.commit.message),
    )


def _read_template_lines(message: str) -> TemplateLines | None:
    """Return the numbers in a message, None if it does not have them."""
    match = _TEMPLATE_LINES.search(message)
    return TemplateLines(int(match[1]), int(match[2])) if match else None


def _choose_other(rules: PatchRules) -> OtherOrigin:
    if rules.has_templates:
        return OtherOrigin.EITHER if rules.is_edited else OtherOrigin.TEMPLATE
    return OtherOrigin.BY_HAND if rules.is_edited else OtherOrigin.UNKNOWN
