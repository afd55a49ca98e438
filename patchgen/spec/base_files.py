# SPDX-License-Identifier: GPL-2.0-or-later
"""List the files of the base that a variant reads, from its manifests alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from patchgen.spec.variant import ManifestFile


def list_sources(units: Sequence[ManifestFile]) -> list[str]:
    """Return the paths and globs that manifests name, each once.

    The list may contain files that a plan does not read, but misses none.
    """
    return list(dict.fromkeys(path for unit in units for path in _sources_of(unit)))


def _sources_of(unit: ManifestFile) -> Iterator[str]:
    manifest = unit.manifest
    for fact in (*manifest.facts.values(), *manifest.needs):
        yield from fact.file
    for cite in manifest.cites:
        yield from cite.file
    for patch in manifest.patch:
        for probe in patch.probe:
            yield from probe.file
        for rules in patch.rules:
            yield from rules.on
        for lines in patch.lines:
            yield lines.file
