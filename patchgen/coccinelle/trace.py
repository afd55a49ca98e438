# SPDX-License-Identifier: GPL-2.0-or-later
"""Read spatch's --debug output: which rules matched where.

Its form, the same in 1.1.1 and 1.3.1 (stdout and stderr of the run merged):

    -----------------------------------------------------------------------
    RULE =
    -----------------------------------------------------------------------
    binding in = [...]
    binding relevant in = [RULE.p --> poss[(a.c,f,((9,0),(14,1)),(12,1),(12,4)), (...)]]
                   with rule_elem: ...            once for each node that is changed
         binding out = [...]                      once for each match, on several lines if long

The places of a rule are read from its witness, whose `binding relevant in` contains nothing else
and is a single line. In `poss`, lines count from 1: file, enclosing element, its extent, and the
beginning and end of the token. If an earlier rule changed a function, spatch parses it again from a
file of its own, cocci_small_output-*, whose line numbers are not those of the original file. A rule
without a name is called `rule starting on line N`, and one that spatch creates itself
`proto for RULE`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from patchgen.coccinelle.rules import Rule
from patchgen.coccinelle.witness import TWIN, WITNESS
from patchgen.model.outcome import RuleHits, Site

_SECTION = re.compile(r"^(?P<rule>[A-Za-z_]\w*|rule starting on line \d+|proto for [^=]*) = *$")
_WITNESSED = re.compile(r"^binding relevant in = \[\w+\.\w+ --> poss\[(?P<items>.*)\]\]$")
_POSITION = re.compile(r"\b(\w+)\.\w+ --> poss\[")
_ITEM = re.compile(
    r"\((?P<file>[^()]*?),(?P<element>[^,()]*),"
    r"\(\(\d+, ?\d+\), ?\(\d+, ?\d+\)\), ?\((?P<line>\d+), ?(?P<column>\d+)\), ?\(\d+, ?\d+\)\)"
)
_REPARSED = "cocci_small_output-"
# Elements at the top level that are not functions, for example the attribute after a struct.
_NO_FUNCTION = re.compile(r"something_else$|__\w+$")


@dataclass(slots=True)
class _Section:
    """The trace of one rule. `places` map (file, line, column) to the element there.

    With `has_positions`, its bindings have a position of its own, which a later rule uses.
    """

    bindings: int = 0
    changed_nodes: int = 0
    places: dict[tuple[str, int, int], str] = field(default_factory=dict)
    has_positions: bool = False


def read_hits(
    output: str, rules: Iterable[Rule], lines: Sequence[int | None], path: PurePosixPath
) -> tuple[RuleHits, ...]:
    """Return for each rule how often it matched and where.

    `lines[i]` is the line of the rules' text that line i+1 of the text that was run comes from. A
    rule without a name is called "line N" after its header.

    A rule with a position has one hit for each distinct place of it. A rule without has one hit for
    each node that it changed or, if it does not change code, for each binding that it made. A rule
    with `*` has one for each node that it marks, unless its bindings have a position. A place in a
    function that an earlier rule of the same semantic patch changed is a hit, but not a site.
    """
    sections = _read_sections(output)
    hits = []
    for rule in rules:
        if rule.is_script:
            continue
        # The rules that are added move a rule without a name, which spatch names by its line.
        traced = rule.name or f"rule starting on line {lines.index(rule.name_line) + 1}"
        own = sections.get(traced, _Section())
        matched = TWIN + traced if rule.modifies else traced
        witness = sections.get(WITNESS + matched, _Section())
        if rule.modifies and own.changed_nodes == 0:
            # The twin does not inherit metavariables that only `+` lines use, so it may match more.
            hits.append(RuleHits(rule.label, 0))
        elif rule.positions and WITNESS + matched in sections:
            places = sorted(witness.places.items())
            hits.append(RuleHits(rule.label, len(places), _sites(places, path)))
        elif rule.only_marks and not own.has_positions:
            hits.append(RuleHits(rule.label, own.changed_nodes, counts_marks=True))
        else:
            hits.append(RuleHits(rule.label, own.changed_nodes if rule.edits else own.bindings))
    return tuple(hits)


def _sites(
    places: Sequence[tuple[tuple[str, int, int], str]], path: PurePosixPath
) -> tuple[Site, ...]:
    return tuple(
        Site(path, line, None if _NO_FUNCTION.match(element) else element)
        for (file, line, _), element in places
        if _REPARSED not in file
    )


def _read_sections(output: str) -> dict[str, _Section]:
    sections: dict[str, _Section] = {}
    current = _Section()
    name = ""
    for line in output.split("\n"):
        if header := _SECTION.match(line):
            # spatch runs through all rules once for each group of functions; counts add up.
            name = header["rule"]
            current = sections.setdefault(name, _Section())
            continue
        if " --> poss[" in line:
            # A long binding has several lines.
            current.has_positions |= name in _POSITION.findall(line)
        if "with rule_elem:" in line:
            current.changed_nodes += 1
        elif line.lstrip().startswith("binding out ="):
            current.bindings += 1
        elif witnessed := _WITNESSED.match(line):
            for item in _ITEM.finditer(witnessed["items"]):
                key = (item["file"], int(item["line"]), int(item["column"]))
                current.places[key] = item["element"]
    return sections
