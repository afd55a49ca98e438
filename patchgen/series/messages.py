"""Commit messages and the cover letter, rendered from their templates and checked for form.

The form is that of Documentation/process/submitting-patches.rst and maintainer-tip.rst: one
subject line, an empty line, paragraphs, then trailers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from patchgen.controls import escape_controls, has_controls
from patchgen.errors import Place, SpecError
from patchgen.model.plan import Plan, PlannedPatch, RunRules
from patchgen.model.series import Cover, Identity, MadePatch
from patchgen.series.record import HandWork
from patchgen.series.tracking import parse_cover
from patchgen.series.trailers import Trailer, parse_message
from patchgen.templating import render_text

# `git am` ends the message at such a line (git-mailinfo(1)).
_CUT = re.compile(r"^(---$|---\s|diff -|Index: )", re.MULTILINE)


def render_message(
    plan: Plan,
    planned: PlannedPatch,
    made: MadePatch,
    signer: Identity | None,
    *,
    edited: bool = False,
) -> str:
    """Return the commit message, signed off by `signer` where there is one.

    `edited` is whether a person goes on from what is made.

    Raises SpecError where the template is wrong or gives no well-formed message.
    """
    rules = [edit for edit in planned.edits if isinstance(edit, RunRules)]
    patch = {
        "name": planned.name,
        "edited": edited,
        "backend": planned.backend,
        "semantic_patches": list(dict.fromkeys(edit.patch.name for edit in rules)),
        "fired": {rule.rule: rule.hits for rule in made.rules},
        "files": [str(edit.path) for edit in made.edits],
    }
    text = render_text(planned.message, planned.folders, {**plan.context, "patch": patch})
    message = _well_formed(text, planned.message)
    if _CUT.search(message):
        raise SpecError(
            "a line of the message would end it for `git am` (---, diff -, Index:)",
            place=Place(planned.message),
        )
    if planned.trailers:
        named = [Trailer(key, value) for key, value in planned.trailers]
        message = str(parse_message(message).with_trailers(named))
    return sign_off(message, signer) if signer else message


def render_subject(plan: Plan, planned: PlannedPatch) -> str:
    """Return the subject that a patch has or would have, made or not."""
    return render_message(plan, planned, MadePatch(planned.name), None).partition("\n")[0]


def render_cover(
    plan: Plan, made: Sequence[MadePatch], subjects: Mapping[str, str], hand: HandWork
) -> Cover:
    """Return the cover letter of the series that goes out; `subjects` are by the patches' names.

    Its template knows of each patch whether it is "made", "already there" or "left out", and the
    subjects of the commits that people added as `by_hand`.
    """
    context: dict[str, Any] = {
        **plan.context,
        "patches": [
            {
                "name": patch.name,
                "edited": patch.name in hand.edited,
                "subject": subjects.get(patch.name, ""),
                "status": _status(patch, hand),
                "site": str(patch.present_at or ""),
            }
            for patch in made
        ],
        "by_hand": list(hand.added),
        "semantic_patches": [
            {"path": name, "text": text} for name, text in _semantic_patches(plan).items()
        ],
    }
    text = _well_formed(render_text(plan.cover, plan.folders, context), plan.cover)
    return parse_cover(text)


def _status(patch: MadePatch, hand: HandWork) -> str:
    if patch.name in hand.left_out:
        return "left out"
    return "already there" if patch.present_at else "made"


def sign_off(message: str, signer: Identity) -> str:
    """Return the message with a Signed-off-by in its place, unless the last one is the signer's."""
    trailer = Trailer("Signed-off-by", f"{signer.name} <{signer.email}>")
    parsed = parse_message(message)
    signed = [each for each in parsed.trailers if each.name == "Signed-off-by"]
    if signed and str(signed[-1]) == str(trailer):
        return message
    return str(parsed.with_trailer(trailer))


def _semantic_patches(plan: Plan) -> dict[str, str]:
    """Return the exact text of each semantic patch by its name, in the order of their use."""
    return {
        edit.patch.name: edit.patch.text
        for planned in plan.patches
        for edit in planned.edits
        if isinstance(edit, RunRules)
    }


def _well_formed(text: str, template: str) -> str:
    """Return the text without stray blanks; raise SpecError where it has no subject and body."""
    lines = [line.rstrip() for line in text.strip().split("\n")]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"
    for number, line in enumerate(text.split("\n"), 1):
        if has_controls(line, allow="\t"):
            raise SpecError(
                f"line {number} of what it gives has control characters: {escape_controls(line)}",
                place=Place(template),
            )
    subject, _, rest = text.partition("\n")
    if not subject or not rest.startswith("\n") or not rest.strip():
        raise SpecError(
            "a subject line, an empty line and a body are wanted",
            place=Place(template, 1, excerpt=subject),
        )
    return text
