# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipients of a patch, as by scripts/get_maintainer.pl, without running the tree's script.

The files come from the base commit, so that no checkout is needed. The rules are those of the
script in Linux 6.1 to 6.12, run as `--no-git --no-git-fallback --roles --no-rolestats` on a patch
mail: --git and its fallback guess from the log, and propose whoever once fixed a typo there.
Without them the script uses neither .get_maintainer.ignore nor "Fixes:". .get_maintainer.conf has
options for the person who runs the script, and is not read.

Unlike the script: CRLF ends a line; quoted file names and names with spaces are read; an address
that mail cannot be sent to is left out with a warning; and a list of people is split even if names
contain dots.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from patchgen.addresses import AddressError, encode_address, parse_people, parse_person
from patchgen.controls import escape_controls, has_controls
from patchgen.counting import count
from patchgen.kernel.mailmap import Mailmap, clean_name, format_recipient, read_mailmap
from patchgen.kernel.maintainers_file import Field, MaintainersSection
from patchgen.kernel.section_match import Texts, open_matcher
from patchgen.model.base import TreeReader
from patchgen.model.series import Mail, Recipients
from patchgen.quoting import unquote_name

_MAX_WARNINGS = 10
# The script never returns this name, though THE REST has it.
_CHIEF = "Linus Torvalds <torvalds@linux-foundation.org>"
_RENAMED = re.compile(r" mode change [0-7]+ => [0-7]+ (\S+)\s*$|rename (?:from|to) (\S+)\s*$")
_DIFF = re.compile(r"diff --git a/(\S+) b/(\S+)\s*$")
_FIXES = re.compile(r"Fixes:\s+[0-9a-fA-F]{6,40}")
_FILE = re.compile(r'(?:\+\+\+|---)\s+("(?:[^"\\]|\\.)*"|[^\t\n]+(?=\t)|\S+)')
_HUNK = re.compile(r"@@ -\d+,\d+")
_UNQUOTED_PERSON = re.compile(r"([^<>@]+)<([^<>]+)>[^<>@]*")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True, slots=True)
class RecipientsByMail:
    """The recipients of each mail, by file name, and warnings about lines left out.

    `files` has for each mail the number of its files that each recipient is responsible for.
    `lists` and `reviewers` are the recipients that are not maintainers.
    """

    by_mail: Mapping[str, Recipients]
    warnings: tuple[str, ...] = ()
    files: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    reviewers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Change:
    """The parts of a patch mail that determine its recipients. The paths are sorted and unique."""

    paths: tuple[str, ...]
    texts: Texts


def find_recipients(tree: TreeReader, mails: Sequence[Mail]) -> RecipientsByMail | None:
    """Return the recipients of each patch mail. None: the tree has no MAINTAINERS.

    Maintainers and supporters go to To; reviewers, lists and all others to Cc. Raises ToolError
    if regular expressions cannot be matched at all.
    """
    matcher = open_matcher(tree)
    if matcher is None:
        return None
    changes = [_read_change(mail.content.decode("utf-8", "surrogateescape")) for mail in mails]
    paths = (path for change in changes for path in change.paths)
    matches = matcher.find(paths, [change.texts for change in changes])
    mailmap, problems = read_mailmap(tree), dict.fromkeys(matches.warnings)
    by_mail, files = {}, {}
    lists: set[str] = set()
    maintainers: set[str] = set()
    for mail, change, keywords in zip(mails, changes, matches.by_text, strict=True):
        sections = [owner for path in change.paths for owner in matches.by_path[path]]
        people = _People(problems)
        for section, number in Counter((*sections, *keywords)).items():
            people.add(section, number)
        by_mail[mail.file_name] = people.finish(mailmap)
        files[mail.file_name] = people.files
        lists |= people.lists
        maintainers |= people.maintainers
    others = {person for counts in files.values() for person in counts} - lists - maintainers
    warnings = list(problems)
    more = len(warnings) - _MAX_WARNINGS
    if more > 0:
        warnings = [*warnings[:_MAX_WARNINGS], f"MAINTAINERS: {count(more, 'more warning')}"]
    return RecipientsByMail(by_mail, tuple(warnings), files, frozenset(lists), frozenset(others))


def join_recipients(all_recipients: Sequence[Recipients]) -> Recipients:
    """Return all recipients of any of the patches, for the cover letter."""
    to = dict.fromkeys(address for recipients in all_recipients for address in recipients.to)
    cc = dict.fromkeys(address for recipients in all_recipients for address in recipients.cc)
    return Recipients(tuple(to), tuple(address for address in cc if address not in to))


def _read_change(text: str) -> _Change:
    """Read a patch mail line by line, as the script does.

    A line that names a file, a hunk or a "Fixes:" is not searched for keywords. The missing side of
    a new or deleted file is the path dev/null, which belongs to THE REST.
    """
    paths: set[str] = set()
    above: list[str] = []
    diffs: list[str] = []
    lines = above
    for line in _LINE.findall(text):
        if (match := _RENAMED.match(line)) or (match := _DIFF.match(line)):
            paths.update(filter(None, match.groups()))
        elif _FIXES.match(line) or _HUNK.match(line):
            continue
        elif match := _FILE.match(line):
            name = unquote_name(match[1])
            paths.add(name.partition("/")[2] or name)
            lines = diffs
        elif lines is above or line.startswith(("+", "-")):
            # In diffs, keywords are only looked for in changed lines.
            lines.append(line)
    return _Change(tuple(sorted(paths)), Texts(tuple(above), tuple(diffs)))


