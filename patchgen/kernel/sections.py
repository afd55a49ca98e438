"""The sections of MAINTAINERS, and which of them a file belongs to.

"Descriptions of section entries" at the top of MAINTAINERS, and scripts/get_maintainer.pl: F: and
X: are paths in which `*` and `?` stay within a folder and a trailing slash means all below; N: is a
regular expression over paths. The section whose F: pattern is the deepest is the one that is meant.
K: speaks of contents and is not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

_FIELD = re.compile(r"^(?P<key>[A-Z]):[ \t]*(?P<value>.*\S)")
_REST = "THE REST"


@dataclass(frozen=True)
class Section:
    """An entry of MAINTAINERS: its name, people, and patterns. `number` is its place there."""

    number: int
    name: str
    maintainers: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    regexes: tuple[str, ...] = ()

    @cached_property
    def _patterns(self) -> list[tuple[str, re.Pattern[str]]]:
        return [(pattern, _compile(pattern)) for pattern in self.files]

    @cached_property
    def _excluded(self) -> list[re.Pattern[str]]:
        return [_compile(pattern) for pattern in self.excluded]

    @cached_property
    def _regexes(self) -> list[re.Pattern[str]]:
        return [re.compile(_to_python(regex)) for regex in self.regexes]

    def depth(self, path: str) -> int | None:
        """Return how deep the pattern is by which a file belongs here, None where it does not."""
        if any(pattern.match(path) for pattern in self._excluded):
            return None
        depths = [_depth(text) for text, pattern in self._patterns if pattern.match(path)]
        depths += [0 for regex in self._regexes if regex.search(path)]
        return max(depths, default=None)


class Maintainers:
    """A tree's MAINTAINERS."""

    def __init__(self, sections: Sequence[Section]):
        self._sections = sections

    def find(self, path: PurePosixPath) -> Section | None:
        """Return the section that a file belongs to, None where there is none but THE REST."""
        best: tuple[int, Section] | None = None
        for section in self._sections:
            depth = section.depth(str(path))
            if depth is not None and section.name != _REST and (best is None or depth > best[0]):
                best = (depth, section)
        return best[1] if best else None


def parse_maintainers(text: str) -> Maintainers:
    """Read a MAINTAINERS file. What is no section is left out."""
    return Maintainers(list(_read_sections(text)))


def _read_sections(text: str) -> Iterator[Section]:
    paragraphs = re.split(r"\n[ \t]*\n", text)
    for number, paragraph in enumerate(paragraphs):
        name, _, rest = paragraph.strip("\n").partition("\n")
        fields = [match for line in rest.split("\n") if (match := _FIELD.match(line))]
        if not fields or _FIELD.match(name):
            continue

        def values(key: str, fields: list[re.Match[str]] = fields) -> tuple[str, ...]:
            return tuple(field["value"] for field in fields if field["key"] == key)

        yield Section(
            number,
            name.strip(),
            values("M"),
            tuple(value.split()[0] for value in values("L")),
            values("T"),
            values("F"),
            values("X"),
            values("N"),
        )


def _compile(pattern: str) -> re.Pattern[str]:
    regex = "".join(
        {"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)) for sign in pattern.rstrip("/")
    )
    if pattern.endswith("/"):
        return re.compile(f"{regex}/")
    # get_maintainer.pl looks for a pattern at the beginning, and counts slashes; where one without
    # wildcards names a folder, it adds the slash.
    return re.compile(f"{regex}[^/]*$" if re.search("[*?]", pattern) else f"{regex}(?:/|$)")


def _depth(pattern: str) -> int:
    return pattern.rstrip("/").count("/") + 1


def _to_python(regex: str) -> str:
    """Return a regular expression of Perl's as Python takes it; one that it does not, literally."""
    try:
        re.compile(regex)
    except re.error:
        return re.escape(regex)
    return regex
