"""The trailers of a commit message, and their order in the tip tree: the one reader of them.

A message is a subject, paragraphs, and a last paragraph of trailers. What people keep below a line
`---` (notes for reviewers, change logs) goes with the commit and into its mail, but not into the
tree that `git am` makes of it: nothing there is a trailer.

Which paragraph has the trailers is git's decision (git-interpret-trailers(1), "DESCRIPTION"): all
of its lines are trailers, or one is "Signed-off-by: " or "(cherry picked from commit " and at least
a quarter are trailers. A line that begins with white space continues the one before it. Two rules
differ: a note in brackets never makes a paragraph prose, and one without any key that people write
trailers with ("Note: this is prose") is none.

The order is that of Documentation/process/maintainer-tip.rst, "Ordering of commit tags".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

_TRAILER = re.compile(r"(?P<key>[A-Za-z0-9-]+)[ \t]*:[ \t]*(?P<value>.*)", re.DOTALL)
# What git itself writes, recognised in this letter case only.
_OF_GIT = ("Signed-off-by: ", "(cherry picked from commit ")
_NOTE = re.compile(r"\[.*\]?[ \t]*$", re.DOTALL)
_EMPTY_LINE = re.compile(r"\n[ \t]*\n")
# A name may look like an address: what is in angle brackets counts, and not what is in quotes.
_QUOTED = re.compile(r'"[^"]*"')
_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")
_BARE_ADDRESS = re.compile(r"[^\s<>\"',;]+@[^\s<>\"',;]+")
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
_USUAL = {key.lower(): key for key in PLACES}
# What a reader of a patch says of it, and says no longer when it becomes another patch.
REVIEW_TAGS = ("Reviewed-by", "Acked-by", "Tested-by")


@dataclass(frozen=True, slots=True)
class Trailer:
    """A trailer "KEY: VALUE", its value on one line.

    `note` are lines below it that are not trailers, "[ ada: what changed ]". `raw` is how a message
    has it, where that is otherwise: folded, with a tab or nothing after the colon.
    """

    key: str
    value: str
    note: str = ""
    raw: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """The key in the usual case: "Reviewed-by" for "REVIEWED-BY"."""
        return usual_case(self.key)

    @property
    def address(self) -> str:
        """The e-mail address in the value, in lower case; "" where there is none."""
        match = _ADDRESS.search(_QUOTED.sub("", self.value))
        if match is not None:
            return match[1].lower()
        bare = _BARE_ADDRESS.search(self.value)
        return bare[0].lower() if bare else ""

    @property
    def identity(self) -> tuple[str, str]:
        """What makes it the same as another: the key, and whose it is."""
        return self.key.lower(), self.address or self.value

    def __str__(self) -> str:
        line = self.raw or f"{self.key}: {self.value}"
        return line + (f"\n{self.note}" if self.note else "")


@dataclass(frozen=True, slots=True)
class Message:
    """A commit message in its parts. `text` is subject and body, `notes` is below the cut.

    `lead` are lines of the last paragraph before its first trailer.
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
        message = self
        for trailer in new:
            if trailer.identity not in {each.identity for each in message.trailers}:
                message = message.with_trailer(trailer)
        return message

    def with_trailer(self, new: Trailer) -> Message:
        """Return the message with a trailer in its place, whatever is there already."""
        trailers = list(self.trailers)
        trailers.insert(_find_place(trailers, new), new)
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
    """Read a commit message."""
    cut = _CUT.search(message, message.find("\n") + 1)
    above = (message[: cut.start()] if cut else message).strip("\n")
    notes = message[cut.end() :].strip("\n") if cut else ""
    ends = list(_EMPTY_LINE.finditer(above.rstrip()))
    lines = _unfold(above.rstrip()[ends[-1].end() :]) if ends else []
    if not _is_block(lines):
        return Message(above, notes=notes)
    trailers: list[Trailer] = []
    lead: list[str] = []
    for line in lines:
        trailer = _read_line(line)
        if trailer is not None:
            trailers.append(trailer)
        elif trailers:
            note = f"{trailers[-1].note}\n{line}".lstrip("\n")
            trailers[-1] = replace(trailers[-1], note=note)
        else:
            lead.append(line)
    head = above[: ends[-1].start()].rstrip("\n")
    return Message(head, tuple(trailers), notes, "\n".join(lead))


def _unfold(paragraph: str) -> list[str]:
    """Return the lines of a paragraph, each with the indented ones that continue it."""
    lines: list[str] = []
    for line in paragraph.split("\n"):
        if lines and line[:1] in (" ", "\t"):
            lines[-1] += f"\n{line}"
        else:
            lines.append(line)
    return lines


def _read_line(line: str) -> Trailer | None:
    """Return a trailer, which may go on in further lines, None where a line is not one."""
    match = _TRAILER.fullmatch(line)
    if match is None or line[0] in " \t":
        return None
    value = " ".join(part.strip() for part in match["value"].split("\n")).strip()
    return Trailer(match["key"], value, raw="" if line == f"{match['key']}: {value}" else line)


def _is_block(lines: Sequence[str]) -> bool:
    """Return whether the lines of a paragraph are trailers."""
    trailers = [trailer for trailer in map(_read_line, lines) if trailer is not None]
    others = [line for line in lines if _read_line(line) is None]
    if any(line.startswith(_OF_GIT) for line in lines):
        picked = sum(line.startswith(_OF_GIT) for line in others)
        # Each line of a folded one that is not a trailer counts, as git counts it.
        prose = sum(line.count("\n") + 1 for line in others if not line.startswith(_OF_GIT))
        return (len(trailers) + picked) * 3 >= prose
    return bool(trailers) and all(map(_NOTE.match, others)) and _has_known_key(trailers)


def usual_case(key: str) -> str:
    """Return a key as people write it: "reviewed-BY" is "Reviewed-by"."""
    return _USUAL.get(key.lower(), key[:1].upper() + key[1:].lower())


def _has_known_key(trailers: Sequence[Trailer]) -> bool:
    """Return whether one of the trailers has a key that people write trailers with."""
    keys = {trailer.key.lower() for trailer in trailers}
    return any(key in _PLACES or key.endswith("-by") or "-" in key for key in keys)


def _find_place(trailers: list[Trailer], new: Trailer) -> int:
    """Return where a trailer goes: after the last one that precedes it in order, or is alike."""
    place = _PLACES.get(new.key.lower(), _PLACES["cc"])
    before = [
        index
        for index, trailer in enumerate(trailers)
        if _PLACES.get(trailer.key.lower(), _PLACES["cc"]) <= place
    ]
    return before[-1] + 1 if before else 0
