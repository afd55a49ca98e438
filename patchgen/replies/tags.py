# SPDX-License-Identifier: GPL-2.0-or-later
"""The tags in the lines that a sender wrote: "Reviewed-by: Name <address>" and similar.

Everything that looks like a tag is found. A tag that cannot be added unchanged has a problem, which
the caller reports. So no tag is lost silently.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from patchgen.controls import has_controls
from patchgen.mail import decode_words, has_garbled_name
from patchgen.replies.conditions import MAX_LENGTH, find_conditions, find_reservation
from patchgen.replies.scopes import Scope, find_scope, find_scopes
from patchgen.replies.sender import ADDRESS
from patchgen.series.trailers import Trailer, usual_case

# Tags that a reply can give. Only the author, or the person who applies the patch, adds others.
REPLY_TAGS = frozenset({"Reviewed-by", "Acked-by", "Tested-by", "Reported-by", "Suggested-by"})
_WORD = r"[A-Za-z]+(?:-[A-Za-z]+)*"
_SEPARATOR = r"-?[ \t]*(?:/|&|\+|,|[ \t]and[ \t])[ \t]*"
_TAG = re.compile(
    rf"[ \t]*(?P<key>(?:{_WORD}{_SEPARATOR}){{0,3}}[A-Za-z]+(?:-[A-Za-z]+)*-by"
    r"|(?:reviewed|acked|tested|reported|suggested)[ _]by|fixes(?=[ \t]*:[ \t]*[0-9a-f]{7}))"
    r"[ \t]*[:\uff1a](?P<value>.*)",
    re.IGNORECASE | re.DOTALL,
)
_ANGLE = re.compile(r"<[^<>\s]+@[^<>\s]+>")
_QUOTED = re.compile(r'"[^"]*"')
# Separators between two people on one line. A comment after the last person belongs to that one.
_BETWEEN = re.compile(r"(?<=>)\s*(?:[,;&/+]|\band\b)\s*(?=[^\s#(\[])", re.IGNORECASE)
_IN_NAME = re.compile(r"[,;&/+]|\band\b", re.IGNORECASE)
# Text after an address that is neither a comment nor another name.
_FREE_TEXT = re.compile(r"[\s,;.!-]*[a-z]|(?:[\s;.!-]|//)*[A-Za-z]")
# A note on the line below a tag.
_NOTE = re.compile(r"\[[^\[\]]+\]")
# A remark there is added to the tag's line: a line with "#" would be a comment in a message.
_REMARK = re.compile(
    r"#.*|\((?:for|on|only|in|with|the|patch(?:es)?|[x\d])\b[^()]*\)", re.IGNORECASE
)
_LAST_REMARK = re.compile(r"(?<=[>\w])[ \t]*[#\[(].*$")
# Escape sequences of terminals (ECMA-48): control sequences and operating system commands.
_SEQUENCE = re.compile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*\x07?)")
# Scripts of India and Iran use them in names.
_JOINERS = frozenset("\u200c\u200d")
# An address that Outlook or a converter of HTML has made a link: "<a@x<mailto:a@x>>", "[a@x](...)".
_MAILTO = r"<mailto:(?P<linked>[^<>\s@]+@[^<>\s@]+)>"
_LINK = re.compile(
    rf"<?(?P<shown>[^\s<>\[\]()@]+@[^\s<>\[\]()@]+)[ \t]*>?[ \t]*{_MAILTO}>?"
    r"|<?\[(?P<marked>[^\s\[\]@]+@[^\s\[\]@]+)\]\(mailto:(?P<target>[^\s()]+)\)>?",
    re.IGNORECASE,
)
_NAME_LINK = re.compile(r"\[([^\[\]@]+)\]\(mailto:[^\s()]+\)(?=[ \t]*<)", re.IGNORECASE)
# Thanks, perhaps with a name: only words that cannot be a condition.
_THANKS = re.compile(
    r"(?<=>)[\s.,;!-]*\b(?:(?:many|big) )?(?:thanks|thank you|thx|cheers|regards)"
    r"(?: (?:again|a lot|very much))?[\s.,!-]*(?:[A-Z]\w+[.!]?)?(?:\s[:;]-?[)D])?$",
    re.IGNORECASE,
)
_CONTROLS = "it has control characters"
# A tag inside of a sentence, in a list, or spelled differently; not "Nacked-by".
_MENTION = re.compile(
    r"(?<![A-Za-z])(?P<stem>reviewed|acked|tested|reported|suggested)[\W_]{0,3}by(?![a-z])"
    r"|(?<![\w-])(?P<short>[rat])-?b(?=[\W_]*:)",
    re.IGNORECASE,
)
_SHORT = {"r": "reviewed", "a": "acked", "t": "tested"}
_ONLY_ME = re.compile(r"\W*(?:me|myself)?\W*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundTag:
    """A tag, and why it cannot be added unchanged, "" if it can.

    `scope` are the patches that its sender restricts it to.
    """

    trailer: Trailer
    problem: str = ""
    scope: Scope = field(default_factory=Scope)


def find_tags(lines: Sequence[str], *, follows_diff: bool = False) -> Iterator[FoundTag]:
    """Yield the tags in lines, in order; `follows_diff` is set if the sender wrote a diff, too."""
    values = dict(_read_values(lines))
    # All lines of the tags: the text about a tag is next to these.
    tags = [n for start, value in values.items() for n in range(start, start + value.line_count)]
    conditions = find_conditions(lines, tags, follows_diff=follows_diff)
    scopes = find_scopes(lines, tags)
    for number, (key, value, note, _) in values.items():
        line = lines[number]
        if len(line) > MAX_LENGTH:
            shown = Trailer(usual_case(key), f"{value[:80]}...")
            yield FoundTag(shown, f"the line has {len(line)} characters")
            continue
        problem = _CONTROLS if _match(line) is None else ""
        for tag in _read(key, _normalize(value), note, line):
            own_scope = find_scope(f"{value.rpartition('>')[2]} {note}")
            scope = Scope(own_scope) if own_scope else scopes.get(number, Scope())
            reason = problem or tag.problem or conditions.get(number, "")
            yield replace(tag, scope=scope, problem=reason)


class _Value(NamedTuple):
    """The key, text and note ("" if it has none) of a tag, which takes `line_count` lines."""

    key: str
    text: str
    note: str
    line_count: int


def _read_values(lines: Sequence[str]) -> Iterator[tuple[int, _Value]]:
    """Yield the number of each line with a tag, and its value."""
    for number, line in enumerate(lines):
        if match := match_tag(line):
            value = match["value"].strip(" \t")
            following = lines[number : number + 4]
            short = list(itertools.takewhile(lambda text: len(text) <= MAX_LENGTH, following))
            yield number, _Value(match["key"], *_unwrap(value, short[1:]))


def _unwrap(value: str, lines: Sequence[str]) -> tuple[str, str, int]:
    """Return a tag's value, the note below it ("" if it has none), and the number of its lines.

    A mailer that wraps lines puts the address on a line of its own, or breaks it.
    """
    following = [line.strip() for line in lines]
    if following and not ADDRESS.search(value) and _can_follow(following[0]):
        value = f"{value} {following.pop(0)}".strip()
    if following and value.count("<") > value.count(">"):
        joined = value + following[0]
        if joined.count("<") == joined.count(">"):
            value = joined
            following.pop(0)
    if following and _REMARK.fullmatch(following[0]) and not _LAST_REMARK.search(value):
        value = f"{value} {following.pop(0)}"
    note = following.pop(0) if following and _NOTE.fullmatch(following[0]) else ""
    return value, note, 1 + len(lines) - len(following)


def find_mentions(lines: Sequence[str], is_own: Callable[[str], bool]) -> Iterator[FoundTag]:
    """Yield possible tags of the sender in lines that are not tags.

    So "With that, Acked-by: Bea <bea@example.org>" is reported, and prose is not. `is_own` returns
    whether a text names the sender.
    """
    for line, following in itertools.pairwise((*lines, "")):
        match = _MENTION.search(line[:MAX_LENGTH]) if match_tag(line) is None else None
        if match is None:
            continue
        value = line[match.end() : MAX_LENGTH].strip(" \t:;")
        if not ADDRESS.search(value) and _can_follow(following):
            value = f"{value} {following.strip()}"
        stem = match["stem"] or _SHORT[match["short"].lower()]
        is_line = not re.search(r"[^\W_]", line[: match.start()])
        if is_own(value) or (is_line and match["stem"] and _ONLY_ME.fullmatch(value)):
            trailer = Trailer(usual_case(f"{stem}-by"), value)
            yield FoundTag(trailer, _describe_mention(line))


def _describe_mention(line: str) -> str:
    return f'it is not on a line of its own: "{line[:MAX_LENGTH].strip()}"'


def _normalize(value: str) -> str:
    """Return a value without surplus white space, punctuation, links and thanks."""
    value = re.sub(r"[ \t]+", " ", value)
    value = _NAME_LINK.sub(r"\1", value)
    value = _LINK.sub(_unlink, value)
    value = re.sub(r"<[ \t]*(?:mailto:)?([^<>\s]+@[^<>\s]+?)\.?[ \t]*>", r"<\1>", value)
    value = _THANKS.sub("", value)
    value = re.sub(r"(?<=>)(?:[.,;!]+|\s[:;]-?[)D])$", "", value)
    if "<" not in value:
        value = re.sub(rf"^([^@]*[^@\s]) [(\[]({ADDRESS.pattern})[)\]]$", r"\1 <\2>", value)
        value = re.sub(r"(@[^\s@]*\w)[.,;!]+$", r"\1", value)
    return value


def _unlink(match: re.Match[str]) -> str:
    """Return the address of a link, unless it shows another one."""
    shown = match["shown"] or match["marked"]
    linked = match["linked"] or match["target"]
    return f"<{shown}>" if shown.lower() == linked.lower() else match[0]


def match_tag(line: str) -> re.Match[str] | None:
    """Return the key and value of a line that looks like a tag, None for other lines."""
    match = _match(line)
    if match is None and has_controls(line, allow="\t"):
        plain = _SEQUENCE.sub("", line[: 4 * MAX_LENGTH])
        return _match("".join(character for character in plain if not has_controls(character)))
    return match


def _match(line: str) -> re.Match[str] | None:
    return _TAG.match(line[: 4 * MAX_LENGTH]) if re.search("[:\uff1a]", line[:200]) else None


def _can_follow(line: str) -> bool:
    """Return whether a line can be the second part of a tag, with its address."""
    return bool(ADDRESS.search(line[:MAX_LENGTH])) and match_tag(line) is None


def _read(key: str, value: str, note: str, line: str) -> Iterator[FoundTag]:
    """Yield the tags of one line: one for each key and person in it."""
    keys, problem = _split_key(key, line)
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


def _split_key(key: str, line: str) -> tuple[list[str], str]:
    """Return the tags that a key stands for: "Reviewed-and-tested-by" is two."""
    plain = re.sub(r"[ _]by$", "-by", key.lower())
    if plain != key.lower():
        return [usual_case(plain)], f'it is written "{key}", not "{usual_case(plain)}"'
    stems = re.split(rf"{_SEPARATOR}|-(?:and|n)-|-", plain.removesuffix("-by"))
    names = [usual_case(f"{stem}-by") for stem in stems if stem not in ("", "by", "and")]
    if all(name in REPLY_TAGS for name in names):
        return list(dict.fromkeys(names)), ""
    given = [name for name in names if name in REPLY_TAGS]
    if given and re.search(_SEPARATOR, key):
        return list(dict.fromkeys(given)), _describe_mention(line)
    return [usual_case(key)], ""


def _find_problem(value: str, note: str) -> str:
    """Return why a value cannot name a person, "" if it can."""
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
    addresses = list(ADDRESS.finditer(_QUOTED.sub("", value)))
    return addresses[-1].string[addresses[-1].end() :].lstrip("> ") if addresses else ""


def _find_strangers(person: str) -> str:
    """Return why a value does not name exactly one person, "" if it does."""
    person = _without_comment(person)
    unquoted = _QUOTED.sub("", person)
    angles = _ANGLE.findall(unquoted)
    addresses = {address.lower() for address in ADDRESS.findall(person)}
    before = unquoted.partition(angles[0])[0] if angles else ""
    if len(angles) > 1 or _IN_NAME.search(before) or (not angles and len(addresses) > 1):
        return "it names several people"
    if angles and addresses - {angles[0][1:-1].lower()}:
        return "it has another address besides the person's"
    return ""


def _without_comment(value: str) -> str:
    """Return a value without added comments: "# for the x86 part", perhaps with a link."""
    return value.partition(" #")[0]
