# SPDX-License-Identifier: GPL-2.0-or-later
"""Make a variant from commits: a semantic patch for each change that it can state, else text.

Each commit becomes a patch. On the parent of the first commit, the patches make the same changes as
the commits, except for those that no variant can make. These are listed with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from patchgen.coccinelle import SemanticPatch, Spatch
from patchgen.model.base import Oid, TreeFile
from patchgen.model.commit import Commit
from patchgen.newvariant.accepted_rules import AcceptedRule, find_rules
from patchgen.newvariant.changed_tokens import ChangedFile
from patchgen.newvariant.commit_files import OtherChange, TextChange, read_file_changes
from patchgen.newvariant.commit_texts import (
    format_cover,
    format_message,
    format_patch_head,
    format_replacement,
    format_rules,
    subject_of,
)
from patchgen.newvariant.draft import VariantDraft, format_manifest_head, make_name, quote
from patchgen.newvariant.golden_case import find_cases_for, name_cases
from patchgen.newvariant.replacements import (
    NotTextError,
    Replacement,
    escape_code,
    find_replacements,
    read_text,
)
from patchgen.odb.plumbing import Git

_C_SUFFIXES = (".c", ".h")
_LONGEST_PART = 200


@dataclass(frozen=True, slots=True)
class ChangeByHand:
    """A change that the variant cannot make: its patch, its file, and the reason."""

    patch: str
    path: PurePosixPath
    reason: str


@dataclass(frozen=True, slots=True)
class StatedRule:
    """A semantic patch of the variant: its patch, its name, what it does, and in which files."""

    patch: str
    name: str
    purpose: str
    files: tuple[PurePosixPath, ...]


@dataclass(frozen=True, slots=True)
class CommitVariant:
    """A variant made from commits.

    `rules` are its semantic patches. By the names of the patches, `texts` has the files that get
    text, and `results` the expected content of each file.
    """

    draft: VariantDraft
    rules: tuple[StatedRule, ...]
    texts: Mapping[str, Sequence[PurePosixPath]]
    by_hand: tuple[ChangeByHand, ...]
    results: Mapping[str, Mapping[PurePosixPath, bytes]]


def make_from_commits(
    git: Git,
    name: str,
    base: Oid,
    commits: Sequence[Commit],
    spatch: Spatch | None,
    timeout_s: int,
) -> CommitVariant:
    """Return a variant that makes the changes of commits. Without `spatch`, it has only texts.

    `base` is the parent of the first commit.

    Raises MissingObjectsError if the repository lacks objects, ToolError if git fails.
    """
    builder = _Builder(git, spatch, timeout_s)
    for parent, commit in zip([base, *(each.oid for each in commits)], commits, strict=False):
        builder.add(parent, commit)
    title = subject_of(commits[0])
    files: dict[str, str | bytes] = {
        "manifest.toml": format_manifest_head(name, title) + "".join(builder.tables),
        "cover.txt.j2": format_cover(commits),
        **builder.files,
    }
    return CommitVariant(
        VariantDraft(name, files),
        tuple(builder.rules),
        builder.texts,
        tuple(builder.by_hand),
        builder.results,
    )


@dataclass(slots=True)
class _Builder:
    git: Git
    spatch: Spatch | None
    timeout_s: int
    files: dict[str, str | bytes] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    rules: list[StatedRule] = field(default_factory=list)
    texts: dict[str, list[PurePosixPath]] = field(default_factory=dict)
    by_hand: list[ChangeByHand] = field(default_factory=list)
    results: dict[str, dict[PurePosixPath, bytes]] = field(default_factory=dict)
    # The files with a change that the patches do not make: they differ from those of the commits.
    differing: set[PurePosixPath] = field(default_factory=set)

    def add(self, parent: Oid, commit: Commit) -> None:
        """Add a commit as a patch, unless all of its changes must be made by hand."""
        name = make_name(subject_of(commit), self.results)
        texts = list(self._read(name, parent, commit))
        changed = [text for text in texts if text.before is not None]
        accepted, contents = self._find_rules(changed)
        replacements = self._find_replacements(name, changed, contents)
        accepted = [each for rule in accepted if (each := _limit_to(replacements, rule)).files]
        new = [text for text in texts if text.before is None and self._add_file(name, text)]
        if not (accepted or any(replacements.values()) or new):
            return
        made = [text for text in changed if text.path in replacements] + new
        self.results[name] = {text.path: text.after for text in made}
        self.files[f"{name}/message.txt.j2"] = format_message(commit)
        self.tables.append(format_patch_head(name, made))
        for rule in accepted:
            self._state_rule(name, rule)
        for text in new:
            self._state_new_file(name, text)
        for path, texts_of_path in replacements.items():
            self._state_texts(name, path, texts_of_path)

    def _add_by_hand(self, patch: str, path: PurePosixPath, reason: str) -> None:
        self.by_hand.append(ChangeByHand(patch, path, reason))

    def _read(self, name: str, parent: Oid, commit: Commit) -> Iterator[TextChange]:
        """Yield the changes that the patch may make, and list the others."""
        for change in read_file_changes(self.git, parent, commit.oid):
            if change.path in self.differing:
                reason = "has an earlier change that no variant can make"
                self._add_by_hand(name, change.path, reason)
            elif isinstance(change, OtherChange):
                self._add_by_hand(name, change.path, change.reason)
                self.differing.add(change.path)
            else:
                if change.remark:
                    self._add_by_hand(name, change.path, change.remark)
                yield change

    def _find_rules(
        self, changed: Sequence[TextChange]
    ) -> tuple[list[AcceptedRule], Mapping[PurePosixPath, bytes]]:
        files = [
            ChangedFile(text.path, text.before, text.after)
            for text in changed
            if text.before is not None and text.path.suffix in _C_SUFFIXES
        ]
        if self.spatch is None or not files:
            return [], {}
        return find_rules(files, self.spatch, self.timeout_s)

    def _find_replacements(
        self, name: str, changed: Sequence[TextChange], contents: Mapping[PurePosixPath, bytes]
    ) -> dict[PurePosixPath, list[Replacement]]:
        """Return the replacements that each file needs after the rules, by path.

        Files with a change that text cannot state are listed, and have no entry.
        """
        found = {}
        for text in changed:
            file = TreeFile(text.path, "100644", Oid(""))
            before = contents.get(text.path, text.before or b"")
            try:
                found[text.path] = find_replacements(file, before, text.after)
            except NotTextError as err:
                self._add_by_hand(name, text.path, str(err))
                self.differing.add(text.path)
        return found

    def _add_file(self, name: str, text: TextChange) -> bool:
        """Return whether a template can state a new file; otherwise list the file."""
        try:
            if b"\r" in text.after:
                raise NotTextError("has carriage returns, which a template cannot state")
            read_text(text.after)
        except NotTextError as err:
            self._add_by_hand(name, text.path, f"is new, and {err}")
            self.differing.add(text.path)
            return False
        return True

    def _state_rule(self, patch: str, accepted: AcceptedRule) -> None:
        rule = accepted.rule
        folder = f"{patch}/{rule.name}"
        text = f"// SPDX-License-Identifier: GPL-2.0-only\n/// {rule.purpose}\n\n{rule.text}"
        self.files[f"{folder}/{rule.name}.cocci"] = text
        self.tables.append(format_rules(f"{folder}/{rule.name}.cocci", rule, accepted.files))
        self.rules.append(StatedRule(patch, rule.name, rule.purpose, tuple(accepted.files)))
        assert self.spatch is not None
        before = {path: before for path, (before, _) in accepted.files.items()}
        semantic_patch = SemanticPatch(rule.name, text)
        cases = find_cases_for(semantic_patch, before, self.spatch, self.timeout_s, rule.may_match)
        self.files |= name_cases(f"{folder}/{rule.name}", cases)

    def _state_new_file(self, patch: str, text: TextChange) -> None:
        template = self._name_template(f"{patch}/files", text.path, ".text")
        self.files[template] = escape_code(read_text(text.after))
        self.tables.append(
            f"\n[[patch.new_files]]\npath = {quote(str(text.path))}\ntemplate = {quote(template)}\n"
        )
        self.texts.setdefault(patch, []).append(text.path)

    def _state_texts(
        self, patch: str, path: PurePosixPath, replacements: Sequence[Replacement]
    ) -> None:
        for number, replacement in enumerate(replacements, 1):
            names = [
                self._name_template(f"{patch}/lines", path, f".{number}.{side}")
                for side in ("old", "new")
            ]
            for template, text in zip(names, (replacement.old, replacement.new), strict=True):
                self.files[template] = escape_code(text)
            self.tables.append(format_replacement(path, *names))
        if replacements:
            self.texts.setdefault(patch, []).append(path)

    def _name_template(self, folder: str, path: PurePosixPath, ending: str) -> str:
        is_long = any(len(part.encode()) > _LONGEST_PART for part in path.parts)
        return f"{folder}/{f'file-{len(self.files)}' if is_long else path}{ending}"


def _limit_to(paths: Mapping[PurePosixPath, object], rule: AcceptedRule) -> AcceptedRule:
    """Return a rule with only those of its files that are among the paths."""
    files = {path: contents for path, contents in rule.files.items() if path in paths}
    return replace(rule, files=files)
