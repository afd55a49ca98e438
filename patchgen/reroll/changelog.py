# SPDX-License-Identifier: GPL-2.0-or-later
"""The change log of a version: read it, and write it to messages and cover letter.

`--changes PATCH=TEXT` describes one patch, by its name in the record or its number on the branch,
`--changes TEXT` the series. A single word before the first "=" always names a patch, even a
misspelt one; a text that begins like that, "CONFIG_X=y is needed", is written as
`--changes cover=TEXT`. A folder of files works the same way: vN/cover.txt and vN/PATCH.txt below
it, or cover.txt and PATCH.txt in it. Each paragraph or "- " item becomes an item.
"""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from patchgen.errors import ErrorPlace, RefusedError, UsageError
from patchgen.reroll.hand_edits import DroppedPatch, NewCommit
from patchgen.series import MatchedCommit, Record, list_names, number_names
from patchgen.series.trailers import REVIEW_TAGS, Message, Trailer, parse_message
from patchgen.sourcefolder import decode_text, read_regular

_WIDTH = 72
_COVER = "cover"
# b4's placeholder items, to be edited by a person (DEFAULT_CHANGELOG_TEMPLATE in ez.py).
_TO_EDIT = re.compile(r"^- EDITME.*(?:\n(?!- ).+)*\n?", re.MULTILINE)
# The number of a patch, as in "[PATCH 2/5]"; a longer one would take `int` long to read.
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_LOG = re.compile(r"^Changes in v(\d+):\n", re.MULTILINE)
# What `_summarize_change` returns.
_SUMMARY = re.compile(
    r"^\((?:no changes since|the diff has changed since|the message has changed since) v.*\)\n",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class ChangeLog:
    """The items for the series as a whole, for patches by name, and on patches that are dropped.

    `has_other_rule` is set if the semantic patch of a campaign has changed.
    """

    cover: tuple[str, ...] = ()
    patches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    has_other_rule: bool = False

    def dropping(self, patches: Iterable[DroppedPatch]) -> ChangeLog:
        """Return the change log with an item for each patch that the version omits.

        A person who dropped a patch may have given the reason in a text of their own.
        """
        text = " ".join(" ".join(self.cover).split())
        items = [str(patch) for patch in patches if patch.reason or patch.subject not in text]
        return replace(self, dropped=tuple(items))

    def comparing(self, old: Record, new: Record) -> ChangeLog:
        """Return the change log of a version with a record, after the version with the old one."""
        rules = [_read_rule(record) for record in (old, new) if record.split]
        return replace(self, has_other_rule=len(set(rules)) > 1)


def _read_rule(record: Record) -> tuple[str, ...]:
    """Return the texts of a campaign's semantic patch; the name of its file may change."""
    found = record.find_semantic_patches(record.patches[0]) if record.patches else {}
    return tuple(found.values())


def read_changes(
    args: Sequence[str],
    folder: Path | None,
    revision: int,
    names: Mapping[str, bool],
    branch: Sequence[MatchedCommit] = (),
) -> ChangeLog:
    """Return the change log of a version, from --changes and from a folder of files.

    `names` are the valid names of patches, with whether to list them: the version may lack others.
    A number is that of a patch on the `branch`. Raises UsageError or RefusedError for another name,
    and for an empty text.
    """
    others = [name for name, is_listed in names.items() if is_listed]
    listed = list_names(number_names(branch), branch, others)
    items: dict[str, list[str]] = {_COVER: []}
    for arg in args:
        word, text = _parse_arg(arg)
        name = _find_name(word, names, branch)
        if not text:
            raise UsageError(
                f"the change {arg!r} has no text", code="changelog-patch", parameters=("changes",)
            )
        if name not in (_COVER, *names):
            raise UsageError(
                f"the series has no patch {name!r}; it has:{listed}",
                code="changelog-patch",
                hint=f"{_COVER}=TEXT is for the cover letter",
                parameters=("changes",),
            )
        items.setdefault(name, []).append(text)
    for path in _list_files(folder, revision):
        name = _find_name(path.stem, names, branch)
        texts = _read_items(path)
        if name not in (_COVER, *names):
            raise RefusedError(
                f"the series has no patch {name!r}; it has:{listed}",
                code="changelog-patch",
                place=ErrorPlace(str(path)),
                hint=f"{_COVER}.txt is for the cover letter",
            )
        items.setdefault(name, []).extend(texts)
    cover = tuple(items.pop(_COVER))
    return ChangeLog(cover, {name: tuple(texts) for name, texts in items.items()})


def check_changes(changes: ChangeLog, revision: int, names: Collection[str]) -> None:
    """Raise RefusedError for a change of a patch that the version does not have."""
    for name in changes.patches:
        if name not in names:
            raise RefusedError(
                f"v{revision} has no patch {name!r}, but the change log describes it",
                code="changelog-patch",
                hint=f"its patches are {_join_names(names)}; describe the change for the cover "
                "letter, or remove it",
                parameters=("changes",),
            )


def _find_name(word: str, names: Collection[str], branch: Sequence[MatchedCommit]) -> str:
    """Return the name of the patch that a word names: a name, or a number on the branch.

    Other words are returned unchanged. Raises RefusedError for the number of a commit that
    a person added, as it has no name.
    """
    if word in names or not _NUMBER.fullmatch(word) or int(word) > len(branch):
        return word
    name = branch[int(word) - 1].name
    if not name:
        raise RefusedError(
            f"patchgen did not make patch {word}, so the change log cannot describe it",
            code="changelog-patch",
            hint=f"describe its change for the cover letter: {_COVER}=TEXT",
            parameters=("changes",),
        )
    return name


def _parse_arg(arg: str) -> tuple[str, str]:
    """Return the name that a text is about, and the text."""
    name, equals, text = arg.partition("=")
    if equals and len(name.split()) <= 1:
        return name.strip(), text.strip()
    return _COVER, arg.strip()


def _join_names(names: Collection[str]) -> str:
    return ", ".join(names)


def format_changes(revision: int, items: Iterable[str]) -> str:
    """Return "Changes in vN:" with its items, "" without items."""
    lines = [_format_item(item) for item in items if item.strip()]
    return "\n".join([f"Changes in v{revision}:", *lines]) + "\n" if lines else ""


def prepend_changes(notes: str, revision: int, changes: str, seen: int | None = None) -> str:
    """Return the notes with a version's change log above the earlier ones.

    Existing items of that version follow the new ones. b4 creates them after sending the previous
    version, with placeholders, which are removed. So do the items of versions after the one that
    was `seen` last: reviewers do not know them.
    """
    head = f"Changes in v{revision}:\n"
    notes = _merge_unseen(notes, revision, seen) if seen is not None else notes
    if not changes:
        return notes
    if notes.startswith(head):
        earlier_items = _TO_EDIT.sub("", notes.removeprefix(head)).lstrip("\n")
        return changes + earlier_items
    return changes + (f"\n{notes}" if notes else "")


def _merge_unseen(notes: str, revision: int, seen: int) -> str:
    """Return the notes with the change logs after the version `seen` as one of `revision`.

    Notes with a text above the first change log stay as they are.
    """
    preface, *logs = _LOG.split(notes)
    # A regular expression with a group returns the versions, each with the text that follows.
    versions, texts = list(map(int, logs[::2])), logs[1::2]
    newer = len(list(itertools.takewhile(lambda version: seen < version <= revision, versions)))
    if preface.strip() or not any(version < revision for version in versions[:newer]):
        return notes
    items = "\n".join(text.strip("\n") for text in texts[:newer])
    items = re.sub(r"\n{2,}", "\n", _SUMMARY.sub("", f"{items}\n")).strip("\n")
    merged = f"Changes in v{revision}:\n{items}\n" if items else ""
    rest = zip(versions[newer:], texts[newer:], strict=True)
    older = "".join(f"Changes in v{version}:\n{text}" for version, text in rest)
    return "\n".join(filter(None, (merged, older)))


def _list_files(folder: Path | None, revision: int) -> list[Path]:
    if folder is None:
        return []
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder of change logs", code="file-kind")
    of_version = folder / f"v{revision}"
    files = sorted((of_version if of_version.is_dir() else folder).glob("*.txt"))
    for path in files:
        # The folder may be in a stranger's tree; the target of a link would go into a mail.
        if path.is_symlink() or not path.is_file():
            raise RefusedError(
                "is not a regular file", code="file-kind", place=ErrorPlace(str(path))
            )
    return files


def _read_items(path: Path) -> list[str]:
    try:
        text = decode_text(read_regular(path), ErrorPlace(str(path))).strip()
    except OSError as err:
        raise RefusedError(
            f"cannot be read: {err.strerror}", code="file-unreadable", place=ErrorPlace(str(path))
        ) from None
    items = re.split(r"\n\s*\n|\n(?=- )", text)
    return [item.strip().removeprefix("- ") for item in items if item.strip()]


def _format_item(item: str) -> str:
    if item.startswith("("):
        return item
    if "://" in item:
        return f"- {' '.join(item.split())}"
    return textwrap.fill(
        " ".join(item.split()),
        _WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


_LORE = "https://lore.kernel.org/r/"
# The paragraph of templates/campaign-message.txt.j2 and templates/provenance.txt.j2.
_GENERATED = re.compile(r"^Generated by patchgen \d.*?(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
_VERSION = re.compile(
    r"(?<=\bpatchgen )\d\S*?(?=[.,:]?(?: |\Z))|(?<=\bspatch )\d\S*?(?=[.,:]?(?: |\Z))"
)


@dataclass(frozen=True, slots=True)
class VersionTexts:
    """The commits' messages in order, the cover letter's change log, and the dropped tags."""

    messages: tuple[str, ...]
    cover: str
    dropped: tuple[DroppedTag, ...]


@dataclass(frozen=True, slots=True)
class DroppedTag:
    """A review tag that the new version does not have; `reason` is a clause: "as ...".

    `subject` is that of its patch.
    """

    trailer: Trailer
    subject: str
    reason: str

    def __str__(self) -> str:
        return f'{self.trailer} ("{self.subject}")'


def drop_tags(message: Message, reason: str) -> list[DroppedTag]:
    """Return the review tags of a message as dropped ones."""
    _, tags = message.without_trailers(_is_review)
    return [DroppedTag(tag, message.subject, reason) for tag in tags]


@dataclass(frozen=True, slots=True)
class EarlierPatch:
    """A patch as people know it from the previous version."""

    change_digest: str
    message: str

    def has_text_of(self, message: Message) -> bool:
        """Return whether a message has the same text, apart from trailers and notes.

        Newer versions of the tools that generated a patch are not a change of it.
        """
        old = parse_message(self.message).text
        return _omit_versions(old) == _omit_versions(message.text)


def _omit_versions(text: str) -> str:
    """Return a message without the versions of tools; their lengths decide where lines end."""
    return _GENERATED.sub(lambda found: _VERSION.sub("", " ".join(found[0].split())), text)


def describe_version(
    revisions: tuple[int | None, int],
    commits: Sequence[NewCommit],
    messages: Sequence[Message],
    change_digests: Sequence[str],
    earlier: Sequence[EarlierPatch | None],
    changes: ChangeLog,
    *,
    seen: int | None,
    new_base: str,
    old_message_id: str,
) -> VersionTexts:
    """Return the messages and change logs of the second of two revisions.

    The first is None if no version was sent. `messages` and `change_digests` are those of the
    commits, `earlier` are their patches in the first revision. `seen` is the newest version of
    which a mail was sent, None without one. `new_base` is the new base, "" if it
    has not changed; `old_message_id` is the message-id of the first revision's cover letter, "" for
    no link to it.
    """
    old, new = revisions
    texts: list[str] = []
    dropped: list[DroppedTag] = []
    items = list(changes.cover)
    for commit, message, change_digest, patch in zip(
        commits, messages, change_digests, earlier, strict=True
    ):
        is_same = patch is not None and patch.change_digest == change_digest
        tags = [] if is_same else drop_tags(message, _explain_drop(commit, patch, old))
        dropped += tags
        patch_items = list(changes.patches.get(commit.name, ()))
        items += _name_patch(patch_items, message.subject, [each.subject for each in messages])
        patch_items += [
            f"Drop {tag.trailer.key} of {tag.trailer.value}, {tag.reason}" for tag in tags
        ]
        if patch is not None and old is not None and not patch_items:
            has_cover = bool(changes.cover)
            patch_items = [_summarize_change(patch, message, change_digest, old, has_cover)]
        notes = prepend_changes(message.notes, new, format_changes(new, patch_items), seen)
        kept = message.without_trailers(_is_review)[0] if tags else message
        texts.append(str(replace(kept, notes=notes.strip("\n"))))
    if old is not None and not items:
        items += ["Change the semantic patch"] if changes.has_other_rule else []
        items += [f"Regenerate the series on {new_base}"] if new_base else []
    items += changes.dropped if old is not None else ()
    items += [f"Drop {tag}, {tag.reason}" for tag in dropped]
    items += [f"Link to v{old}: {_LORE}{old_message_id}"] if old_message_id else []
    return VersionTexts(tuple(texts), format_changes(new, items), tuple(dropped))


def _name_patch(items: Iterable[str], subject: str, subjects: Sequence[str]) -> list[str]:
    """Return the items on a patch for the cover letter, which name it by its subject.

    Its prefix, before the first colon, is enough if no other one of the series' `subjects` has it.
    """
    if len(subjects) == 1:
        return list(items)
    prefix, colon, _ = subject.partition(":")
    is_unique = colon and [text.partition(":")[0] for text in subjects].count(prefix) == 1
    name = f"{prefix}:" if is_unique else f'"{subject}":'
    return [item if item.startswith(name) else f"{name} {item}" for item in items]


def _summarize_change(
    patch: EarlierPatch, message: Message, change_digest: str, old: int, has_cover: bool
) -> str:
    """Return what has changed in a patch that the change log does not describe, "" if unknown."""
    if patch.change_digest != change_digest:
        return f"(the diff has changed since v{old}{', see the cover letter' if has_cover else ''})"
    if patch.has_text_of(message):
        return f"(no changes since v{old})"
    return f"(the message has changed since v{old}, the diff has not)" if patch.message else ""


def _explain_drop(commit: NewCommit, patch: EarlierPatch | None, old: int | None) -> str:
    if patch is not None:
        return "as the patch has changed"
    if commit.matched is None or old is None:
        return "as the patch is new"
    return f"as v{old} has no patch with its subject or its change"


def _is_review(trailer: Trailer) -> bool:
    return trailer.key.lower() in {tag.lower() for tag in REVIEW_TAGS}
