# SPDX-License-Identifier: GPL-2.0-or-later
"""The TOML values of a manifest, which may be wrong, and their places in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from patchgen.errors import ErrorPlace, SpecError
from patchgen.sourcefolder import SourceFolder
from patchgen.spec.manifest import FILE_NAME
from patchgen.spec.toml import locate, name_value

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class RawManifest:
    """A manifest's TOML values, and the folders in which its templates are looked up."""

    source: SourceFolder
    text: str
    data: Mapping[str, Any]
    folders: tuple[SourceFolder, ...]

    def error(self, code: str, message: str, where: Where, hint: str | None = None) -> SpecError:
        """Return an error at a value."""
        return SpecError(message, code=code, place=self.place(*where), hint=hint)

    def place(self, *where: str | int) -> ErrorPlace:
        """Return the place of a value."""
        path = str(self.source.path / FILE_NAME)
        return ErrorPlace(path, locate(self.text, where), field=name_value(where))

    def list_tables(self, *where: str | int) -> Iterator[tuple[Where, Mapping[str, Any]]]:
        """Yield the tables of a list, or the single table in its place, with their places."""
        value: Any = self.data
        for part in where:
            value = value.get(part) if isinstance(value, dict) and isinstance(part, str) else value
            if isinstance(part, int):
                value = value[part] if isinstance(value, list) and part < len(value) else value
        tables = value if isinstance(value, list) else [value]
        for index, table in enumerate(tables):
            if isinstance(table, dict):
                yield (*where, index), table


def list_conditions(table: Mapping[str, Any]) -> list[str]:
    """Return the conditions in `when`: names of facts, some with `!`."""
    value = table.get("when", ())
    conditions = value if isinstance(value, list) else [value]
    return [text for text in conditions if isinstance(text, str)]


def make_context(variables: Mapping[str, Any], facts: Mapping[str, bool]) -> dict[str, Any]:
    """Return values for the templates of semantic patches, as on a base where these facts hold."""
    tables = {name: table for name, table in variables.items() if isinstance(table, dict)}
    return {
        **{name: table.get("default", "") for name, table in tables.items()},
        "has": facts,
        "found_at": {name: "FILE:1" for name, holds in facts.items() if holds},
        "base": {"oid": "0" * 40, "describe": "BASE", "version": "0.0.0"},
        "tools": {"patchgen": "0", "spatch": "0", "git": "0"},
        "revision": 1,
        "backends": [],
        "audit_summary": "",
    }
