# SPDX-License-Identifier: GPL-2.0-or-later
"""Parse the trailers of a commit message, and add trailers in the order of the tip tree.

A message is a subject, paragraphs, and a last paragraph of trailers. Text below a line `---` (notes
for reviewers, change logs) is part of the commit and of its mail, but `git am` drops it, so it has
no trailers.

The paragraph of trailers is the one that git would choose (git-interpret-trailers(1),
"DESCRIPTION"): all of its lines are trailers, or one is "Signed-off-by: " or "(cherry picked from
commit " and at least a quarter are trailers. A line that begins with white space continues the line
before it. Lines that begin with "#" are ignored, and so is a list of "Conflicts:" at the end of a
message. Two rules differ: notes in brackets do not turn a
paragraph into prose, and a paragraph without any key of a usual trailer ("Note: this is prose") is
prose.

The order is that of Documentation/process/maintainer-tip.rst, "Ordering of commit tags".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

_TRAILER = re.compile(r"(?P<key>[A-Za-z0-9-]+)[ \t]*:[ \t]*(?P<value>.*)", re.DOTALL)
# Lines that git itself writes; git recognises them in this letter case only.
_GIT_LINES = ("Signed-off-by: ", "(cherry picked from commit ")
_NOT_PROSE = re.compile(r"\[.*\]?[ \t]*$|#[^\n]*$", re.DOTALL)
_EMPTY_LINE = re.compile(r"\n[ \t]*(?=\n)")
# A name may look like an address: use the address in angle brackets, and ignore quoted text.
_QUOTED = re.compile(r'"[^"]*"')
_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>")
_BARE_ADDRESS = re.compile(r"[^\s<>\"',;]+@[^\s<>\"',;]+")
# git-mailinfo(1) also stops at "--- NAME", as at the beginning of a patch without other headers.
_CUT = re.compile(r"^---(?:[ \t]*| \S.*)$", re.MULTILINE)
# A Closes follows its Reported-by. Tested-by, Reviewed-by and Acked-by are in no fixed order.
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
# Statements about one version of a patch, which are dropped when its code changes.
REVIEW_TAGS = ("Reviewed-by", "Acked-by", "Tested-by")
# These approve a patch; Tested-by alone does not.
APPROVALS = ("Reviewed-by", "Acked-by")


@dataclass(frozen=True, slots=True)
class Trailer:
    """A trailer "KEY: VALUE", its value on one line.

    `note` are the lines below it that are not trailers, "[ ada: what changed ]". `raw` is its text
    in the message if that differs: folded, or with a tab or nothing after the colon.
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
        """The e-mail address in the value, in lower case; "" if it has none."""
        match = _ADDRESS.search(_QUOTED.sub("", self.value))
        if match is not None:
            return match[1].lower()
        bare = _BARE_ADDRESS.search(self.value)
        return bare[0].lower() if bare else ""

    @property
    def identity(self) -> tuple[str, str]:
        """The key and the person (or value): trailers with the same identity are duplicates."""
        return self.key.lower(), self.address or self.value

    def __str__(self) -> str:
        line = self.raw or f"{self.key}: {self.value}"
        return line + (f"\n{self.note}" if self.note else "")


@dataclass(frozen=True, slots=True)
class Message:
    """The parts of a commit message. `text` is subject and body, `notes` the text below the cut.

    `lead` are lines of the last paragraph before its first trailer, `tail` the lines after that
    paragraph that git ignores, with the empty lines before them. `cut` is the line above the notes.
    """

    text: str
    trailers: tuple[Trailer, ...] = ()
    notes: str = ""
    lead: str = ""
    tail: str = ""
    cut: str = "---"

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
        lines += f"\n{self.tail}" if self.tail else ""
        notes = f"{self.cut}\n{self.notes}\n" if self.notes else ""
        # Without an empty line, git would read the cut as part of the subject.
        apart = "\n" if notes and not lines and "\n" not in self.text else ""
        return self.text + (f"\n\n{lines}" if lines else "") + "\n" + apart + notes

    def with_trailers(self, trailers: Iterable[Trailer]) -> Message:
        """Return the message with each new trailer at its place, unless it is a duplicate."""
        message = self
        for trailer in trailers:
            if trailer.identity not in {present.identity for present in message.trailers}:
                message = message.with_trailer(trailer)
        return message

    def with_trailer(self, trailer: Trailer) -> Message:
        """Return the message with a trailer at its place, even if it is a duplicate."""
        trailers = list(self.trailers)
        trailers.insert(_find_place(trailers, trailer), trailer)
        return replace(self, trailers=tuple(trailers))

    def without_trailers(
        self, is_removed: Callable[[Trailer], bool]
    ) -> tuple[Message, tuple[Trailer, ...]]:
        """Return the message without the trailers that `is_removed` selects, and those trailers."""
        remaining = tuple(trailer for trailer in self.trailers if not is_removed(trailer))
        removed = tuple(trailer for trailer in self.trailers if is_removed(trailer))
        return replace(self, trailers=remaining), removed

    def with_notes(self, notes: str) -> Message:
        """Return the message with a text below the cut, before the present notes."""
        joined = "\n\n".join(part.strip("\n") for part in (notes, self.notes) if part.strip())
        return replace(self, notes=joined)


