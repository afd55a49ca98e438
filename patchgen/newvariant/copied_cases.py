# SPDX-License-Identifier: GPL-2.0-or-later
"""Copy the golden cases of a semantic patch, under names that belong to its variant's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from patchgen.newvariant.rule import choose_name
from patchgen.sweep import GoldenCase, find_cases, find_stem, has_cases

_SUFFIXES = (".c", ".h")


def copy_cases(cocci: Path, name: str) -> dict[str, bytes]:
    """Return the golden cases of a semantic patch, their results and headers, by their new paths.

    A case is named after the new semantic patch, `name`, so that it still belongs to it if the
    variant gets another one. A header that a case includes keeps its name, too.

    Raises SpecError for cases that could belong to another semantic patch of the folder.
    """
    if not has_cases(cocci):
        return {}
    cases = find_cases(cocci, _SUFFIXES)
    old = find_stem(cocci)
    used: dict[Path, set[str]] = {}
    copied: dict[str, bytes] = {}
    for case in cases:
        folder = Path(case.name).parent
        stem = choose_name(_rename(case, old, name), used.setdefault(folder, set()), "-")
        copied[str(folder / f"{stem}{case.file.suffix}")] = case.file.read_bytes()
        if case.result is not None and case.result.is_file():
            copied[str(folder / f"{stem}{case.result.suffix}")] = case.result.read_bytes()
    texts = list(copied.values())
    for path in _find_headers(cocci.parent, texts):
        copied.setdefault(str(path.relative_to(cocci.parent)), path.read_bytes())
    return copied


def _rename(case: GoldenCase, old: str, new: str) -> str:
    stem = case.file.stem
    if stem == old or stem.startswith(f"{old}-"):
        return new + stem.removeprefix(old)
    return f"{new}-{stem}"


def _find_headers(folder: Path, texts: Sequence[bytes]) -> Iterator[Path]:
    """Yield the headers next to the cases that these or other headers name."""
    headers = {path: path.read_bytes() for path in (*folder.glob("*.h"), *folder.glob("ok/*.h"))}
    everything = b"\n".join((*texts, *headers.values()))
    yield from (path for path in headers if path.name.encode() in everything)
