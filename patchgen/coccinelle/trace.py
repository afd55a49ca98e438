"""Read what spatch says with --debug: which rules matched where, and what it could not parse.

The form, the same in 1.1.1 and 1.3.1 (stdout and stderr of the run merged):

    -----------------------------------------------------------------------
    RULE =
    -----------------------------------------------------------------------
    binding in = [...]
                   with rule_elem: ...            once for each node that is changed
         binding out = [RULE.p --> poss[(a.c,f,((9,0),(14,1)),(12,1),(12,4))]]

A rule without a name is called `rule starting on line N`. In `poss`, lines count from 1: file,
enclosing element, its extent, and the beginning and end of the token. What cannot be parsed:

    badcount: 2
    bad: static inline long f(void)
    BAD:!!!!! asm(...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from patchgen.coccinelle.structure import Rule
from patchgen.coccinelle.witness import TWIN
from patchgen.ctokens import blank_directives, find_functions
from patchgen.model.outcome import RuleHits, Site, UnparsedFunction

_SECTION = re.compile(r"^(?P<rule>[A-Za-z_]\w*|rule starting on line \d+) = *$")
_POSS = re.compile(r"(?P<rule>\w+)\.(?P<name>\w+) --> poss\[(?P<items>.*?)\](?=\]|;|,\s|$)")
_ITEM = re.compile(
    r"\([^()]*,(?P<function>[^,()]*),"
    r"\(\(\d+, ?\d+\), ?\(\d+, ?\d+\)\), ?\((?P<line>\d+), ?(?P<column>\d+)\), ?\(\d+, ?\d+\)\)"
)
_BAD = re.compile(r"^(?:bad: |BAD:!!!!! )(?P<line>.*)$")
_TOPLEVEL = "something_else"


@dataclass(slots=True)
class _Section:
    """What the trace says of one rule."""

    bindings: int = 0
    changed_nodes: int = 0
    positions: Mapping[tuple[int, int], str] | None = None


def read_hits(output: str, rules: Iterable[Rule], path: PurePosixPath) -> tuple[RuleHits, ...]:
    """Return for each named rule how often it matched and where.

    A rule with a position has a hit for each distinct place of it. One without has a hit for each
    node that it changed or, where it changes nothing, for each binding that it made.
    """
    sections = _read_sections(output)
    hits = []
    for rule in rules:
        if rule.name is None or rule.is_script:
            continue
        seen = sections.get((TWIN if rule.modifies else "") + rule.name)
        if rule.positions and seen is not None:
            found = seen.positions or {}
            sites = tuple(
                Site(path, line, None if function == _TOPLEVEL else function)
                for (line, _), function in sorted(found.items())
            )
            hits.append(RuleHits(rule.name, len(sites), sites))
        else:
            own = sections.get(rule.name, _Section())
            hits.append(RuleHits(rule.name, own.changed_nodes if rule.modifies else own.bindings))
    return tuple(hits)


def _read_sections(output: str) -> dict[str, _Section]:
    sections: dict[str, _Section] = {}
    current = _Section()
    for line in output.splitlines():
        if header := _SECTION.match(line):
            # spatch goes through all rules once for each function group; counts add up.
            current = sections.setdefault(header["rule"], _Section())
        elif "with rule_elem:" in line:
            current.changed_nodes += 1
        elif line.lstrip().startswith("binding out ="):
            current.bindings += 1
            places = dict(current.positions or {})
            for poss in _POSS.finditer(line):
                for item in _ITEM.finditer(poss["items"]):
                    places[int(item["line"]), int(item["column"])] = item["function"]
            current.positions = places
    return sections


def read_unparsed(output: str, source: bytes, path: PurePosixPath) -> tuple[UnparsedFunction, ...]:
    """Return the functions in the stretches of the file that spatch called bad.

    A stretch without a function in it (macros, say) is one entry without a name.
    """
    stretches = _bad_stretches(output)
    if not stretches:
        return ()
    lines = source.decode("latin-1").split("\n")
    # A stretch can begin in the middle of a continued #define, so blank those in the whole file.
    code = blank_directives(source).split(b"\n")
    unparsed: list[UnparsedFunction] = []
    searched = 0
    for stretch in stretches:
        start = _locate(stretch, lines, searched)
        searched = max(searched, start)
        functions = find_functions(b"\n".join(code[start : start + len(stretch)]))
        if functions:
            unparsed += [UnparsedFunction(path, start + line, name) for name, line in functions]
        else:
            unparsed.append(UnparsedFunction(path, start + 1))
    return tuple(unparsed)


def _bad_stretches(output: str) -> list[list[str]]:
    stretches: list[list[str]] = []
    in_stretch = False
    for line in output.splitlines():
        bad = _BAD.match(line)
        if bad and not in_stretch:
            stretches.append([])
        if bad:
            stretches[-1].append(bad["line"])
        in_stretch = bool(bad)
    return stretches


def _locate(stretch: Sequence[str], lines: Sequence[str], start: int) -> int:
    """Return the index where a stretch stands in the file; where it is not found, `start`."""
    wanted = [line.rstrip() for line in stretch]
    for index in range(start, len(lines) - len(wanted) + 1):
        if all(lines[index + k].rstrip() == line for k, line in enumerate(wanted)):
            return index
    return start