def parse_message(message: str) -> Message:
    """Parse a commit message."""
    cut = _CUT.search(message, message.find("\n") + 1)
    above = (message[: cut.start()] if cut else message).strip("\n")
    notes = message[cut.end() :].strip("\n") if cut else ""
    divider = cut[0].rstrip() if cut else "---"
    tail = _find_tail(above)
    content = above[:tail].rstrip()
    ends = list(_EMPTY_LINE.finditer(content))
    lines = _unfold(content[ends[-1].end() + 1 :]) if ends else []
    if not _is_block(lines):
        return Message(above, notes=notes, cut=divider)
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
    return Message(head, tuple(trailers), notes, "\n".join(lead), above[tail:], divider)


def _find_tail(text: str) -> int:
    """Return where the lines begin that git ignores at the end of a message (see its commit.c)."""
    tail, position = len(text), 0
    is_in_list = False
    for line in text.split("\n"):
        is_comment = not line.strip() or line.startswith("#")
        is_in_list = line == "Conflicts:" or (is_in_list and (is_comment or line[0] == "\t"))
        tail = min(tail, position) if is_comment or is_in_list else len(text)
        position += len(line) + 1
    return tail


def _unfold(paragraph: str) -> list[str]:
    """Return the lines of a paragraph, each joined with its continuation lines."""
    lines: list[str] = []
    for line in paragraph.split("\n"):
        if lines and line[:1] in (" ", "\t"):
            lines[-1] += f"\n{line}"
        else:
            lines.append(line)
    return lines


def _read_line(line: str) -> Trailer | None:
    """Return the trailer in a line with its continuation lines, None if it is not a trailer."""
    match = _TRAILER.fullmatch(line)
    if match is None or line[0] in " \t":
        return None
    value = " ".join(part.strip() for part in match["value"].split("\n")).strip()
    return Trailer(match["key"], value, raw="" if line == f"{match['key']}: {value}" else line)


def _is_block(lines: Sequence[str]) -> bool:
    """Return whether the lines of a paragraph are trailers."""
    trailers = [trailer for trailer in map(_read_line, lines) if trailer is not None]
    others = [line for line in lines if _read_line(line) is None]
    if any(line.startswith(_GIT_LINES) for line in lines):
        picked = sum(line.startswith(_GIT_LINES) for line in others)
        # As git does, count each line of a folded line that is not a trailer.
        prose = sum(
            line.count("\n") + (line[0] != "#")
            for line in others
            if not line.startswith(_GIT_LINES)
        )
        return (len(trailers) + picked) * 3 >= prose
    return bool(trailers) and all(map(_NOT_PROSE.match, others)) and _has_known_key(trailers)


def usual_case(key: str) -> str:
    """Return a key in the usual letter case: "Reviewed-by" for "reviewed-BY"."""
    return _USUAL.get(key.lower(), key[:1].upper() + key[1:].lower())


def _has_known_key(trailers: Sequence[Trailer]) -> bool:
    """Return whether one of the trailers has the key of a usual trailer."""
    keys = {trailer.key.lower() for trailer in trailers}
    return any(key in _PLACES or key.endswith("-by") or "-" in key for key in keys)


def _find_place(trailers: list[Trailer], trailer: Trailer) -> int:
    """Return where to insert a trailer: after the last one that precedes or equals it in order."""
    place = _PLACES.get(trailer.key.lower(), _PLACES["cc"])
    indexes = [
        index
        for index, present in enumerate(trailers)
        if _PLACES.get(present.key.lower(), _PLACES["cc"]) <= place
    ]
    return indexes[-1] + 1 if indexes else 0
