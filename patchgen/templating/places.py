# SPDX-License-Identifier: GPL-2.0-or-later
"""The places of errors in templates, and the error for a variable that nobody sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from patchgen.errors import ErrorPlace, SpecError, suggest_name
from patchgen.sourcefolder import SourceFolder, split_template

_LONGEST_EXCERPT = 500


def place_in_template(
    template: str, folders: Sequence[SourceFolder], line: int | None = None
) -> ErrorPlace:
    """Return the place of a template, found in the first folder that has it, or of its line."""
    for folder in folders:
        try:
            content = folder.read(template)
        except SpecError:
            content = None
        if content is not None:
            lines = split_template(content)
            has_line = line is not None and 0 < line <= len(lines)
            excerpt = lines[line - 1][:_LONGEST_EXCERPT] if line and has_line else None
            return ErrorPlace(str(folder.path / template), line, excerpt=excerpt)
    return ErrorPlace(template, line)


def refuse_undefined(name: str, names: Iterable[str], place: ErrorPlace) -> SpecError:
    """Return the error for an undefined variable; `names` are those that the template gets."""
    return SpecError(
        f"template: {name!r} is undefined",
        code="template-failed",
        place=place,
        hint=suggest_name(name, sorted(names), "names"),
    )