class _People:
    """The people and lists of sections, in order and without duplicates.

    `problems` collects skipped lines of MAINTAINERS; it is a dictionary to keep their order. After
    `finish`, `files` has the number of files of each recipient; `lists` and `maintainers` are
    among them.
    """

    def __init__(self, problems: dict[str, None]):
        self._problems = problems
        self._people: list[tuple[str, str, bool]] = []
        self._lists: list[str] = []
        self._seen: set[str] = set()
        self._seen_names: set[str] = set()
        self._seen_lists: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._m_addresses: set[str] = set()
        self.files: dict[str, int] = {}
        self.lists: set[str] = set()
        self.maintainers: set[str] = set()

    def add(self, section: MaintainersSection, count: int) -> None:
        """Add the people and lists of a section whose name or address is new.

        `count` is the number of files of the section.
        """
        is_maintained = _is_maintained(section)
        for field in section.select("LMR"):
            if field.key == "L":
                self._counts[_split_list(field)[0].lower()] += count
                self._add_list(field)
            else:
                for name, address in _read_people(field, self._problems):
                    self._counts[address.lower()] += count
                    if field.key == "M":
                        self._m_addresses.add(address.lower())
                    self._add_person(name, address, is_maintained and field.key == "M")

    def _add_person(self, name: str, address: str, is_to: bool) -> None:
        if address.lower() in self._seen or (name and name.lower() in self._seen_names):
            return
        self._people.append((name, address, is_to))
        self._seen.add(address.lower())
        self._seen_names.add(name.lower())

    def _add_list(self, field: Field) -> None:
        address, kind = _split_list(field)
        # A list for subscribers only does not accept other mail.
        if "subscribers-only" in kind or address.lower() in self._seen_lists:
            return
        self._seen_lists.add(address.lower())
        try:
            self._lists.append(parse_person(address).address)
        except AddressError:
            problem = f"skipped, as '{escape_controls(field.value)}' does not begin with an address"
            _report(field, problem, self._problems)

    def finish(self, mailmap: Mailmap) -> Recipients:
        """Return all of them under their names in .mailmap, which may merge some."""
        by_name: dict[str, tuple[str, str]] = {}
        by_address: dict[str, tuple[str, str]] = {}
        to: dict[str, None] = {}
        cc: dict[str, None] = {}
        lists = ((("", address, False), True) for address in self._lists)
        for (name, address, is_to), is_list in (
            *((person, False) for person in self._people),
            *lists,
        ):
            entry = mailmap.rename(name, address)
            earlier = by_name.get(entry[0].lower()) if entry[0] else None
            earlier = earlier or by_address.get(entry[1].lower())
            if earlier is None:
                by_name[entry[0].lower()] = by_address[entry[1].lower()] = entry
            text = format_recipient(*mailmap.rename(*(earlier or entry)))
            if text not in to and text not in cc and (is_list or text != _CHIEF):
                (to if is_to else cc)[text] = None
            self.files[text] = self.files.get(text, 0) + self._counts[address.lower()]
            if is_list:
                self.lists.add(text)
            elif address.lower() in self._m_addresses:
                self.maintainers.add(text)
        return Recipients(tuple(to), tuple(cc))


def _split_list(field: Field) -> tuple[str, str]:
    """Return address and remark of an L: line."""
    address, _, kind = field.value.strip().replace("\t", " ").partition(" ")
    return address, kind


def _is_maintained(section: MaintainersSection) -> bool:
    """Return whether the M: of a section are maintainers or supporters, by its last S:."""
    status = ""
    for field in section.select("S"):
        status = field.value.rstrip("\r").lower()
    return status in ("supported", "maintained") or status.startswith(("supporter", "maintainer"))


def _read_people(field: Field, problems: dict[str, None]) -> Iterator[tuple[str, str]]:
    """Yield names and addresses of an M: or R: line; its problems are added to `problems`."""
    text = field.value.replace("\t", " ")
    if has_controls(text):
        _report(field, "the name has control characters or is not UTF-8: it was left out", problems)
        text = " ".join(f"<{address}>," for address in re.findall(r"<([^<>]*)>", text))
    yield from _parse(field, text, problems)


def _parse(field: Field, text: str, problems: dict[str, None]) -> Iterable[tuple[str, str]]:
    try:
        people = parse_people(text) or [parse_person(text)]
    except AddressError as err:
        # "Last, First <address>" without the quotes that it needs.
        match = _UNQUOTED_PERSON.fullmatch(text)
        try:
            address = encode_address(match[2]) if match else ""
        except AddressError:
            address = ""
        if match is None or not address:
            _report(field, f"skipped, as {err}", problems)
            return []
        return [(clean_name(match[1]), address)]
    return [(person.name, person.address) for person in people]


def _report(field: Field, problem: str, problems: dict[str, None]) -> None:
    problems[f"{field.place}: {field.key}: {problem}"] = None
