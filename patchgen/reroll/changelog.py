"""What is new in a version: where people write it, and where it goes.

`--changes TEXT` is about the series, `--changes PATCH=TEXT` about one patch, by its name in the
variant. A folder of files says the same: vN/cover.txt and vN/PATCH.txt below it, or cover.txt
and PATCH.txt in it. Each paragraph or "- " item becomes an item.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from patchgen.errors import BaseError, Place, UsageError

_WIDTH = 72
_COVER = "cover"
# b4 asks with such items for what it cannot know (DEFAULT_CHANGELOG_TEMPLATE in ez.py).
_TO_EDIT = re.compile(r"^- EDITME.*(?:\n(?!- ).+)*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Changes:
    """The items about the series as a whole, and about patches by their names."""

    cover: tuple[str, ...] = ()
    patches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_changes(
    words: Sequence[str], folder: Path | None, revision: int, names: Sequence[str]
) -> Changes:
    """Return the change log of a version, from --changes and from a folder of files.

    Raises UsageError or BaseError for a file of a patch that there is none of.
    """
    cover: list[str] = []
    patches: dict[str, list[str]] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if equals and name in names:
            patches.setdefault(name, []).append(text.strip())
        else:
            cover.append(word.strip())
    for path in _files(folder, revision):
        items = _split(path)
        if path.stem == _COVER:
            cover += items
        elif path.stem in names:
            patches.setdefault(path.stem, []).extend(items)
        else:
            raise BaseError(
                f"the series has no patch {path.stem!r}",
                place=Place(str(path)),
                hint=f"{_COVER}.txt, or one of: {', '.join(f'{name}.txt' for name in names)}",
            )
    return Changes(tuple(cover), {name: tuple(items) for name, items in patches.items()})


def format_changes(revision: int, items: Iterable[str]) -> str:
    """Return "Changes in vN:" with its items, "" without any."""
    lines = [_format_item(item) for item in items if item.strip()]
    return "\n".join([f"Changes in v{revision}:", *lines]) + "\n" if lines else ""


def put_on_top(notes: str, revision: int, changes: str) -> str:
    """Return the notes with a version's change log above those of earlier ones.

    What there is of that version already (b4 begins it when it has sent the one before, with items
    to be edited) is kept behind it.
    """
    head = f"Changes in v{revision}:\n"
    if not changes:
        return notes
    if notes.startswith(head):
        kept = _TO_EDIT.sub("", notes.removeprefix(head)).lstrip("\n")
        return changes + kept
    return changes + (f"\n{notes}" if notes else "")


def _files(folder: Path | None, revision: int) -> list[Path]:
    if folder is None:
        return []
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder of change logs")
    chosen = folder / f"v{revision}"
    return sorted((chosen if chosen.is_dir() else folder).glob("*.txt"))


def _split(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as err:
        raise BaseError(f"cannot be read: {err}", place=Place(str(path))) from None
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
