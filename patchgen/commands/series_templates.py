# SPDX-License-Identifier: GPL-2.0-or-later
"""The templates of a variant's messages and cover letter, and which of them made a series."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from patchgen.errors import ErrorPlace, PatchgenError, SpecError
from patchgen.odb import Repository
from patchgen.pipeline.variant_places import find_recorded_variant
from patchgen.resources import shipped_folder
from patchgen.series import (
    COVER_LETTER,
    PLACEHOLDER,
    SeriesBranch,
    describe_placeholders,
    is_generated_cover,
    name_message,
)
from patchgen.sourcefolder import SourceFolder
from patchgen.spec import Variant, find_variant, list_named, load_variant
from patchgen.spec.files import find_file

# In place of the name of a patch.
COVER = ""
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Template:
    """The template of a patch's message, or of the cover letter (`patch` is COVER)."""

    patch: str
    path: Path
    content: bytes


def list_templates(variant: Variant) -> Iterator[Template]:
    """Yield the templates of the messages, in the order of the patches, then the cover letter's."""
    shared = SourceFolder(shipped_folder("templates"))
    for unit in variant.units:
        folders = tuple(dict.fromkeys((unit.source, variant.source, shared)))
        for index, patch in enumerate(unit.manifest.patch):
            found = find_file(unit, patch.message, folders, "patch", index, "message")
            yield Template(patch.name, *found)
    main = variant.units[0]
    cover = variant.manifest.variant.cover
    yield Template(COVER, *find_file(main, cover, (variant.source, shared), "variant", "cover"))


def find_placeholders(folder: Path) -> Iterator[SpecError]:
    """Yield the first placeholder in each template of a variant.

    A comment of a template is not in the mails.
    """
    for template in list_templates(load_variant(folder)):
        text = _COMMENT.sub(_keep_lines, template.content.decode("utf-8", "replace"))
        before, mark, _ = text.partition(PLACEHOLDER)
        if mark:
            line = before.count("\n") + 1
            excerpt = text.splitlines()[line - 1]
            is_cover = template.patch == COVER
            text_name = COVER_LETTER if is_cover else name_message(template.patch)
            yield SpecError(
                describe_placeholders([text_name]),
                code="placeholder",
                place=ErrorPlace(str(template.path), line, excerpt=excerpt),
            )


def _keep_lines(comment: re.Match[str]) -> str:
    return "\n" * comment[0].count("\n")


def is_own(series: SeriesBranch) -> bool:
    """Return whether a variant of the user's own made a series, not one that comes with patchgen.

    A series of `patchgen run` has no variant.
    """
    if series.record is None or series.record.split:
        return False
    folder = shipped_folder("semantic-patches")
    name = series.record.variant
    return not any(each.name == name and each.path.parent == folder for each in list_named())


def find_templates(tree: Path, series: SeriesBranch) -> Mapping[str, Path]:
    """Return the templates of a series by patch; none if its variant is not found."""
    if series.record is None or series.tracking is None:
        return {}
    try:
        with closing(Repository(tree)) as repository:
            change_id, name = series.tracking.change_id, series.record.variant
            place = find_recorded_variant(repository, change_id, name)
        templates = list_templates(find_variant(place.name))
        return {template.patch: template.path for template in templates}
    except PatchgenError:
        return {}


def find_cover_template(tree: Path, series: SeriesBranch) -> Path | None:
    """Return the template of a cover letter, if a variant of the user's own made it as it is."""
    if series.record is None or series.cover is None or not is_own(series):
        return None
    if not is_generated_cover(series.cover, series.record):
        return None
    return find_templates(tree, series).get(COVER)
