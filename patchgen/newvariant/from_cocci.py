# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a variant from an existing semantic patch, with its golden cases or one from a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from patchgen.coccinelle import (
    Formula,
    Header,
    RunnableSmpl,
    SemanticPatch,
    apply_to_file,
    decode_cocci,
    find_needs,
    find_spatch,
    find_summary_fault,
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
from patchgen.sweep import Includes
from patchgen.sweep.candidates import choose_clause

# `apply` runs spatch without include files, and on the headers that `on` names.
_OBEYED_OPTIONS = ("--no-includes", "--include-headers")
# A list of more words makes a manifest hard to read.
_MOST_WORDS = 10
_C_FILES, _HEADERS = "**/*.c", "**/*.h"


def read_cocci(path: Path, name: str, source: CaseSource, title: str | None) -> SemanticPatchDraft:
    """Return the draft for an existing semantic patch, with golden cases if some are found.

    Raises SpecError for one that a variant cannot have, UsageError if it cannot be read.
    """
    try:
        text = decode_cocci(read_regular(path), str(path))
    except OSError as err:
        raise UsageError(f"{path} cannot be read: {err.strerror}", code="file-unreadable") from None
    header = read_header(text)
    semantic_patch = SemanticPatch(str(path), text)
    _refuse_unsuitable(semantic_patch, header)
    if title is None:
        title, body = _split_message(path, header.purpose)
    else:
        body = header.purpose
    spatch = find_spatch()
    # spatch reads it with an empty file.
    apply_to_file(spatch, semantic_patch, PurePosixPath("empty.c"), b"\n")
    source = replace(source, on=source.on or _choose_files(header))
    program = RunnableSmpl(semantic_patch, options=(Includes.NONE,))
    needs = find_needs(spatch, program)
    patch = replace(
        draft_from_cocci(text, title, body, header.comments),
        on=source.on,
        containing=_choose_words(needs.file),
        needs=header.needs,
        remarks=tuple(_list_unused_lines(header)),
    )
    if copied := copy_cases(path, name):
        return replace(patch, cases=copied)
    found = search_cases(source, program, needs, spatch)
    return replace(patch, cases=name_cases(name, found.texts), without_cases=found.reason)


def _refuse_unsuitable(patch: SemanticPatch, header: Header) -> None:
    """Raise SpecError for a semantic patch that a variant cannot have."""
    place = ErrorPlace(patch.name)
    refuse_without_change(patch)
    if header.rules or header.identifiers:
        names = ", ".join((*header.rules, *header.identifiers))
        raise SpecError(
            f"has virtual names ({names}), which `apply` does not define",
            code="definition-missing",
            place=place,
            hint="remove them, and the rules and scripts that only report",
        )
    refuse_code(patch)
    if "<%" in patch.text:
        raise SpecError(
            "has <%, which begins an expression of a template", code="template-failed", place=place
        )


def _choose_files(header: Header) -> tuple[str, ...]:
    return (_C_FILES, _HEADERS) if "--include-headers" in header.options else (_C_FILES,)


def _choose_words(need: Formula) -> list[str]:
    """Return the words of which each match needs one, if they are few, and C tokens."""
    clauses = [
        clause
        for clause in need
        if len(clause) <= _MOST_WORDS and all(map(str.isidentifier, clause))
    ]
    return sorted(choose_clause(clauses) or ())


def _list_unused_lines(header: Header) -> Iterator[str]:
    """Yield sentences on the lines that `run` obeys, and a variant does not."""
    options = [option for option in header.options if option not in _OBEYED_OPTIONS]
    if options:
        yield f"`apply` does not use the `// Options:` {' '.join(options)}"
    if header.requires:
        yield f"`apply` does not check the `// Requires:` {header.requires}"


def _split_message(path: Path, purpose: str) -> tuple[str, str]:
    """Return the subject and the body that `///` lines make.

    Raises UsageError if they do not begin with a sentence that can be a subject.
    """
    subject, body = split_purpose(purpose)
    fault = find_summary_fault(subject, LONGEST_SUBJECT)
    if fault:
        raise UsageError(
            f"{path} gives no subject: {fault}",
            code="text-without-subject",
            hint="give the subject",
            parameters=("title",),
        )
    return check_title(subject), body
