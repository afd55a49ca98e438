# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a new variant, and its folder, which appears only when it is complete."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from patchgen.controls import escape_controls, has_controls
from patchgen.errors import RefusedError, UsageError
from patchgen.newvariant.rule import choose_name
from patchgen.resources import read_schema
from patchgen.scratch import owned_folder
from patchgen.spec.manifest import NAME_PATTERN

_SCHEMA = "manifest.schema.json"
_PREFIX = ".patchgen-new-"
_LONGEST_NAME = 40
# Lines that would end the message for `git am`.
_CUT = re.compile(r"^(?=---$|---\s|diff -|Index: )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class VariantDraft:
    """A variant's name, and its files by their paths in its folder."""

    name: str
    files: Mapping[str, str | bytes]


class StagedVariant:
    """A hidden folder with the files of a variant, next to its target."""

    def __init__(self, folder: Path, target: Path):
        self.folder = folder
        self._target = target

    def publish(self) -> None:
        """Give the folder its name. Raises RefusedError if that path exists by now."""
        refuse_existing(self._target)
        try:
            self.folder.rename(self._target)
        except OSError as err:
            raise RefusedError(
                f"{self._target} cannot be written: {err.strerror}", code="file-unwritable"
            ) from None


@contextmanager
def staged_variant(target: Path, draft: VariantDraft) -> Iterator[StagedVariant]:
    """Yield a folder with the files of a variant; it is removed unless it is published.

    Raises RefusedError if it cannot be written.
    """
    try:
        with owned_folder(target.parent, _PREFIX) as owned:
            folder = owned.path / target.name
            for name, content in {_SCHEMA: read_schema("manifest"), **draft.files}.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
            yield StagedVariant(folder, target)
    except OSError as err:
        raise RefusedError(
            f"{target} cannot be written: {err.strerror}", code="file-unwritable"
        ) from None


def refuse_existing(target: Path) -> None:
    """Raise RefusedError if something exists at a path."""
    if os.path.lexists(target):
        raise RefusedError(
            f"{target} already exists", code="path-exists", hint="choose another name, or remove it"
        )


def check_name(name: str) -> str:
    """Return a name. Raises UsageError if it is not valid for a variant."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise UsageError(
            f"{name!r} is not a valid name for a variant",
            code="name-invalid",
            hint="use letters, digits, _ and -, and begin with a letter or _",
        )
    return name


def check_title(title: str) -> str:
    """Return a title. Raises UsageError if it cannot be the subject of a message."""
    if not title.strip():
        raise UsageError(
            "the subject is empty",
            code="text-without-subject",
            hint="give the subject",
            parameters=("title",),
        )
    if has_controls(title):
        raise UsageError(
            "the subject has several lines or control characters",
            code="control-characters",
            parameters=("title",),
            hint="give one line",
        )
    if _CUT.match(title):
        raise UsageError(
            f"`git am` would read the subject as the end of the message: {title}",
            code="message-cut",
            parameters=("title",),
            hint="give another one",
        )
    return title.strip()


def make_name(subject: str, used: Iterable[str]) -> str:
    """Return a name for a patch, made from its subject, that is not among the used ones."""
    words = re.findall(r"[a-z0-9]+", subject.rpartition(": ")[2].lower())
    name = "-".join(words)
    if len(name) > _LONGEST_NAME:
        name = name[: _LONGEST_NAME + 1].rpartition("-")[0] or name[:_LONGEST_NAME]
    stem = name if name[:1].isalpha() else f"patch-{name}".rstrip("-")
    return choose_name(stem, set(used), "-")


def format_manifest_head(name: str, title: str) -> str:
    """Return the first lines of a manifest."""
    return (
        f"#:schema ./{_SCHEMA}\n"
        "# Editors with a TOML language server complete and check this file by its schema.\n"
        "# `patchgen help write-a-variant` describes each key; `patchgen check` lists all errors.\n"
        "schema = 1\n\n"
        "[variant]\n"
        f"name = {quote(name)}\n"
        "# One line for `patchgen variants`.\n"
        f"title = {quote(title)}\n"
        "# The template of the cover letter.\n"
        'cover = "cover.txt.j2"\n'
    )


def clean_message(text: str) -> str:
    """Return a text without control characters and without lines that would end the message."""
    return _CUT.sub(" ", escape_controls(text, allow="\t\n"))


def quote(text: str) -> str:
    """Return a text as a TOML string on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def quote_list(texts: Sequence[str]) -> str:
    """Return texts as a TOML string, or as a list of several."""
    if len(texts) == 1:
        return quote(texts[0])
    return "[\n" + "".join(f"    {quote(text)},\n" for text in texts) + "]"


COVER_END = '{% include "cover-end.txt.j2" %}\n\n{% include "cover-base.txt.j2" %}\n'
PROVENANCE = '{% include "provenance.txt.j2" %}\n'
