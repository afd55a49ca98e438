# SPDX-License-Identifier: GPL-2.0-or-later
"""The tags in the lines that a sender wrote: "Reviewed-by: Name <address>" and similar.

Everything that looks like a tag is found. A tag that cannot be added unchanged has a problem, which
the caller reports. So no tag is lost silently.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from patchgen.controls import has_controls
from patchgen.mail import decode_words, has_garbled_name
from patchgen.replies.conditions import find_conditions, find_reservation
from patchgen.series.trailers import Trailer, usual_case

# Tags that a reply can give. Others are for the author, or for whoever applies the patch.
GIVEN = frozenset({"Reviewed-by", "Acked-by", "Tested-by", "Reported-by", "Suggested-by"})
_WORD = r"[A-Za-z]+(?:-[A-Za-z]+)*"
_SEPARATOR = r"[ \t]*(?:/|&|\+|,|[ \t]and[ \t])[ \t]*"
_TAG = re.compile(
    rf"[ \t]*(?P<key>(?:{_WORD}{_SEPARATOR}){{0,3}}[A-Za-z]+(?:-[A-Za-z]+)*-by"
    r"|(?:reviewed|acked|tested|reported|suggested)[ _]by|fixes(?=[ \t]*:[ \t]*[0-9a-f]{7}))"
    r"[ \t]*[:\uff1a](?P<value>.*)",
    re.IGNORECASE | re.DOTALL,
)
_ADDRESS = re.compile(r"[^\s<>\"'(),;:\[\]]+@[^\s<>\"'(),;:\[\]]+")
_ANGLE = re.compile(r"<[^<>\s]+@[^<>\s]+>")
_QUOTED = re.compile(r'"[^"]*"')
# Separators between two people on one line; a comment after the last person stays with it.
_BETWEEN = re.compile(r"(?<=>)\s*(?:[,;&/+]|\band\b)\s*(?=[^\s#(\[])", re.IGNORECASE)
_IN_NAME = re.compile(r"[,;&/+]|\band\b", re.IGNORECASE)
# Text after an address that is neither a comment nor another name.
_FREE_TEXT = re.compile(r"[\s,;.-]*[a-z]")
_SCOPE = re.compile(r"\[[^\[\]]+\]")
# Escape sequences of terminals (ECMA-48): control sequences and operating system commands.
_SEQUENCE = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*\x07?)")
# Scripts of India and Iran use them in names.
_JOINERS = frozenset("\u200c\u200d")
_CONTROLS = "it has control characters"
# A tag inside of a sentence, in a list, or spelled differently.
_MENTION = re.compile(
    r"(?P<stem>reviewed|acked|tested|reported|suggested)[\W_]{0,3}by(?![a-z])", re.I
)
# "For patches 1-3:", "# 2/4": a tag that is not for the whole series.
_PATCHES = re.compile(
    r"\bpatch(?:es)?[ \t]*(?:#|no\.?|number)?[ \t]*\d[^a-z]*(?:(?:and|to)[ \t]*#?\d[^a-z]*)*"
    r"|(?<![\d/.-])\d{1,4}/\d{1,4}(?![\d/.-])",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"(\d+)(?:[ \t]*/[ \t]*\d+|[ \t]*(?:-|\u2013|to)[ \t]*#?(\d+))?")
# In characters. People do not write longer tags, and regular expressions would take long.
_MAX_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class FoundTag:
    """A tag, and why it cannot be added unchanged, "" if it can.

    `scope` names the patches that its sender restricts it to, "" for no restriction.
    """

    trailer: Trailer
    problem: str = ""
    scope: str = ""

    def is_for(self, number: int | None) -> bool:
        """Return whether it is for a patch; None is the whole series."""
        if not self.scope:
            return True
        spans = ((int(a), int(b or a)) for a, b in _NUMBERS.findall(self.scope))
        return number is not None and any(low <= number <= high for low, high in spans)


def find_tags(lines: Sequence[str], *, follows_diff: bool = False) -> Iterator[FoundTag]:
    """Yield the tags in lines, in order; `follows_diff` is set if the sender wrote a diff, too."""
    matches = [match_tag(line) for line in lines]
    tags = [number for number, match in enumerate(matches) if match]
    conditions = find_conditions(lines, tags, follows_diff=follows_diff)
    heading = ""
    for number, (line, match) in enumerate(zip(lines, matches, strict=True)):
        if match is None:
            # A line that ends with a colon refers to the next text, even after an empty line.
            heading = line if line.strip() or not heading.rstrip().endswith(":") else heading
            continue
        key, value = match["key"], match["value"].strip(" \t")
        if len(line) > _MAX_LENGTH:
            shown = Trailer(usual_case(key), f"{value[:80]}...")
            yield FoundTag(shown, f"the line has {len(line)} characters")
            continue
        value, note = _unwrap(value, lines[number + 1 : number + 3])
        problem = _CONTROLS if _match(line) is None else ""
        for tag in _read(key, _normalize(value), note):
            scope = _find_scope(f"{value} {note}", heading)
            reason = problem or tag.problem or conditions.get(number, "")
            yield replace(tag, scope=scope, problem=reason)


def _unwrap(value: str, lines: Sequence[str]) -> tuple[str, str]:
    """Return a tag's value and the note below it, "" if there is none.

    A mailer that wraps lines puts the address on a line of its own.
    """
    following = [line.strip() for line in lines]
    if following and not _ADDRESS.search(value) and _can_follow(following[0]):
        value = f"{value} {following.pop(0)}".strip()
    return value, following[0] if following and _SCOPE.fullmatch(following[0]) else ""


def find_mentions(lines: Sequence[str], sender: str) -> Iterator[FoundTag]:
    """Yield possible tags of the sender (an address in lower case) in lines that are not tags.

    So "With that, Acked-by: Bea <bea@example.org>" is reported, and prose is not.
    """
    for line, following in itertools.pairwise((*lines, "")):
        match = _MENTION.search(line[:_MAX_LENGTH]) if match_tag(line) is None else None
        if match is None or not sender:
            continue
        value = line[match.end() : _MAX_LENGTH].strip(" \t:;")
        if not _ADDRESS.search(value) and _can_follow(following):
            value = f"{value} {following.strip()}"
        if sender in value.lower():
            problem = f'it is not on a line of its own: "{line[:_MAX_LENGTH].strip()}"'
            yield FoundTag(Trailer(usual_case(f"{match['stem']}-by"), value), problem)


def _normalize(value: str) -> str:
    """Return a value without surplus white space and punctuation."""
    value = re.sub(r"[ \t]+", " ", value)
    value = re.sub(r"<[ \t]*([^<>\s]+@[^<>\s]+)[ \t]*>", r"<\1>", value)
    return re.sub(r"(?<=>)[.,;]+$", "", value)


def _find_scope(value: str, heading: str) -> str:
    """Return the patches that a tag is for, from the text after its address or the line above."""
    for text in (value.rpartition(">")[2], heading):
        if match := _PATCHES.search(text[:_MAX_LENGTH]):
            return match[0].strip()
    return ""


def match_tag(line: str) -> re.Match[str] | None:
    """Return the key and value of a line that looks like a tag, None for other lines."""
    match = _match(line)
    if match is None and has_controls(line, allow="\t"):
        plain = _SEQUENCE.sub("", line[: 4 * _MAX_LENGTH])
        return _match("".join(character for character in plain if not has_controls(character)))
    return match


def _match(line: str) -> re.Match[str] | None:
    return _TAG.match(line[: 4 * _MAX_LENGTH]) if re.search("[:\uff1a]", line[:200]) else None


def _can_follow(line: str) -> bool:
    """Return whether a line can be the rest of a tag that has no address yet."""
    return bool(_ADDRESS.search(line[:_MAX_LENGTH])) and match_tag(line) is None


def _read(key: str, value: str, note: str) -> Iterator[FoundTag]:
    """Yield the tags of one line: one for each key and person in it."""
    keys, problem = _split_key(key)
    value = decode_words(value)
    problem = problem or _find_problem(value, note)
    people = [value]
    if not problem:
        head = _without_comment(value)
        people = _BETWEEN.split(head)
        people[-1] += value[len(head) :]
    for name in keys:
        for person in people:
            yield FoundTag(Trailer(name, person.strip(), note), problem or _find_strangers(person))


def _split_key(key: str) -> tuple[list[str], str]:
    """Return the tags that a key stands for: "Reviewed-and-tested-by" is two."""
    plain = re.sub(r"[ _]by$", "-by", key.lower())
    if plain != key.lower():
        return [usual_case(plain)], f'it is written "{key}", not "{usual_case(plain)}"'
    stems = re.split(rf"{_SEPARATOR}|-and-|-", plain.removesuffix("-by"))
    names = [usual_case(f"{stem}-by") for stem in stems if stem not in ("", "by", "and")]
    if all(name in GIVEN for name in names):
        return list(dict.fromkeys(names)), ""
    return [usual_case(key)], ""


def _find_problem(value: str, note: str) -> str:
    """Return why a value cannot name anybody, "" if it can."""
    text = f"{value} {note}"
    if has_garbled_name(text):
        return "it has characters that could not be decoded"
    if has_controls(text):
        return _CONTROLS
    if any(
        unicodedata.category(character) == "Cf" and character not in _JOINERS for character in text
    ):
        return "it has invisible characters"
    plain = _QUOTED.sub("", _without_comment(value))
    if plain.count("<") != plain.count(">"):
        return "its angle brackets are not closed"
    tail = _read_tail(value)
    if condition := find_reservation(f"{tail} {note}"):
        return f'it has a condition: "{condition}"'
    return f'it has text after the address: "{tail}"' if _FREE_TEXT.match(tail) else ""


def _read_tail(value: str) -> str:
    """Return the text after the last address of a value."""
    addresses = list(_ADDRESS.finditer(_QUOTED.sub("", value)))
    return addresses[-1].string[addresses[-1].end() :].lstrip("> ") if addresses else ""


def _find_strangers(person: str) -> str:
    """Return why a value does not name exactly one person, "" if it does."""
    person = _without_comment(person)
    unquoted = _QUOTED.sub("", person)
    angles = _ANGLE.findall(unquoted)
    addresses = {address.lower() for address in _ADDRESS.findall(person)}
    before = unquoted.partition(angles[0])[0] if angles else ""
    if len(angles) > 1 or _IN_NAME.search(before) or (not angles and len(addresses) > 1):
        return "it names several people"
    if angles and addresses - {angles[0][1:-1].lower()}:
        return "it has another address besides the person's"
    return ""


def _without_comment(value: str) -> str:
    """Return a value without added comments: "# for the x86 part", perhaps with a link."""
    return value.partition(" #")[0]
