# SPDX-License-Identifier: GPL-2.0-or-later
"""Warn of code that spatch could not parse, and in which a rule could have matched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from patchgen.coccinelle import RunnableSmpl, Spatch
from patchgen.model.outcome import UnparsedFunction
from patchgen.model.plan import PlannedPatch, RunRules
from patchgen.model.series import MadePatch


def warn_unparsed(
    spatch: Spatch, planned: Sequence[PlannedPatch], made: Sequence[MadePatch]
) -> tuple[str, ...]:
    """Return a warning for each place that has the words of a rule, but was not parsed.

    Nearly all code that spatch cannot parse has none of the words.
    """
    found: dict[UnparsedFunction, None] = {}
    for plan, result in zip(planned, made, strict=True):
        if result.unparsed:
            found |= dict.fromkeys(_find_relevant(spatch, plan, result.unparsed))
    places = dict.fromkeys(map(str, found))
    return tuple(f"spatch could not parse {place}; rules do not match there" for place in places)


def _find_relevant(
    spatch: Spatch, planned: PlannedPatch, unparsed: Sequence[UnparsedFunction]
) -> Iterator[UnparsedFunction]:
    """Yield the code in which a rule of a patch could have matched."""
    # Most series need neither this import nor spatch's answer.
    from patchgen.coccinelle import find_needs
    from patchgen.sweep.candidates import may_have_matched

    for edit in planned.edits:
        if isinstance(edit, RunRules):
            paths = {file.path for file in edit.files}
            places = [place for place in unparsed if place.path in paths]
            if places:
                program = RunnableSmpl(edit.patch, options=("--no-includes",))
                needs = find_needs(spatch, program)
                yield from (place for place in places if may_have_matched(needs, place.words))
