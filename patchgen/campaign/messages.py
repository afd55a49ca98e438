# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts of a patch: its subject, and what its message quotes of the semantic patch.

A subject is the usual prefix for the files, and a summary of the change.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from patchgen.campaign.groups import PatchGroup
from patchgen.campaign.prefixes import SubjectStyle
from patchgen.coccinelle import read_header, read_rules
from patchgen.model.smpl import Mode

# Documentation/process/submitting-patches.rst, "The canonical patch format".
WIDTH = 75
# That of the semantic patch in a message.
_INDENT = 4


def make_subjects(
    styles: Sequence[SubjectStyle],
    groups: Sequence[PatchGroup],
    summary: str,
    *,
    used: Sequence[str] = (),
) -> list[str]:
    """Return a subject for each group, unique and of acceptable length if possible.

    `used` are the subjects of other patches. Subjects that would be equal begin with the names of
    the trees that take the patches, or end with a file or folder: the first of these that makes
    them unique. A prefix that is too long is cut to its first parts.
    """
    subjects = [_fit(style.prefix, style.apply(summary)) for style in styles]
    counts = Counter([*subjects, *used])
    seen = {*used, *(subject for subject, count in counts.items() if count == 1)}
    unique = []
    for style, group, subject in zip(styles, groups, subjects, strict=True):
        chosen = subject
        if counts[subject] > 1:
            candidates = list(_propose_subjects(style, group, summary))
            chosen = next((text for text in candidates if text not in seen), candidates[-1])
        seen.add(chosen)
        unique.append(chosen)
    return unique


def _propose_subjects(style: SubjectStyle, group: PatchGroup, summary: str) -> Iterator[str]:
    """Yield subjects for a group whose usual one is not unique."""
    if group.tree is not None:
        yield _fit(f"{group.tree.label}: ", style.apply(summary))
    for place in _name_places(group):
        yield _fit(style.prefix, f"{style.apply(summary)} in {place}")


def _name_places(group: PatchGroup) -> Iterator[str]:
    """Yield names for the place of a change; only the last one is certainly unique."""
    if len(group.edits) == 1:
        yield group.paths[0].name
    else:
        if group.folder:
            yield group.folder
        if group.tree is not None:
            yield group.tree.name
        if len({path.parent for path in group.paths}) == 1:
            yield f"{group.folder}, {group.paths[0].name} and others"
    yield str(group.paths[0])


def _fit(prefix: str, summary: str) -> str:
    parts = prefix.split(": ")[:-1]
    while len(parts) > 1 and len(": ".join([*parts, summary])) > WIDTH:
        parts.pop()
    return ": ".join([*parts, summary])


def list_long_lines(text: str) -> list[int]:
    """Return the numbers of a semantic patch's lines that are too long for the messages' excerpt.

    checkpatch.pl warns of each line of a message that has more than 75 characters.
    """
    quoted = {line.rstrip() for line in excerpt(text).split("\n")}
    return [
        number
        for number, line in enumerate(text.split("\n"), 1)
        if len(line.rstrip()) > WIDTH - _INDENT and line.rstrip() in quoted
    ]


def excerpt(text: str) -> str:
    """Return a semantic patch without its header, its scripts, and the rules of other modes.

    If it consists only of these, it is returned whole.
    """
    modes = {mode.value: mode is Mode.PATCH for mode in Mode}
    rules = [rule for rule in read_rules(text) if not rule.is_script and rule.may_run(modes)]
    if not rules:
        return text.strip("\n")
    is_used = any(Mode.PATCH in rule.depends for rule in rules)
    virtuals = [*([Mode.PATCH] if is_used else []), *read_header(text).virtuals]
    lines = [f"virtual {name}" for name in virtuals]
    lines += [line for rule in rules for line in rule.lines if not line.startswith("//")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
