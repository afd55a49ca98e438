# SPDX-License-Identifier: GPL-2.0-or-later
"""Match the patches of a campaign with those of an earlier version, and name them.

Numbers change when patches are applied or added, so a patch has a name that all versions share.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count

from patchgen.campaign.groups import PatchGroup
from patchgen.series import RecordedPatch

# `--changes cover=TEXT` describes the cover letter.
_RESERVED = "cover"


def match_patches(
    groups: Sequence[PatchGroup], earlier: Sequence[RecordedPatch]
) -> list[RecordedPatch | None]:
    """Return the earlier patch of each group, None for a new one; each patch matches one group.

    A group matches the patch with the same files, else the one for the same tree (or maintainer,
    folder, ...), else the one that shares most files with it.
    """
    by_files = {frozenset(patch.files): patch for patch in earlier}
    matches = [by_files.get(frozenset(map(str, group.paths))) for group in groups]
    by_group = {patch.group: patch for patch in earlier if patch.group and patch not in matches}
    for index, group in enumerate(groups):
        if matches[index] is None:
            matches[index] = by_group.get(group.names)
    used = {patch.name for patch in matches if patch is not None}
    by_file = {file: patch for patch in earlier if patch.name not in used for file in patch.files}
    shares = []
    for index, group in enumerate(groups):
        if matches[index] is None:
            patches = [by_file[str(path)] for path in group.paths if str(path) in by_file]
            shared = Counter(patch.name for patch in patches)
            shares += [(-number, index, name) for name, number in shared.items()]
    by_name = {patch.name: patch for patch in earlier}
    for _, index, name in sorted(shares):
        if matches[index] is None and name not in used:
            matches[index] = by_name[name]
            used.add(name)
    return matches


def name_patches(
    groups: Sequence[PatchGroup],
    matches: Sequence[RecordedPatch | None],
    earlier: Sequence[RecordedPatch],
) -> list[str]:
    """Return a unique name for each group: that of its earlier patch, else one after its tree.

    `matches` is the result of `match_patches`. A new patch never gets the name of an earlier one.
    """
    used = {_RESERVED, *(patch.name for patch in earlier)}
    names = []
    for group, patch in zip(groups, matches, strict=True):
        name = patch.name if patch else next(text for text in _propose(group) if text not in used)
        used.add(name)
        names.append(name)
    return names


def _propose(group: PatchGroup) -> Iterator[str]:
    """Yield names for a group: that of its tree or of its files, then the same with numbers.

    They consist of letters, digits, and `_.+-`.
    """
    texts = ["treewide"] if group.is_leftover else [group.name]
    if group.tree is not None and group.tree.name in group.names:
        texts = [group.tree.label, group.tree.name]
    slugs = [re.sub(r"[^\w.+]+", "-", text).strip("-.") or "patch" for text in texts]
    yield from slugs
    for number in count(2):
        yield f"{slugs[-1]}-{number}"
