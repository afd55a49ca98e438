"""The trailers of a commit message, and their order in the tip tree.

A message is a subject, paragraphs, and a last paragraph of trailers. What people keep below a line
`---` (notes for reviewers, change logs) goes with the commit and into its mail, but not into the
tree that `git am` makes of it: nothing there is a trailer.

The order is that of Documentation/process/maintainer-tip.rst, "Ordering of commit tags".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

_TRAILER = re.compile(r"(?P<key>[A-Za-z][A-Za-z]*(?:-[A-Za-z]+)*): +(?P<value>\S.*)")
_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>|(\S+@\S+)")
_CUT = re.compile(r"^---[ \t]*$", re.MULTILINE)
# Each Closes follows the Reported-by that it is for; of those who looked at a patch there is no
# order that people keep to.
PLACES = {
    "Fixes": 0,
    "Reported-by": 1,
    "Closes": 1,
    "Originally-by": 2,
    "Suggested-by": 3,
    "Co-developed-by": 4,
    "Signed-off-by": 5,
    "Tested-by": 6,
    "Reviewed-by": 6,
    "Acked-by": 6,
    "Cc": 7,
    "Link": 8,
}
_PLACES = {key.lower(): place for key, place in PLACES.items()}
# What a reader of a patch says of it, and says no longer when it becomes another patch.
REVIEW_TAGS = ("Reviewed-by", "Acked-by", "Tested-by")


@dataclass(frozen=True, slots=True)
class Trailer:
    """A line "KEY: VALUE". `note` is a line below it that is none, "[ ada: what changed ]"."""

    key: str
    value: str
    note: str = ""

    @property
    def address(self) -> str:
        """The e-mail address in the value, in small letters; "" where there is none."""
        match = _ADDRESS.search(self.value)
        return (match[1] or match[2]).lower() if match else ""

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it the same as another: the key, and whose it is."""
        return self.key.lower(), self.address or self.value

    def __str__(self) -> str:
        return f"{self.key}: {self.value}" + (f"\n{self.note}" if self.note else "")


@dataclass(frozen=True, slots=True)
class Message:
    """A commit message in its parts. `text` is subject and body, `notes` is below the cut.

    `lead` are lines of the last paragraph that come before its first trailer.
    """

    text: str
    trailers: tuple[Trailer, ...] = ()
    notes: str = ""
    lead: str = ""

    @property
    def subject(self) -> str:
        """The first line."""
        return self.text.partition("\n")[0]

    @property
    def body(self) -> str:
        """The text below the subject."""
        return self.text.partition("\n")[2].strip("\n")

    def __str__(self) -> str:
        lead = [self.lead] if self.lead else []
        lines = "\n".join([*lead, *map(str, self.trailers)])
        notes = f"---\n{self.notes}\n" if self.notes else ""
        # Right below the subject the cut would be part of it, as git reads it.
        apart = "\n" if notes and not lines and "\n" not in self.text else ""
        return self.text + (f"\n\n{lines}" if lines else "") + "\n" + apart + notes

    def with_trailers(self, new: Iterable[Trailer]) -> Message:
        """Return the message with each new trailer in its place, unless it is there already."""
        trailers = list(self.trailers)
        for trailer in new:
            if trailer.identity not in {each.identity for each in trailers}:
                trailers.insert(_find_place(trailers, trailer), trailer)
        return replace(self, trailers=tuple(trailers))

    def without_trailers(
        self, is_gone: Callable[[Trailer], bool]
    ) -> tuple[Message, tuple[Trailer, ...]]:
        """Return the message without some trailers, and these."""
        kept = tuple(trailer for trailer in self.trailers if not is_gone(trailer))
        gone = tuple(trailer for trailer in self.trailers if is_gone(trailer))
        return replace(self, trailers=kept), gone

    def with_notes(self, notes: str) -> Message:
        """Return the message with a text below the cut, above what is there already."""
        joined = "\n\n".join(part.strip("\n") for part in (notes, self.notes) if part.strip())
        return replace(self, notes=joined)


def parse_message(message: str) -> Message:
    """Read a commit message.

    The last paragraph has the trailers. One line of it that is none, "[ ada: what changed ]" say,
    does not make it prose; a second one does.
    """
    cut = _CUT.search(message, message.find("\n") + 1)
    above = (message[: cut.start()] if cut else message).strip("\n")
    notes = message[cut.end() :].strip("\n") if cut else ""
    head, empty, last = above.rpartition("\n\n")
    lines = last.split("\n") if empty else []
    matches = [_TRAILER.fullmatch(line) for line in lines]
    if not any(matches) or sum(match is None for match in matches) > 1 or not _is_known(matches):
        return Message(above, notes=notes)
    trailers: list[Trailer] = []
    lead = ""
    for line, match in zip(lines, matches, strict=True):
        if match is not None:
            trailers.append(Trailer(match["key"], match["value"].rstrip()))
        elif trailers:
            trailers[-1] = replace(trailers[-1], note=line)
        else:
            lead = line
    return Message(head.rstrip("\n"), tuple(trailers), notes, lead)


def parse_trailer(line: str) -> Trailer | None:
    """Read one line, None where it is no trailer."""
    match = _TRAILER.fullmatch(line.strip())
    return Trailer(match["key"], match["value"]) if match else None


def _is_known(matches: Iterable[re.Match[str] | None]) -> bool:
    """Tell whether one of the lines is what people write trailers for.

    A paragraph as "Note: this is prose" is none.
    """
    keys = {match["key"].lower() for match in matches if match}
    return any(key in _PLACES or key.endswith("-by") or "-" in key for key in keys)


def _find_place(trailers: list[Trailer], new: Trailer) -> int:
    """Return where a trailer goes: behind the last one that is to come before it, or is alike."""
    place = _PLACES.get(new.key.lower(), _PLACES["cc"])
    before = [
        index
        for index, trailer in enumerate(trailers)
        if _PLACES.get(trailer.key.lower(), _PLACES["cc"]) <= place
    ]
    return before[-1] + 1 if before else 0
