# SPDX-License-Identifier: GPL-2.0-or-later
"""Divide the change that a sweep found into the patches of a campaign."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from patchgen.campaign.declarations import find_changed_declarations
from patchgen.campaign.groups import PatchGroup, split_edits
from patchgen.campaign.matching import match_patches, name_patches
from patchgen.campaign.merging import merge_groups
from patchgen.campaign.messages import WIDTH, list_long_lines, make_subjects
from patchgen.campaign.places import count_places
from patchgen.campaign.prefixes import learn_style
from patchgen.campaign.split_change import SplitChange, SplitPatch
from patchgen.campaign.texts import CampaignTexts, choose_texts, name_cover
from patchgen.campaign.trees import History, assign_trees, open_history
from patchgen.coccinelle import Header, find_spatch
from patchgen.kernel import find_file_trees
from patchgen.model.finding import list_first
from patchgen.model.series import FileEdit
from patchgen.model.sweep import CampaignRequest, Split, Sweep
from patchgen.odb import GitTree, Repository, git_version
from patchgen.process import map_parallel
from patchgen.series import RecordedPatch
from patchgen.sweep import SweepRequest
from patchgen.version import find_version


def divide_change(
    repository: Repository,
    request: CampaignRequest,
    run: SweepRequest,
    sweep: Sweep,
    revision: int,
    *,
    earlier: Sequence[RecordedPatch] = (),
    edit_texts: Callable[[CampaignTexts], CampaignTexts] | None = None,
) -> SplitChange:
    """Divide the change of a sweep into patches with their texts.

    The patches keep the names and subjects of `earlier`, the patches of the version before.
    `edit_texts` lets the user change the texts. Raises RefusedError for a text that `git am` would
    cut.
    """
    tree = GitTree(repository, sweep.base.tree)
    history = open_history(repository, sweep.base.oid)
    groups, problems = _group(tree, history, request, sweep.edits) if sweep.edits else ([], [])
    texts = choose_texts(request, run.header or Header(), sweep.public_name)
    matches = match_patches(groups, earlier)
    subjects = _choose_subjects(history, groups, matches, texts.message.subject)
    texts = name_cover(texts, subjects, earlier)
    if edit_texts is not None:
        texts = edit_texts(texts)
        request = _with_texts(request, texts)
        subjects = _choose_subjects(history, groups, matches, texts.message.subject)
        texts = name_cover(texts, subjects, earlier)
    names = name_patches(groups, matches, earlier)
    counts = count_places(sweep, [group.edits for group in groups])
    change = SplitChange(
        request,
        run,
        sweep,
        revision,
        tuple(map(SplitPatch, names, subjects, groups, counts)),
        texts,
        tree,
        tools={"patchgen": find_version(), "spatch": find_spatch().version, "git": git_version()},
        declarations=tuple(find_changed_declarations(sweep.edits)) if len(groups) > 1 else (),
    )
    return replace(change, warnings=(*problems, *_warn(change)))


def _with_texts(request: CampaignRequest, texts: CampaignTexts) -> CampaignRequest:
    return replace(request, subject=None, message=str(texts.message), cover=str(texts.cover))


def _choose_subjects(
    history: History,
    groups: Sequence[PatchGroup],
    matches: Sequence[RecordedPatch | None],
    summary: str,
) -> list[str]:
    """Return the subjects, with the prefixes that the log uses.

    A patch keeps the subject of the version before, unless it changes other files as well, or the
    summary has changed.
    """
    reused = [
        patch.subject
        if patch is not None
        and set(map(str, group.paths)) <= set(patch.files)
        and summary.lower() in patch.subject.lower()
        else ""
        for group, patch in zip(groups, matches, strict=True)
    ]
    new = [group for group, subject in zip(groups, reused, strict=True) if not subject]
    styles = map_parallel(partial(learn_style, history), new, workers=os.cpu_count() or 1)
    kept = [group for group, subject in zip(groups, reused, strict=True) if subject]
    used = list(filter(None, reused))
    new_subjects = iter(make_subjects(styles, new, summary, used=used, others=kept))
    return [subject or next(new_subjects) for subject in reused]


def _group(
    tree: GitTree, history: History, request: CampaignRequest, edits: Sequence[FileEdit]
) -> tuple[list[PatchGroup], list[str]]:
    """Return the groups of edits that become patches, and warnings about MAINTAINERS."""
    by_tree = request.split is Split.TREE
    by_section = by_tree or request.split in (Split.MAINTAINER, Split.SUBSYSTEM)
    if not by_section and request.max_patches is None:
        return split_edits(edits, request.split, {}), []
    files = find_file_trees(tree, [edit.path for edit in edits])
    if files is None:
        groups = split_edits(edits, request.split, {})
        warnings = ["without MAINTAINERS in the base, the git trees are unknown"] if by_tree else []
    else:
        trees = assign_trees(history if by_tree else history.without_log(), files)
        groups = split_edits(edits, request.split, files.owners, trees)
        warnings = list(files.warnings)
        if by_tree and not history.has_log:
            warnings.append(
                "without history, the base does not show who applied patches: the git trees are "
                "those of MAINTAINERS"
            )
    if request.max_patches is None:
        return groups, warnings
    joined = merge_groups(groups, request.max_patches)
    if len(joined) > request.max_patches:
        warnings.append(
            f"{len(joined)} patches are left, not {request.max_patches}: patches for different git "
            "trees are not joined"
        )
    return joined, warnings


def _warn(change: SplitChange) -> Iterator[str]:
    request, patches, texts = change.request, change.patches, change.texts
    for patch in patches:
        if len(patch.subject) > WIDTH:
            yield f"the subject has more than {WIDTH} columns: {patch.subject}"
    numbers = list_long_lines(change.run.program.patch.text)
    if numbers:
        lines = list_first([f"{change.run.name}:{number}" for number in numbers])
        yield (
            f"the messages quote {lines} indented, and checkpatch reports a line with more "
            f"than {WIDTH} columns: wrap {'it' if len(numbers) == 1 else 'them'}"
        )
    if len(patches) > 15 and request.max_patches is None and request.split is not Split.TREE:
        yield (
            f"{len(patches)} patches are many at once (submitting-patches.rst: 15 or so); "
            "--max-patches 15 joins groups"
        )
    if change.declarations:
        files = list_first(list(map(str, change.declarations)))
        yield (
            f"{files} {'is' if len(change.declarations) == 1 else 'are'} changed outside of "
            "functions: a patch may not build without the others; "
            "--split none makes one patch"
        )
    if request.subject is None and texts.message.subject == texts.summary:
        if texts.without_sentence:
            yield (
                f"{change.run.name}: {texts.without_sentence}, so each subject only names the "
                "file, which `verify` refuses; --subject sets your own"
            )
        else:
            yield "each subject is the first sentence of the /// text; --subject sets your own"
