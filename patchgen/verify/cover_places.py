# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the places in the tree that a cover letter names: `FILE:LINE`, or `FILE:LINE FUNCTION()`.

The lists of calls are those of the tree with all patches, as their introduction states. Where the
base has a patch already, the place is that in the base. Text by a person may be about either tree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.coccinelle import find_function_headers
from patchgen.counting import count
from patchgen.ctokens import erase_directives

# Returns the content of a file in a tree, None without that file.
ReadFile = Callable[[PurePosixPath], bytes | None]

# An absolute path, an address, and a line of a kernel's log with its offset (f+0x10/0x20) are not
# about these trees.
_PLACE = re.compile(
    r"""(?<![^\s("'`])(?P<path>(?:[\w.+-]+/)*(?:[\w.+-]+\.[chS]|Kconfig[\w.+-]*|Makefile|Kbuild))
    :(?P<line>\d{1,9})\b(?!\ \w+\+0x)(?:\ (?P<function>[A-Za-z_]\w*)\(\))?""",
    re.VERBOSE,
)
# The introductions of lists: templates/cover-sites.txt.j2, the cover letter of pvops, and
# patchgen/audit/summary.py.
_OF_TIP = re.compile(
    r"as\s+looked\s+up\s+in\s+the\s+tree\s+with\s+all\s+patches\s+on\s+top"
    r"|A\s+call\s+graph\s+shows\s+the\s+code\s+that\s+can"
)


@dataclass(frozen=True, slots=True)
class _Place:
    """A place that a letter names; `letter_line` is the number of the letter's line.

    `is_of_tip` is set if the letter states that it is in the tree with all patches.
    """

    text: str
    letter_line: int
    path: PurePosixPath
    line: int
    function: str | None
    is_of_tip: bool


def check_cover_places(
    letter: str, read_base: ReadFile, read_tip: ReadFile
) -> Iterator[tuple[int, str]]:
    """Yield the places that do not exist: the line of the letter, and what is wrong.

    The first line of the letter is its subject.
    """
    for place in _find_places(letter):
        tip = _find_fault(place, read_tip(place.path))
        if not tip:
            continue
        if place.is_of_tip:
            yield place.letter_line, f"{place.text} is not in the tree with all patches: {tip}"
        elif _find_fault(place, read_base(place.path)):
            text = f"{place.text} is neither in the base nor in the tree with all patches: {tip}"
            yield place.letter_line, text


def _find_places(letter: str) -> Iterator[_Place]:
    """Yield the places in the text, quotes left out: those may be about any version."""
    introduction = _OF_TIP.search(letter)
    end = introduction.end() if introduction else len(letter)
    position = 0
    for number, line in enumerate(letter.split("\n"), 1):
        for match in () if line.startswith(">") else _PLACE.finditer(line):
            path, function = PurePosixPath(match["path"]), match["function"]
            in_list = position > end and line.startswith(" ") and function is not None
            if ".." not in path.parts:
                yield _Place(match[0], number, path, int(match["line"]), function, in_list)
        position += len(line) + 1


def _find_fault(place: _Place, source: bytes | None) -> str:
    """Return what is wrong with a place in a file with this content, "" if it exists."""
    if source is None:
        # A name alone may be short for a path.
        return "the file does not exist" if len(place.path.parts) > 1 else ""
    lines = source.removesuffix(b"\n").split(b"\n")
    if not 0 < place.line <= len(lines):
        return f"the file has {count(len(lines), 'line')}"
    name = place.function
    # A person may name the function that the line calls.
    if name is None or re.search(rb"\b%s\b" % name.encode(), lines[place.line - 1]):
        return ""
    headers = find_function_headers(erase_directives(source).split(b"\n"))
    above = [function for start, function in headers if start < place.line]
    # A name is None if a macro makes the function, or if only the preprocessor can tell.
    if above and above[-1] in (None, name):
        return ""
    if any(function == name for _, function in headers):
        return f"line {place.line} is not in {name}()"
    return "" if _may_define(name, source, headers) else f"the file does not define {name}()"


def _may_define(name: str, source: bytes, headers: Sequence[tuple[int, str | None]]) -> bool:
    """Return whether a file may define a function that `headers` lacks: by macros, in assembler."""
    word = rb"\b%s\b" % name.encode()
    if any(function is None for _, function in headers) or not headers:
        return re.search(word, source) is not None
    return re.search(rb"^[ \t]*#[ \t]*define[ \t]+" + word, source, re.MULTILINE) is not None
