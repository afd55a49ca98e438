# SPDX-License-Identifier: GPL-2.0-or-later
"""Find and read the files that a manifest names, in the first folder that has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from patchgen.errors import ErrorPlace, SpecError
from patchgen.model.smpl import SourceLine, TemplateLine
from patchgen.sourcefolder import SourceFolder, decode_text, split_template
from patchgen.spec.manifest_errors import Manifest
from patchgen.spec.variant import Variant


def read_macros(variant: Variant, shared: SourceFolder) -> str:
    """Return the text of a variant's macro file, empty if the variant does not name one.

    `shared` is the folder of the templates that variants share. Raises SpecError as find_file().
    """
    name = variant.manifest.variant.macros
    if not name:
        return ""
    folders = (variant.source, shared)
    path, content = find_file(variant.units[0], name, folders, "variant", "macros")
    return decode_text(content, ErrorPlace(str(path)))


def find_file(
    manifest: Manifest, name: str, folders: Sequence[SourceFolder], *where: str | int
) -> tuple[Path, bytes]:
    """Return the path and content of a file that a manifest names.

    Raises SpecError if the file does not exist, or a variant may not read it.
    """
    try:
        for folder in folders:
            if (content := folder.read(name)) is not None:
                return folder.path / name, content
    except SpecError as err:
        raise SpecError(
            f"{err.place.file}: {err.message}" if err.place else err.message,
            code=err.code,
            place=manifest.place(*where),
            hint=err.hint,
        ) from None
    raise SpecError(
        f"the file {name} does not exist",
        code="file-missing",
        place=manifest.place(*where),
        hint="looked in " + ", ".join(str(folder.path) for folder in folders),
    )


def read_origin(
    places: Sequence[TemplateLine | None], folders: Sequence[SourceFolder]
) -> tuple[SourceLine | None, ...]:
    """Return each template line with its path and text."""
    sources: dict[str, tuple[str, list[str]] | None] = {}
    origin: list[SourceLine | None] = []
    for place in places:
        if place is not None and place.template not in sources:
            sources[place.template] = _read_lines(place.template, folders)
        source = sources[place.template] if place is not None else None
        if place is None or source is None:
            origin.append(None)
            continue
        path, lines = source
        text = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
        origin.append(SourceLine(path, place.line, text))
    return tuple(origin)


def _read_lines(template: str, folders: Sequence[SourceFolder]) -> tuple[str, list[str]] | None:
    for folder in folders:
        try:
            content = folder.read(template)
        except SpecError:
            # The rendered text names the template, so it can claim any path.
            return None
        if content is not None:
            path = str(folder.path / template)
            return path, split_template(content)
    return None
