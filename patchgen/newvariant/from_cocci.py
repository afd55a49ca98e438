# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a variant from an existing semantic patch, with its golden cases or one from a tree."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from patchgen.coccinelle import (
    SemanticPatch,
    Spatch,
    apply_to_file,
    decode_cocci,
    find_removed_words,
    find_spatch,
    read_header,
    refuse_code,
    refuse_without_change,
    split_purpose,
)
from patchgen.errors import ErrorPlace, RefusedError, SpecError, UsageError
from patchgen.model.commit import LONGEST_SUBJECT
from patchgen.newvariant.draft import check_title
from patchgen.newvariant.golden_case import find_cases_for, name_cases
from patchgen.newvariant.skeleton import SemanticPatchDraft, draft_from_cocci
from patchgen.odb import GitTree, Repository
from patchgen.sourcefolder import read_regular
from patchgen.sweep import find_cases

# The number of files of a tree to try for a golden case.
_MAX_TRIED = 20


@dataclass(frozen=True, slots=True)
class CaseSource:
    """Where to look for a golden case: the files that match `on` at HEAD of a repository."""

    tree: Path
    on: tuple[str, ...]
    timeout_s: int


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
    cases = _copy_cases(path) or _find_cases_in_tree(source, name, semantic_patch, spatch)
    return replace(patch, cases=cases)


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


def _copy_cases(path: Path) -> dict[str, bytes]:
    """Return the golden cases next to a semantic patch, with their results and headers."""
    try:
        cases = find_cases(path, (".c", ".h"))
    except SpecError:
        return {}
    files = [case.file for case in cases]
    files += [case.result for case in cases if case.result and case.result.is_file()]
    if len(list(path.parent.glob("*.cocci"))) == 1:
        files += [header for header in path.parent.glob("*.h") if header not in files]
    return {str(file.relative_to(path.parent)): file.read_bytes() for file in files}


def _find_cases_in_tree(
    source: CaseSource, name: str, patch: SemanticPatch, spatch: Spatch
) -> dict[str, bytes]:
    """Return golden cases from the first files of the tree that may match.

    The result is empty if the semantic patch changes none of them, or if the folder is not a git
    repository.
    """
    words = [word.encode() for word in find_removed_words([patch.text], frozenset(), {})]

    def may_match(content: bytes) -> bool:
        return not words or any(word in content for word in words)

    try:
        repository = Repository(source.tree)
    except RefusedError:
        return {}
    with closing(repository):
        commit = repository.resolve_commit("HEAD")
        tree = GitTree(repository, repository.resolve_tree(commit))
        candidates: dict[PurePosixPath, bytes] = {}
        for file in tree.find(source.on):
            if may_match(content := tree.read(file)):
                candidates[file.path] = content
            if len(candidates) == _MAX_TRIED:
                break
    cases = find_cases_for(patch, candidates, spatch, source.timeout_s, may_match)
    return name_cases(name, cases)
