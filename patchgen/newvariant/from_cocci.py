# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a variant from an existing semantic patch, with its golden cases or one from a tree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from patchgen.coccinelle import (
    SemanticPatch,
    apply_to_file,
    decode_cocci,
    find_spatch,
    read_header,
    refuse_code,
    refuse_without_change,
    split_purpose,
)
from patchgen.errors import ErrorPlace, SpecError, UsageError
from patchgen.model.commit import LONGEST_SUBJECT
from patchgen.newvariant.case_search import CaseSource, search_cases
from patchgen.newvariant.copied_cases import copy_cases
from patchgen.newvariant.draft import check_title
from patchgen.newvariant.golden_case import name_cases
from patchgen.newvariant.skeleton import SemanticPatchDraft, draft_from_cocci
from patchgen.sourcefolder import read_regular


def read_cocci(path: Path, name: str, source: CaseSource, title: str | None) -> SemanticPatchDraft:
    """Return the draft for an existing semantic patch, with golden cases if some are found.

    Raises SpecError for one that a variant cannot have, UsageError if it cannot be read.
    """
    place = ErrorPlace(str(path))
    try:
        text = decode_cocci(read_regular(path), str(path))
    except OSError as err:
        raise UsageError(f"{path} cannot be read: {err.strerror}", code="file-unreadable") from None
    header = read_header(text)
    semantic_patch = SemanticPatch(str(path), text)
    refuse_without_change(semantic_patch)
    if header.rules or header.identifiers:
        names = ", ".join((*header.rules, *header.identifiers))
        raise SpecError(
            f"has virtual names ({names}), which `apply` does not define",
            code="definition-missing",
            place=place,
            hint="remove them, and the rules and scripts that only report",
        )
    refuse_code(semantic_patch)
    if "<%" in text:
        raise SpecError(
            "has <%, which begins an expression of a template", code="template-failed", place=place
        )
    if title is None:
        title, body = _split_message(path, header.purpose)
    else:
        body = header.purpose
    spatch = find_spatch()
    # spatch reads it with an empty file.
    apply_to_file(spatch, semantic_patch, PurePosixPath("empty.c"), b"\n")
    patch = draft_from_cocci(text, title, body)
    if copied := copy_cases(path, name):
        return replace(patch, cases=copied)
    found = search_cases(source, semantic_patch, spatch)
    return replace(patch, cases=name_cases(name, found.texts), without_cases=found.reason)


def _split_message(path: Path, purpose: str) -> tuple[str, str]:
    """Return the subject and the body that `///` lines make.

    Raises UsageError if they do not begin with a sentence that can be a subject.
    """
    subject, body = split_purpose(purpose)
    reason = ""
    if not subject:
        reason = "has no /// lines, from which the commit's message is made"
    elif len(subject) > LONGEST_SUBJECT:
        reason = (
            f"begins its /// lines with a sentence of {len(subject)} characters, and a subject has "
            f"at most {LONGEST_SUBJECT}"
        )
    elif subject.endswith(":"):
        reason = "begins its /// lines with the introduction of a list, which is not a subject"
    if reason:
        raise UsageError(
            f"{path} {reason}",
            code="text-without-subject",
            hint="give the subject",
            parameters=("title",),
        )
    return check_title(subject), body
