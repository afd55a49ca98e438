# SPDX-License-Identifier: GPL-2.0-or-later
"""Render commit messages and the cover letter from their templates, and check their form.

The form follows Documentation/process/submitting-patches.rst and maintainer-tip.rst: a subject
line, an empty line, paragraphs, then trailers.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, assert_never

from patchgen.coccinelle import describe_texts
from patchgen.controls import escape_controls, has_controls
from patchgen.errors import SpecError
from patchgen.model.base import is_glob
from patchgen.model.plan import InsertLines, NewFile, PlannedPatch, ReplaceText, RunRules
from patchgen.model.series import Cover, Identity, LineCount, MadePatch
from patchgen.series.record import HandWork
from patchgen.series.tracking import parse_cover
from patchgen.series.trailers import Trailer, parse_message
from patchgen.sourcefolder import SourceFolder
from patchgen.templating import place_in_template, render_text

if TYPE_CHECKING:
    from patchgen.spec import SeriesPlan

# The mark of `patchgen new` and b4 for text that a person has to write.
PLACEHOLDER = "EDITME"
# The largest number of files to list for a semantic patch with globs.
_MAX_FILES = 8
# Lines at which `git am` ends the message (git-mailinfo(1)).
_CUT = re.compile(r"^(---$|---\s|diff -|Index: )", re.MULTILINE)


def render_message(
    plan: SeriesPlan,
    planned: PlannedPatch,
    made_patch: MadePatch,
    signer: Identity | None,
    *,
    edited: bool = False,
) -> str:
    """Return the commit message, signed off by `signer` unless it is None.

    `edited` is set if a person has edited the patch by hand.

    Raises SpecError if the template is wrong, or its result is not a well-formed message.
    """
    rules = [edit for edit in planned.edits if isinstance(edit, RunRules)]
    patch = {
        "name": planned.name,
        "edited": edited,
        "backend": planned.backend,
        "semantic_patches": list(dict.fromkeys(edit.patch.name for edit in rules)),
        "fired": {rule.rule: rule.hits for rule in made_patch.rules},
        "files": [str(edit.path) for edit in made_patch.edits],
        "lines": asdict(_sum_counts(made_patch.lines.values())),
    }
    text = render_text(planned.message, planned.folders, {**plan.context, "patch": patch})
    message = _check_form(text, planned.message, planned.folders)
    if _CUT.search(message):
        raise SpecError(
            "a line of the message would end it for `git am` (---, diff -, Index:)",
            code="message-cut",
            place=place_in_template(planned.message, planned.folders),
        )
    if planned.trailers:
        trailers = [Trailer(key, value) for key, value in planned.trailers]
        message = str(parse_message(message).with_trailers(trailers))
    return sign_off(message, signer) if signer else message


def render_subject(plan: SeriesPlan, planned: PlannedPatch) -> str:
    """Return the subject of a patch, whether or not it is made."""
    return render_message(plan, planned, MadePatch(planned.name), None).partition("\n")[0]


def render_cover(
    plan: SeriesPlan, made_patches: Sequence[MadePatch], subjects: Mapping[str, str], hand: HandWork
) -> Cover:
    """Return the cover letter of the series; `subjects` are by the patches' names.

    Its template gets the `patches`, each with the status "made", "already there" or "left out", the
    subjects of commits that people added (`by_hand`), what produced the lines of each file
    (`lines`), and the files that get text without a semantic patch (`without_rules`).
    """
    context: dict[str, Any] = {
        **plan.context,
        "patches": [
            {
                "name": patch.name,
                "edited": patch.name in hand.edited,
                "subject": subjects.get(patch.name) or render_subject(plan, planned),
                "status": _status(patch, hand),
                "site": str(patch.present_at or ""),
            }
            for planned, patch in zip(plan.patches, made_patches, strict=True)
        ],
        "by_hand": list(hand.added),
        "lines": _count_by_file(made_patches, hand),
        "semantic_patches": list(_describe_rules(plan, made_patches, hand)),
        "without_rules": _list_without_rules(plan, hand),
    }
    cover = plan.variant.manifest.variant.cover
    text = _check_form(render_text(cover, plan.folders, context), cover, plan.folders)
    return parse_cover(text)


def _count_by_file(made_patches: Sequence[MadePatch], hand: HandWork) -> list[dict[str, Any]]:
    """Return the numbers of lines in each file by what produced them, sorted by path."""
    counts: dict[str, LineCount] = {}
    for patch in made_patches:
        if patch.name not in hand.gone:
            for path, count in patch.lines.items():
                counts[str(path)] = counts.get(str(path), LineCount()) + count
    return [{"path": path, **asdict(count)} for path, count in sorted(counts.items())]


def _sum_counts(counts: Iterable[LineCount]) -> LineCount:
    return functools.reduce(LineCount.__add__, counts, LineCount())


def _status(patch: MadePatch, hand: HandWork) -> str:
    if patch.name in hand.gone:
        return "left out"
    return "already there" if patch.present_at else "made"


def sign_off(message: str, signer: Identity) -> str:
    """Return the message with a Signed-off-by added, unless the last one is the signer's."""
    trailer = Trailer("Signed-off-by", f"{signer.name} <{signer.email}>")
    parsed = parse_message(message)
    signatures = [trailer for trailer in parsed.trailers if trailer.name == "Signed-off-by"]
    if signatures and str(signatures[-1]) == str(trailer):
        return message
    return str(parsed.with_trailer(trailer))


