# SPDX-License-Identifier: GPL-2.0-or-later
"""Search a base for facts, as sequences of C tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from patchgen.ctokens import find_sequence, tokenize
from patchgen.errors import RefusedError
from patchgen.model.base import Base, TreeReader
from patchgen.model.outcome import Site
from patchgen.spec.manifest import Fact
from patchgen.spec.manifest_errors import refuse_fact, refuse_second
from patchgen.spec.variant import ManifestFile

# For each fact, where it holds (None if it does not), or whether it holds.
Facts = Mapping[str, Site | None] | Mapping[str, bool]
_NAMED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def find_fact(
    fact: Fact, tree: TreeReader, values: Mapping[str, object] | None = None
) -> Site | None:
    """Return where the base has the tokens of a fact, or None.

    A token `{name}` is replaced by the value of that variable.
    """
    tokens = [token.text for token in tokenize(fill_in(fact.tokens, values or {}).encode())]
    for file in tree.find(fact.file):
        line = find_sequence(tree.read(file), tokens)
        if line is not None:
            return Site(file.path, line)
    return None


def fill_in(text: str, values: Mapping[str, object]) -> str:
    """Return a text with `{name}` replaced by the value of that variable.

    A `{name}` in a value is not replaced: values that name each other would never end.
    """
    return _NAMED.sub(lambda m: str(values[m[1]]) if m[1] in values else m[0], text)


def find_facts(units: Sequence[ManifestFile], tree: TreeReader) -> dict[str, Site | None]:
    """Return where each declared fact holds, or None. All units share one namespace of facts."""
    declared: dict[str, Fact] = {}
    for unit in units:
        for name, fact in unit.manifest.facts.items():
            if declared.setdefault(name, fact) != fact:
                raise refuse_second(unit, "facts", name)
    return {name: find_fact(fact, tree) for name, fact in declared.items()}


def holds(when: Sequence[str], facts: Facts, unit: ManifestFile, *where: str | int) -> bool:
    """Return whether all conditions hold: the name of a fact, or `!name` for its opposite.

    Raises SpecError for an unknown fact; `where` are the keys of the conditions in the manifest, as
    for ManifestFile.place().
    """
    for condition in when:
        name = condition.removeprefix("!")
        if name not in facts:
            raise refuse_fact(unit, condition, facts, *where)
        if bool(facts[name]) == condition.startswith("!"):
            return False
    return True


def assume_facts(conditions: Sequence[str]) -> dict[str, bool]:
    """Return the facts that conditions name, with the values for which all conditions hold."""
    return {text.removeprefix("!"): not text.startswith("!") for text in conditions}


def find_unmet_needs(
    unit: ManifestFile, facts: Facts, tree: TreeReader, values: Mapping[str, object]
) -> tuple[str, ...]:
    """Return one line for each need of a manifest that the base does not meet."""
    return tuple(
        f"{' or '.join(need.file)} {'has' if need.absent else 'lacks'} "
        f"`{fill_in(need.tokens, values)}`: {need.reason}"
        for index, need in enumerate(unit.manifest.needs)
        if holds(need.when, facts, unit, "needs", index, "when")
        and (find_fact(need, tree, values) is None) != need.absent
    )


def refuse_base(base: Base, unmet_needs: Sequence[str]) -> RefusedError:
    """Return the error for a base that does not meet needs (the lines of `find_unmet_needs`)."""
    kernel = "" if base.version else " is not a kernel tree (no VERSION in its top Makefile) and"
    return RefusedError(
        f"the base {base.describe}{kernel} does not meet the needs of the variant:\n"
        + "\n".join(f"  {line}" for line in unmet_needs),
        code="base-lacks-needs",
        hint="`patchgen show VARIANT` lists the needs; "
        + ("name a base that meets them" if base.version else "name a kernel tree, or a base"),
        parameters=("base",) if base.version else ("tree", "base"),
    )
