# SPDX-License-Identifier: GPL-2.0-or-later
"""Describe a new version: its change log, and the review tags that it drops.

Change logs go below the cut (Documentation/process/submitting-patches.rst, "The canonical patch
format"). A tag of a patch that has changed in substance is removed, and the change log says so
("Reviewer's statement of oversight").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from patchgen.reroll.changelog import Changes, format_changes, put_on_top
from patchgen.reroll.hand_edits import Carried
from patchgen.series.trailers import REVIEW_TAGS, Message, Trailer, parse_message

_LORE = "https://lore.kernel.org/r/"


@dataclass(frozen=True, slots=True)
class VersionTexts:
    """The commits' messages in order, the cover letter's change log, and the dropped tags."""

    messages: tuple[str, ...]
    cover: str
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A patch as people know it from the previous version."""

    substance: str
    message: str


def describe_version(
    revisions: tuple[int | None, int],
    commits: Sequence[Carried],
    substances: Sequence[str],
    earlier: Sequence[Earlier | None],
    changes: Changes,
    *,
    moved_to: str,
    posted_as: str,
) -> VersionTexts:
    """Return the messages and change logs of the second of two revisions.

    The first is None if none was sent. `substances` are those of the commits, `earlier` what these
    were in the first revision. `moved_to` is the new base, "" if it has not changed; `posted_as` is
    the message-id of the first revision's cover letter, "" for no link to it.
    """
    old, new = revisions
    messages: list[str] = []
    dropped: list[str] = []
    items = list(changes.cover)
    for commit, substance, before in zip(commits, substances, earlier, strict=True):
        same = before is not None and before.substance == substance
        own = changes.patches.get(commit.name, ())
        items += own
        message, gone = commit.message, tuple[Trailer, ...]()
        if not same:
            message, gone = message.without_trailers(_is_review)
        own += tuple(f"Drop {tag.key} of {tag.value}, as the patch has changed" for tag in gone)
        dropped += [f'{tag} ("{message.subject}")' for tag in gone]
        if same and old is not None and not own and _reads_the_same(before, message):
            own = (f"(no changes since v{old})",)
        notes = put_on_top(message.notes, new, format_changes(new, own))
        messages.append(str(replace(message, notes=notes.strip("\n"))))
    if moved_to and old is not None and not items:
        items.append(f"Regenerate the series on {moved_to}")
    items += [f"Drop {tag}, as the patch has changed" for tag in dropped]
    items += [f"Link to v{old}: {_LORE}{posted_as}"] if posted_as else []
    return VersionTexts(tuple(messages), format_changes(new, items), tuple(dropped))


def _is_review(trailer: Trailer) -> bool:
    return trailer.key.lower() in {tag.lower() for tag in REVIEW_TAGS}


def _reads_the_same(before: Earlier | None, message: Message) -> bool:
    """Return whether the message has the same text as before, apart from trailers and notes."""
    return before is not None and parse_message(before.message).text == message.text