def _list_without_rules(plan: SeriesPlan, hand: HandWork) -> list[str]:
    """Return the files that get text, or are added, without a semantic patch."""
    paths: set[str] = set()
    for planned in plan.patches:
        for edit in planned.edits if planned.name not in hand.gone else ():
            match edit:
                case InsertLines(file=file) | ReplaceText(file=file):
                    paths.add(str(file.path))
                case NewFile(path=path):
                    paths.add(str(path))
                case RunRules():
                    pass
                case _:
                    assert_never(edit)
    return sorted(paths)


def _describe_rules(
    plan: SeriesPlan, made_patches: Sequence[MadePatch], hand: HandWork
) -> Iterator[dict[str, Any]]:
    """Yield each semantic patch once, in order of use, in a form that a reader can run."""
    seen = set()
    for planned, made_patch in zip(plan.patches, made_patches, strict=True):
        runs = [edit for edit in planned.edits if isinstance(edit, RunRules)]
        for run, changed in zip(runs, made_patch.changed, strict=True):
            text = describe_texts(run.patch)
            if planned.name in hand.gone or (run.patch.name, text) in seen:
                continue
            seen.add((run.patch.name, text))
            yield {
                "path": run.patch.name,
                "text": text,
                "has_texts": bool(run.patch.texts),
                **_describe_files(run, changed),
                "definitions": dict(run.patch.definitions),
                "macros": run.patch.macros,
            }


def _describe_files(run: RunRules, changed: Sequence[PurePosixPath]) -> dict[str, Any]:
    """Return the files of a semantic patch: all, or those that it changes if globs match many.

    A glob such as **/*.c matches thousands of files; with the globs and the changed files a reader
    can repeat the run.
    """
    is_summary = len(run.files) > _MAX_FILES and any(map(is_glob, run.on))
    shown = changed if is_summary else [file.path for file in run.files]
    if is_summary and len(shown) > _MAX_FILES:
        shown = shown[: _MAX_FILES - 1]
    return {
        "files": list(map(str, shown)),
        "globs": list(run.on) if is_summary else [],
        "containing": list(run.containing) if is_summary else [],
        "searched": len(run.files),
        "changed": len(changed),
    }


def _check_form(text: str, template: str, folders: Sequence[SourceFolder]) -> str:
    """Return the text without stray white space; raise SpecError without a subject and a body."""
    lines = [line.rstrip() for line in text.strip().split("\n")]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"
    for number, line in enumerate(text.split("\n"), 1):
        if has_controls(line, allow="\t"):
            raise SpecError(
                f"line {number} of its result has control characters: {escape_controls(line)}",
                code="control-characters",
                place=place_in_template(template, folders),
            )
    subject, _, body = text.partition("\n")
    if not subject or not body.startswith("\n") or not body.strip():
        raise SpecError(
            "expected a subject line, an empty line and a body",
            code="text-without-subject",
            place=replace(place_in_template(template, folders, 1), excerpt=subject),
        )
    return text
