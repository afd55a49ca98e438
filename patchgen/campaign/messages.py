# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts of a patch: its subject, and what its message quotes of the semantic patch.

A subject is the usual prefix for the files, and what the patch does.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence

from patchgen.campaign.groups import PatchGroup
from patchgen.coccinelle import read_header, read_rules
from patchgen.errors import MissingObjectsError
from patchgen.model.base import Oid
from patchgen.model.smpl import Mode
from patchgen.odb import Git

# Documentation/process/submitting-patches.rst, "The canonical patch format".
WIDTH = 75
_BODY_WIDTH = 72
_MAX_COMMITS = 40
_MAX_FILES = 50
# `net: ethernet: ` and `x86/kvm: `, not `Merge branch`, `Revert "..."` or a version.
_PREFIX = re.compile(r"^(?P<prefix>(?:[\w./,+*{}\[\]() -]{1,40}: ){1,4})\S")
# Folders that prefixes leave out: https://docs.kernel.org/process/submitting-patches.html asks for
# "subsystem or file", and these are neither.
_OMITTED_FOLDERS = frozenset({"drivers", "arch", "fs", "kernel", "tools", "include"})
_MAX_PARTS = 3


def learn_prefix(git: Git, base: Oid, group: PatchGroup) -> str:
    """Return the prefix of most of the last commits to a group's files, with a trailing space.

    If the history has none (a tree without history, new files), it is derived from the folder.
    """
    paths = [f":(top,literal){path}" for path in group.paths[:_MAX_FILES]]
    # A commit without a parent lists all files: an import, or the end of a shallow clone.
    args = ("log", "--no-merges", f"--max-count={_MAX_COMMITS}", "--format=%P%x09%s", base, "--")
    try:
        lines = git.run(*args, *paths).stdout.decode("utf-8", "replace").splitlines()
    except MissingObjectsError:
        # A clone without the trees of its history; fetching them all for a prefix is not worth it.
        return derive_prefix(group)
    subjects = [line.partition("\t")[2] for line in lines if not line.startswith("\t")]
    return find_common_prefix(subjects) or derive_prefix(group)


def find_common_prefix(subjects: Sequence[str]) -> str:
    """Return the prefix that more than half of the subjects begin with, "" if there is none.

    If many of those share a longer prefix, that is returned: `net: phy: ` rather than `net: `.
    """
    prefixes = [match["prefix"] for subject in subjects if (match := _PREFIX.match(subject))]
    prefix = ""
    while True:
        longer = Counter(
            prefix + rest.partition(": ")[0] + ": "
            for candidate in prefixes
            if candidate.startswith(prefix) and ": " in (rest := candidate[len(prefix) :])
        )
        if not longer:
            return prefix
        best, count = min(longer.items(), key=lambda item: (-item[1], item[0]))
        # A single commit is not a convention, unless the file has no others.
        if 2 * count <= len(subjects) or (count < 2 and len(subjects) > 1):
            return prefix
        prefix = best


def derive_prefix(group: PatchGroup) -> str:
    """Return a prefix as in most of the tree: the folders, without those of the top level."""
    parts = [part for part in group.folder.split("/") if part]
    if not parts:
        return "treewide: "
    if parts[0] == "arch" and len(parts) > 1:
        return "/".join(parts[1:3]) + ": "
    named_parts = parts[1:] if parts[0] in _OMITTED_FOLDERS and len(parts) > 1 else parts
    return "".join(f"{part}: " for part in named_parts[:_MAX_PARTS])


def make_subjects(prefixes: Sequence[str], groups: Sequence[PatchGroup], summary: str) -> list[str]:
    """Return a subject for each group, unique and of acceptable length if possible.

    The folder or file is added to subjects that would be equal; a prefix that is too long is cut
    to its first parts.
    """
    subjects = [_fit(prefix, summary) for prefix in prefixes]
    counts = Counter(subjects)
    distinct = [
        _fit(prefix, f"{summary} in {_describe_place(group)}") if counts[subject] > 1 else subject
        for prefix, group, subject in zip(prefixes, groups, subjects, strict=True)
    ]
    seen: Counter[str] = Counter()
    unique = []
    for subject in distinct:
        seen[subject] += 1
        unique.append(subject if seen[subject] == 1 else f"{subject} ({seen[subject]})")
    return unique


def _describe_place(group: PatchGroup) -> str:
    if len(group.edits) == 1:
        return group.paths[0].name
    return group.folder or "several folders"


def _fit(prefix: str, summary: str) -> str:
    parts = prefix.split(": ")[:-1]
    while len(parts) > 1 and len(": ".join([*parts, summary])) > WIDTH:
        parts.pop()
    return ": ".join([*parts, summary])


# --- bodies ---


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


def wrap(text: str) -> str:
    """Wrap the paragraphs of a message; indented ones are not changed."""
    paragraphs = []
    for paragraph in text.strip("\n").split("\n\n"):
        is_code = any(line.startswith((" ", "\t")) for line in paragraph.split("\n"))
        paragraphs.append(paragraph if is_code else textwrap.fill(paragraph, _BODY_WIDTH))
    return "\n\n".join(paragraphs)
