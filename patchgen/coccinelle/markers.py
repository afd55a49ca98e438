# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that spatch never sees: each replaces a marker in spatch's output.

SmPL has no inline assembly and cannot preserve the layout of comments or long bodies. A plus line
`+/* patchgen: NAME */` passes through spatch as a comment, to the place that the semantic patch
gives it. There it is replaced by the text NAME, including empty lines at its ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from patchgen.coccinelle.header import read_header, remove_fields
from patchgen.counting import count
from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch

_MARKER = re.compile(r"/\* patchgen: (?P<name>\w+) \*/")
_MARKER_LINE = re.compile(rb"(?P<indent>[ \t]*)/\* patchgen: (?P<name>\w+) \*/[ \t]*")
_MARKER_INLINE = re.compile(rb"/\* patchgen: (?P<name>\w+) \*/")


def check_markers(patch: SemanticPatch) -> None:
    """Raise SpecError for a marker without a text, and for an unused text or definition."""
    for error in find_marker_faults(patch):
        raise error


def mend_markers(patch: SemanticPatch) -> SemanticPatch:
    """Return the semantic patch without the faults that `find_marker_faults` finds."""
    identifiers = read_header(patch.text).identifiers
    definitions = {name: text for name, text in patch.definitions.items() if name in identifiers}
    texts = {match["name"]: "0" for match in _MARKER.finditer(patch.text)}
    return replace(patch, definitions=definitions, texts=texts)


def find_marker_faults(patch: SemanticPatch) -> Iterator[SpecError]:
    """Yield an error for each marker without a text, and for each unused text or definition.

    spatch does not report a definition without an `identifier virtual.NAME`.
    """
    used = set()
    for number, line in enumerate(patch.text.split("\n"), 1):
        for match in _MARKER.finditer(line):
            used.add(match["name"])
            if match["name"] not in patch.texts:
                yield SpecError(
                    f"no text is declared for the marker {match['name']}",
                    code="marker-mismatch",
                    place=patch.place(number, match.start() + 1),
                    hint=f'add `text = {{ {match["name"]} = "FILE" }}` to the manifest',
                )
    identifiers = read_header(patch.text).identifiers
    for name in patch.definitions:
        if name not in identifiers:
            yield SpecError(
                f"has no virtual identifier {name}",
                code="definition-unknown",
                place=patch.file_place,
                hint=f"declare it in the rule that uses it: identifier virtual.{name};",
            )
    for name in patch.texts:
        if name not in used:
            yield SpecError(
                f"has no marker for the text {name}",
                code="marker-mismatch",
                place=patch.file_place,
                hint=f"put `+/* patchgen: {name} */` where the text belongs",
            )


def describe_texts(patch: SemanticPatch) -> str:
    """Return the SmPL for readers, with the number of lines of each text in place of its marker.

    These are comments, which spatch accepts like the markers. The lines for programs, such as
    `// Needs:`, are left out.
    """

    def comment(match: re.Match[str]) -> str:
        text = patch.texts.get(match["name"])
        if text is None:
            return match.group()
        lines = text.removesuffix("\n").count("\n") + 1
        return f"/* {match['name']}: {count(lines, 'line')} of template text */"

    return _MARKER.sub(comment, remove_fields(patch.text))


def fill_markers(content: bytes, patch: SemanticPatch) -> tuple[bytes, frozenset[int]]:
    """Replace the markers in a file; return it, and the numbers, from 0, of its replaced lines.

    The indentation of a marker alone on its line is kept.
    """
    if not patch.texts:
        return content, frozenset()

    def inline(match: re.Match[bytes]) -> bytes:
        text = patch.texts.get(match["name"].decode())
        return match.group() if text is None else text.strip("\n").encode()

    lines: list[bytes] = []
    replaced: set[int] = set()
    for line in content.split(b"\n"):
        match = _MARKER_LINE.fullmatch(line)
        text = patch.texts.get(match["name"].decode()) if match else None
        filled = line if match is None or text is None else _indent(text, match["indent"])
        new = _MARKER_INLINE.sub(inline, filled).split(b"\n")
        if new != [line]:
            replaced.update(range(len(lines), len(lines) + len(new)))
        lines += new
    return b"\n".join(lines), frozenset(replaced)


def _indent(text: str, indent: bytes) -> bytes:
    """Indent the lines of a text, except empty ones and preprocessor lines."""
    lines = text.removesuffix("\n").encode().split(b"\n")
    return b"\n".join(
        line if not line or line.startswith(b"#") else indent + line for line in lines
    )
