# SPDX-License-Identifier: GPL-2.0-or-later
"""A diff as text in a mail: where it begins and ends, the files it names, the lines it changes.

Mails contain diffs that `git diff` on this machine would not write: trimmed quotes, other prefixes
(diff.mnemonicPrefix: `i/`, `w/`) or none (diff.noprefix), no `diff --git` line.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from patchgen.quoting import unquote_name

_HUNK = re.compile(r"@@ -\d{1,9}(?:,(\d{1,9}))? \+\d{1,9}(?:,(\d{1,9}))? @@")
_START = re.compile(r"diff --git \S|Index: \S")
_DIFF = re.compile(rf"^(?:{_START.pattern}|--- \S[^\n]*\n\+\+\+ \S[^\n]*\n@@ -\d)", re.MULTILINE)
_HEADER = re.compile(
    r"diff --git |index [0-9a-f]+|(?:old|new) mode |(?:new|deleted) file mode |"
    r"(?:dis)?similarity index |(?:rename|copy) (?:from|to) |--- |\+\+\+ |Binary files |={20,}$"
)
_NAMES = re.compile(r"diff --git |--- |\+\+\+ ")
_BINARY = "GIT binary patch"
_BOTH = "diff --git "
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


class Kind(Enum):
    """The kind of a line: prose, the head of a diff, or a line of a hunk."""

    TEXT = auto()
    HEAD = auto()
    HUNK = auto()


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a file in a diff, unquoted, with prefixes; "" if it does not exist there."""

    old: str
    new: str

    @property
    def has_prefix(self) -> bool:
        """Whether `git apply` has to strip the first folder of the names."""
        return self.old != self.new


def has_diff(text: str) -> bool:
    """Return whether a text has a diff that is not quoted."""
    return bool(_DIFF.search(text))


def classify_lines(lines: Sequence[str]) -> Iterator[tuple[Kind, str]]:
    """Yield each line with its kind. A hunk has as many lines as its `@@` line announces."""
    kind, old, new, is_binary = Kind.TEXT, 0, 0, False
    for line, following in itertools.zip_longest(lines, lines[1:], fillvalue=""):
        if kind is Kind.HUNK and (old or new) and (not line or line[0] in " +-\\"):
            old -= not line or line[0] in " -"
            new -= not line or line[0] in " +"
            yield Kind.HUNK, line
            continue
        if is_binary:
            is_binary = bool(line)
            yield Kind.HEAD, line
            continue
        is_inside = kind is not Kind.TEXT
        if match := _HUNK.match(line):
            kind, old, new = Kind.HUNK, int(match[1] or 1), int(match[2] or 1)
            yield Kind.HEAD, line
            continue
        is_binary = is_inside and line.startswith(_BINARY)
        is_name = line.startswith("--- ") and following.startswith("+++ ")
        is_head = is_name or _START.match(line) or (is_inside and _HEADER.match(line))
        if kind is Kind.HUNK and line.startswith("\\"):
            yield Kind.HUNK, line
            continue
        kind = Kind.HEAD if is_head or is_binary else Kind.TEXT
        yield kind, line


def list_changes(lines: Sequence[str]) -> frozenset[str]:
    """Return the lines that diffs add and remove, with their `+` or `-`, without white space."""
    return frozenset(
        "".join(line.split())
        for kind, line in classify_lines(lines)
        if kind is Kind.HUNK and line[:1] in ("+", "-") and line[1:].strip()
    )


def digest_changes(text: str) -> str:
    """Return a digest of the lines that a diff adds and removes, file by file; "" if none.

    Like git-patch-id(1), it ignores white space, and line numbers and blob ids, which differ with
    the base. Unlike it, it also ignores the lines around a change. The digest of a diff without
    changed lines, as one that changes a mode, is that of its other lines.
    """
    heads, changed = [], False
    lines: list[str] = []
    for kind, line in classify_lines(with_usual_prefixes(text).split("\n")):
        squeezed = "".join(line.split())
        if kind is Kind.HUNK and line[:1] in ("+", "-"):
            changed = True
            lines.append(squeezed)
        elif kind is Kind.HEAD and _NAMES.match(line):
            lines.append(squeezed)
            heads.append(squeezed)
        elif kind is Kind.HEAD and not line.startswith(("index ", "@@ ")):
            heads.append(squeezed)
    digested = lines if changed else heads
    # Any surrogate can be encoded: a mail in UTF-7 may have some that stand for no byte.
    raw = "\n".join(digested).encode("utf-8", "surrogatepass")
    return hashlib.sha256(raw).hexdigest() if digested else ""


def list_names(text: str) -> list[Names]:
    """Return the names of the files that a diff changes, each file once."""
    names: dict[Names, None] = {}
    old = ""
    heads = (line for kind, line in classify_lines(text.split("\n")) if kind is Kind.HEAD)
    for line in (head.rstrip("\r") for head in heads):
        if line.startswith(_BOTH):
            names.setdefault(split_names(line), None)
        elif line.startswith("--- "):
            old = unquote_name(line[4:].partition("\t")[0])
        elif line.startswith("+++ "):
            new = unquote_name(line[4:].partition("\t")[0])
            pair = Names(*("" if name == "/dev/null" else name for name in (old, new)))
            if pair.old and pair.new:
                names.setdefault(pair, None)
    return list(names)


def list_paths(text: str) -> set[str]:
    """Return the paths, before and after, of the files that a diff changes."""
    names = list_names(text)
    depth = find_strip(text)
    return {path.split("/", depth)[-1] for name in names for path in (name.old, name.new) if path}


def find_strip(text: str) -> int:
    """Return how many folders `git apply -p` has to strip from the names in a diff: 1 or 0."""
    names = list_names(text)
    return 0 if names and not any(name.has_prefix for name in names) else 1


def with_usual_prefixes(text: str) -> str:
    """Return a diff with the prefixes a/ and b/, since git-patch-id(1) includes them."""
    strip = find_strip(text)
    return "\n".join(
        _rename(line, strip) if kind is Kind.HEAD else line
        for kind, line in classify_lines(text.split("\n"))
    )


def _rename(line: str, strip: int) -> str:
    if line.startswith(_BOTH):
        both = split_names(line.rstrip("\r"))
        old, new = (name.split("/", strip)[-1] for name in (both.old, both.new))
        return f"diff --git a/{old} b/{new}"
    for mark, prefix in (("--- ", "a/"), ("+++ ", "b/")):
        if line.startswith(mark):
            name = unquote_name(line[4:].partition("\t")[0].rstrip("\r"))
            return line if name == "/dev/null" else mark + prefix + name.split("/", strip)[-1]
    return line


def split_names(line: str) -> Names:
    """Return the names of a "diff --git" line; names with spaces are split in the middle."""
    names = line.removeprefix(_BOTH)
    middle = len(names) // 2
    if match := _QUOTED.match(names):
        return Names(unquote_name(match[0]), unquote_name(names[match.end() + 1 :]))
    if names.endswith('"') and ' "' in names:
        old, _, new = names.partition(' "')
        return Names(old, unquote_name(f'"{new}'))
    if len(names) % 2 and names[middle] == " ":
        return Names(names[:middle], names[middle + 1 :])
    old, _, new = names.partition(" ")
    return Names(old, new)
