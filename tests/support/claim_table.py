# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/data/claims.toml: the evidence for each sentence of the texts that go to LKML."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from patchgen.audit.result import Form, Platform
from patchgen.audit.tables import load_tables
from patchgen.coccinelle import Header
from patchgen.model.base import TreeReader
from patchgen.spec.backends import find_left_out
from patchgen.spec.manifest import Fact, PatchEntry
from patchgen.spec.probe import find_fact, find_facts, find_unmet_needs
from patchgen.spec.variant import ManifestFile, Variant
from tests.support import TOP
from tests.support.text_claims import Use, load_variants, read_recipes

FILE = TOP / "tests/data/claims.toml"
# Kinds of evidence that need nothing in a base.
_KINDS = frozenset({"change", "reason", "computed"})
# Kinds that are looked up in the literals of each use of the sentence.
_LITERAL = r"(?:fact !?\w+|!?needs .+|!?patch [\w-]+|!?backend \w+)"
_IMPLIED = re.compile(rf"{_LITERAL}(?: or {_LITERAL})*")


@dataclass(frozen=True)
class Source:
    """C tokens (any of several) in a file of every base with the sentence, or a document.

    The tokens of a document are in a file of each kernel of the tests, which need not be the base.
    `about` are tokens of the code that the sentence describes; a base without them is not checked.
    """

    document: str = ""
    file: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    absent: bool = False
    about: str = ""


@dataclass(frozen=True)
class Claims:
    """The whole table: the evidence of each sentence by template and text, and the sources."""

    evidence: Mapping[tuple[str, str], tuple[str, ...]]
    sources: Mapping[str, Source] = field(default_factory=dict)


def load_claims(path: Path = FILE) -> Claims:
    """Return the table."""
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    sources = {name: Source(**_listed(entry)) for name, entry in read.pop("sources", {}).items()}
    evidence = {
        (template, text): (given,) if isinstance(given, str) else tuple(given)
        for template, entries in read.items()
        for text, given in entries.items()
    }
    return Claims(evidence, sources)


def _listed(entry: Mapping[str, Any]) -> dict[str, Any]:
    lists = {key: entry[key] for key in ("file", "tokens") if key in entry}
    texts = {
        key: (value,) if isinstance(value, str) else tuple(value) for key, value in lists.items()
    }
    return {**entry, **texts}


def find_faults(claims: Claims, uses: Mapping[tuple[str, str], Sequence[Use]]) -> list[str]:
    """Return the faults of the table, as texts for its maintainer."""
    faults = [*_find_missing(claims, uses), *_find_stale(claims, uses), *_find_unused(claims)]
    for key, evidence in claims.evidence.items():
        template, text = key
        for fault in _check(claims, text, evidence, uses.get(key, ())):
            faults.append(f"{template}:\n  {text}\n  {fault}")
    return faults


def _find_missing(claims: Claims, uses: Mapping[tuple[str, str], Sequence[Use]]) -> Iterator[str]:
    missing: dict[str, list[str]] = {}
    for template, text in uses:
        if (template, text) not in claims.evidence:
            missing.setdefault(template, []).append(text)
    for template, texts in missing.items():
        lines = "\n".join(f"{json.dumps(text, ensure_ascii=False)} = []" for text in texts)
        yield (
            "sentences without an entry; add them to tests/data/claims.toml, with what makes them "
            f'true between the brackets (the head of that file lists the kinds):\n["{template}"]\n'
            f"{lines}"
        )


def _find_stale(claims: Claims, uses: Mapping[tuple[str, str], object]) -> Iterator[str]:
    for template, text in claims.evidence:
        if (template, text) not in uses:
            yield f"{template} no longer has this sentence; delete its entry:\n  {text}"


def _find_unused(claims: Claims) -> Iterator[str]:
    cited = {source_of(item)[0] for items in claims.evidence.values() for item in items}
    for name in claims.sources:
        if name not in cited:
            yield f"no sentence cites the source {name}; delete it"


def _check(
    claims: Claims, text: str, evidence: Sequence[str], uses: Iterable[Use]
) -> Iterator[str]:
    if not evidence:
        yield "the entry is empty: put in what makes the sentence true"
    for item in evidence:
        yield from _check_item(claims, item, uses)
    exceptions = set(re.findall(r"#(?:UD|VE|VC|GP)\b", text))
    if exceptions and not any(item.startswith("source ") for item in evidence):
        cited = {effect_of(item) for item in evidence if item.startswith("effect ")}
        for missing in sorted(exceptions - cited):
            yield f"{missing} is in no cell of tables.toml that the entry cites"


def _check_item(claims: Claims, item: str, uses: Iterable[Use]) -> Iterator[str]:
    if item in _KINDS:
        return
    if item.startswith("effect "):
        if effect_of(item) is None:
            yield f"unknown {item!r}: expected `effect FORM PLATFORM` as in tables.toml"
    elif item.startswith("source "):
        if source_of(item)[0] not in claims.sources:
            yield f"[sources] has no entry for {item!r}"
    elif _IMPLIED.fullmatch(item):
        literals = frozenset(part.removeprefix("fact ") for part in item.split(" or "))
        for use in uses:
            if not literals & use.literals and not any(
                clause <= literals for clause in use.clauses
            ):
                yield (
                    f"{use.variant}, {use.patch}: it is rendered where {item!r} need not hold; "
                    "guard it in its template (or by `when` or [[needs]] of the manifest), or "
                    "write it so that it is true there, too"
                )
    else:
        yield f"{item!r} is not a kind of evidence"


