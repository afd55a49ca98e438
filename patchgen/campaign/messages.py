# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts of a patch: its subject, and what its message quotes of the semantic patch.

A subject is the usual prefix for the files, and a summary of the change.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from patchgen.campaign.groups import PatchGroup
from patchgen.campaign.prefixes import SubjectStyle
from patchgen.coccinelle import read_header, read_rules
from patchgen.counting import count
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
    others: Sequence[PatchGroup] = (),
) -> list[str]:
    """Return a subject for each group, unique and of acceptable length if possible.

    `others` are the other patches of the series, and `used` are their subjects. Subjects that would
    be equal begin with the folder that the tree is named after, or end with what only the one patch
    has: its folder or files. A prefix that is too long is cut to its first parts.
    """
    subjects = [_fit(style.prefix, style.apply(summary)) for style in styles]
    counts = Counter([*subjects, *used])
    seen = {*used, *(subject for subject, number in counts.items() if number == 1)}
    unique = []
    for number, (style, group, subject) in enumerate(zip(styles, groups, subjects, strict=True)):
        chosen = subject
        if counts[subject] > 1:
            rest = [*groups[:number], *groups[number + 1 :], *others]
            candidates = list(_propose_subjects(style, group, summary, rest))
            unused = [text for text in candidates if text not in seen] or candidates[-1:]
            chosen = next((text for text in unused if len(text) <= WIDTH), unused[0])
        seen.add(chosen)
        unique.append(chosen)
    return unique


def _propose_subjects(
    style: SubjectStyle, group: PatchGroup, summary: str, others: Sequence[PatchGroup]
) -> Iterator[str]:
    """Yield subjects for a group whose usual one is not unique; none is true for `others`."""
    tree = group.tree
    if tree is not None and all(tree not in other.trees for other in others):
        # Many trees are named after a person, or after no part of the kernel.
        folders = {part for path in group.paths for part in path.parent.parts}
        if tree.label in folders and f"{tree.label}: " != style.prefix:
            yield _fit(f"{tree.label}: ", style.apply(summary))
    for place in _name_places(group, [path for other in others for path in other.paths]):
        yield _fit(style.prefix, f"{style.apply(summary)} in {place}")


def _name_places(group: PatchGroup, others: Sequence[PurePosixPath]) -> Iterator[str]:
    """Yield names for the place of a change; none of them contains the files `others`."""
    first, *rest = (_shorten(path, others) for path in group.paths)
    if not rest:
        yield first
        return
    if group.folder and not any(path.is_relative_to(group.folder) for path in others):
        yield group.folder
    if len(rest) == 1:
        yield f"{first} and {rest[0]}"
    yield f"{first} and {count(len(rest), 'other file')}"


def _shorten(path: PurePosixPath, others: Sequence[PurePosixPath]) -> str:
    """Return a file's name, with as many folders as none of the files `others` has, too."""
    tails = (path.parts[-length:] for length in range(1, len(path.parts)))
    unique = (tail for tail in tails if all(other.parts[-len(tail) :] != tail for other in others))
    return "/".join(next(unique, path.parts))


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
    """Return a semantic patch without its header, and without rules and scripts of other modes.

    Scripts that run in patch mode are part of it: they choose matches, and make names for the code
    that other rules add. If it has no rule of that mode, it is returned whole.
    """
    modes = {mode.value: mode is Mode.PATCH for mode in Mode}
    rules = [rule for rule in read_rules(text) if rule.kind != "finalize" and rule.may_run(modes)]
    if all(rule.is_script for rule in rules):
        return text.strip("\n")
    is_used = any(Mode.PATCH in rule.depends for rule in rules)
    virtuals = [*([Mode.PATCH] if is_used else []), *read_header(text).virtuals]
    lines = [f"virtual {name}" for name in virtuals]
    lines += [line for rule in rules for line in rule.lines if not line.startswith("//")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
