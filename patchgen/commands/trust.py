# SPDX-License-Identifier: GPL-2.0-or-later
"""`trust` from end to end: find the code in semantic patches, and record what the user trusts.

truststore.py states what an entry covers: the texts of the semantic patches that run code, and of
all files that these name. Semantic patches that run no code need no trust.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from patchgen.coccinelle import RiskyLine
from patchgen.commands.run import list_semantic_patches, make_lookup
from patchgen.errors import MissingObjectsError, PatchgenError, RefusedError, UsageError
from patchgen.odb import GitTree, Repository
from patchgen.spec import TreeConfig, config_entry, read_tree_config
from patchgen.sweep import load_cocci, locate
from patchgen.truststore import (
    Entries,
    TrustEntry,
    change_trust,
    digest_text,
    read_trust,
)


@dataclass(frozen=True, slots=True)
class TrustResult:
    """The result for one target: its entry, None if nothing in it runs code.

    `code` maps the names of semantic patches to the lines that run code. `unreadable` are the
    semantic patches that could not be read, and why. `added`, `changed` and `removed` compare with
    the previous entry; all are empty without one.
    """

    target: str
    entry: TrustEntry | None
    patch_count: int = 0
    code: Mapping[str, tuple[RiskyLine, ...]] = field(default_factory=dict)
    unreadable: tuple[tuple[str, str], ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RevokedTrust:
    """A removed entry. `still_trusted_by` are the ids of entries that trust one of its texts."""

    entry: TrustEntry
    still_trusted_by: tuple[str, ...]


def trust_code(tree: Path, base: str, targets: Sequence[str]) -> tuple[TrustResult, ...]:
    """Trust semantic patches as they are now: files, and folders with everything in them.

    They are looked up as `run` does: on disk, then in the tree of the commit `base`. Targets on
    disk need no repository if `tree` is the current folder. Raises UsageError if no target is
    found, SpecError if one cannot be read, RefusedError without a repository that is needed, and
    PatchgenError if the store cannot be used; in each case nothing is stored.
    """
    is_optional = tree == Path() and all(map(os.path.lexists, targets))
    try:
        repository = Repository(tree)
    except RefusedError as err:
        if not is_optional or err.code != "not-a-repository":
            raise
        results = [_find_code(None, None, "", target) for target in targets]
    else:
        with closing(repository):
            commit = repository.resolve_commit(base)
            files = GitTree(repository, repository.resolve_tree(commit))
            results = [_find_code(repository, files, commit, target) for target in targets]
    compared: list[TrustResult] = []

    def change(entries: Entries) -> Entries:
        compared[:] = [_compare(result, entries) for result in results]
        return _replace_entries(entries, [result.entry for result in results if result.entry])

    if any(result.entry for result in results):
        change_trust(change)
    else:
        change(read_trust())
    return tuple(compared)


def trust_config(tree: Path) -> TreeConfig:
    """Trust the configuration file of a work tree as it is now.

    Raises UsageError if the work tree has no such file, SpecError if it is invalid.
    """
    repository = Repository(tree)
    repository.close()
    config = read_tree_config(repository.work_tree)
    if config is None:
        raise UsageError(
            f"{repository.top} has no .patchgen.toml or patchgen.toml", code="file-missing"
        )
    content = config.parse()
    entry = config_entry(config, str(repository.git_dir), _today())
    change_trust(lambda entries: _replace_entries(entries, [entry]))
    return TreeConfig(config.path, config.text, is_trusted=True, config=content)


def revoke(names: Sequence[str]) -> tuple[RevokedTrust, ...]:
    """Remove entries, named by their ids or by the paths that were trusted.

    Raises UsageError, and changes nothing, if an argument names no entry or several.
    """
    revoked: dict[str, TrustEntry] = {}

    def change(entries: Entries) -> Entries:
        revoked.clear()
        for name in names:
            entry = _find_entry(entries, name)
            revoked[entry.id] = entry
        return tuple(entry for entry in entries if entry.id not in revoked)

    remaining = change_trust(change)
    return tuple(
        RevokedTrust(entry, _still_trusted(entry, remaining)) for entry in revoked.values()
    )


def _still_trusted(entry: TrustEntry, remaining: Entries) -> tuple[str, ...]:
    digests = set(entry.files.values())
    same_kind = (other for other in remaining if other.kind == entry.kind == "code")
    return tuple(other.id for other in same_kind if not digests.isdisjoint(other.files.values()))


def _find_code(
    repository: Repository | None, tree: GitTree | None, commit: str, target: str
) -> TrustResult:
    names = list_semantic_patches(target, tree)
    code: dict[str, tuple[RiskyLine, ...]] = {}
    files: dict[str, str] = {}
    unreadable: list[tuple[str, str]] = []
    for name in names:
        try:
            cocci = load_cocci(name, make_lookup(tree), lambda _: True)
        except MissingObjectsError:
            raise
        except PatchgenError as err:
            if len(names) == 1:
                raise
            unreadable.append((name, err.message))
            continue
        if cocci.code:
            code[name] = cocci.code
            own = locate(repository, name)[1]
            files[own] = digest_text(cocci.text)
            for other, text in cocci.companions.items():
                files[f"{own}: {other}"] = digest_text(text)
    repository_path, path = locate(repository, target)
    source_commit = commit if repository_path else ""
    entry = TrustEntry("code", path, repository_path, source_commit, _today(), files)
    return TrustResult(target, entry if files else None, len(names), code, tuple(unreadable))


def _compare(result: TrustResult, entries: Entries) -> TrustResult:
    """Add what changed since the target was last trusted."""
    if result.entry is None:
        return result
    now = result.entry.files
    before = next((entry.files for entry in entries if entry.id == result.entry.id), None)
    if before is None:
        return result
    return replace(
        result,
        added=tuple(name for name in now if name not in before),
        changed=tuple(name for name in now if before.get(name, now[name]) != now[name]),
        removed=tuple(name for name in before if name not in now),
    )


def _replace_entries(entries: Entries, new: Sequence[TrustEntry]) -> Entries:
    ids = {entry.id for entry in new}
    return (*(entry for entry in entries if entry.id not in ids), *new)


def _find_entry(entries: Entries, name: str) -> TrustEntry:
    paths = {name.rstrip("/"), os.path.realpath(name)}
    matches = [entry for entry in entries if entry.id == name or entry.path in paths]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise UsageError(
            f"{name} is not an entry of the store",
            code="trust-entry",
            hint="`patchgen trust` lists them with their ids",
        )
    ids = ", ".join(entry.id for entry in matches)
    raise UsageError(
        f"{name} matches {len(matches)} entries: {ids}",
        code="trust-entry",
        hint="name one by its id",
    )


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