def effect_of(item: str) -> str | None:
    """Return the exception of a cell that is cited as `effect FORM PLATFORM`; None for no cell."""
    form, _, platform = item.removeprefix("effect ").partition(" ")
    try:
        return load_tables().effects[Form(form)][Platform(platform)].exception
    except (KeyError, ValueError):
        return None


def source_of(item: str) -> tuple[str, str]:
    """Return the names in `source NAME or patch NAME`; the patch is "" for none."""
    name, _, patch = item.removeprefix("source ").partition(" or patch ")
    return (name, patch) if item.startswith("source ") else ("", "")


# --- sources in a base --------------------------------------------------------------------------

# The rules of these patches find something only where the fact holds.
_OPTIONAL = {"whole-pages": "kvm_walks_e820", "direct": "kvm_installs"}


def find_untrue(
    claims: Claims, uses: Mapping[tuple[str, str], Sequence[Use]], tree: TreeReader
) -> list[str]:
    """Return each sentence that can be rendered for a base without one of its sources."""
    possible: dict[str, _Possible | _PossibleRecipe] = {
        variant.name: _Possible(variant, tree) for variant in load_variants()
    }
    for path, header in read_recipes().items():
        possible[path.stem] = _PossibleRecipe(header, tree)
    absent = {
        name
        for name, source in claims.sources.items()
        if source.file and not source.document and _is_untrue(source, tree)
    }
    return [
        f"{template}, in {use.variant}, {use.patch}: {item} does not hold\n  {text}"
        for (template, text), evidence in claims.evidence.items()
        for item in evidence
        for use in uses.get((template, text), ())
        if source_of(item)[0] in absent
        and use.variant in possible
        and possible[use.variant].has(use)
        and not possible[use.variant].makes(source_of(item)[1])
    ]


def find_lost_documents(claims: Claims, tree: TreeReader) -> list[str]:
    """Return the sources whose document a kernel no longer has, or has without the tokens."""
    return [
        name
        for name, source in claims.sources.items()
        if source.document and source.file and not _has_source(source, tree)
    ]


def find_undecided(claims: Claims, trees: Sequence[TreeReader]) -> list[str]:
    """Return the sources about something that none of the trees has."""
    return [
        name
        for name, source in claims.sources.items()
        if source.about and not any(_has(source.file, (source.about,), tree) for tree in trees)
    ]


def _is_untrue(source: Source, tree: TreeReader) -> bool:
    if source.about and not _has(source.file, (source.about,), tree):
        return False
    return _has_source(source, tree) == source.absent


def _has_source(source: Source, tree: TreeReader) -> bool:
    return _has(source.file, source.tokens, tree)


def _has(files: tuple[str, ...], alternatives: Iterable[str], tree: TreeReader) -> bool:
    facts = (Fact(file=files, tokens=tokens) for tokens in alternatives)
    return any(find_fact(fact, tree) is not None for fact in facts)


class _PossibleRecipe:
    """Whether a recipe can be run on a base: only where its needs are met."""

    def __init__(self, header: Header, tree: TreeReader):
        self._is_met = all(_has((path,), (tokens,), tree) for path, tokens in header.needs)

    def has(self, _: Use) -> bool:
        """Return whether the text can be used."""
        return self._is_met

    def makes(self, _: str) -> bool:
        """Return whether a patch of that name can be in the series."""
        return False


class _Possible:
    """Which uses of sentences a variant can have on a base."""

    def __init__(self, variant: Variant, tree: TreeReader):
        self._tree = tree
        self._facts = find_facts(variant.units, tree)
        self._values = {
            name: value.default
            for unit in variant.units
            for name, value in unit.manifest.variables.items()
        }
        self._units = {unit.backend: self._can_have(unit) for unit in variant.units}
        self._patches = {
            patch.name: self._units[unit.backend] and self._can_make(patch)
            for unit in variant.units
            for patch in unit.manifest.patch
        }

    def has(self, use: Use) -> bool:
        """Return whether the use can be rendered."""
        return self._units[None] and all(self._can_be(literal) for literal in use.literals)

    def makes(self, patch: str) -> bool:
        """Return whether a patch of that name can be in the series."""
        return self._patches.get(patch, False)

    def _can_be(self, literal: str) -> bool:
        kind, _, name = literal.partition(" ")
        if not name:
            fact = literal.removeprefix("!")
            return fact not in self._facts or bool(self._facts[fact]) != literal.startswith("!")
        return {"patch": self._patches, "backend": self._units}.get(kind, {}).get(name, True)

    def _can_have(self, unit: ManifestFile) -> bool:
        left_out = find_left_out(unit, self._facts)
        out = left_out is not None and not left_out.on_request
        return not out and not find_unmet_needs(unit, self._facts, self._tree, self._values)

    def _can_make(self, patch: PatchEntry) -> bool:
        optional = _OPTIONAL[patch.name] if patch.optional else None
        if optional is not None and not self._facts.get(optional):
            return False
        present = all(find_fact(probe, self._tree, self._values) for probe in patch.probe)
        return not present and all(self._can_be(literal) for literal in patch.when)
