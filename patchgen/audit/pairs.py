# SPDX-License-Identifier: GPL-2.0-or-later
"""Pair the sites of two audits, though lines, functions and files may differ.

A site is recognised by its file, its function, its call and the pages or the number that it passes.
The remaining sites are paired if all but one of these agree; sites in different functions are
paired only if one of the two functions calls the other in that file.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from patchgen.audit.result import Hypercall, OpCall, StatusChange

Site = TypeVar("Site", Hypercall, StatusChange)
_Key = Callable[[Hypercall | StatusChange], Hashable]


@dataclass(frozen=True, slots=True)
class Pair(Generic[Site]):
    """A site before and after, None if it does not exist; `moved` is the difference, or ""."""

    before: Site | None
    after: Site | None
    moved: str = ""


def pair_sites(before: Sequence[Site], after: Sequence[Site]) -> list[Pair[Site]]:
    """Return all sites of either side, sorted by name."""
    old, new = list(before), list(after)
    pairs = [Pair(a, b) for a, b in _take(old, new, _whole, _always)]
    pairs += [
        Pair(a, b, f"it called {a.call}()" if a.call else "it was another instruction")
        for a, b in _take(old, new, _without_call, _always)
    ]
    pairs += [
        Pair(a, b, f"it was in {a.place.path}") for a, b in _take(old, new, _elsewhere, _always)
    ]
    pairs += [
        Pair(a, b, f"it was in {a.function}()") for a, b in _take(old, new, _in_file, _are_related)
    ]
    pairs += [Pair(each, None) for each in old]
    pairs += [Pair(None, each) for each in new]
    return sorted(pairs, key=_order)


def find_op_calls(calls: Sequence[OpCall], site: Hypercall) -> list[OpCall]:
    """Return the early calls of the op by a site's function, directly or through its file."""
    return [
        each
        for each in calls
        if each.early
        and each.place.path == site.place.path
        and site.function in (each.function, *each.within)
    ]


def _take(
    old: list[Site], new: list[Site], key: _Key, fits: Callable[[Site, Site], bool]
) -> Iterator[tuple[Site, Site]]:
    """Remove the sites of equal key from both lists, and yield them as pairs."""
    waiting: dict[Hashable, list[Site]] = {}
    for each in new:
        waiting.setdefault(key(each), []).append(each)
    for each in list(old):
        name = key(each)
        found = next((o for o in waiting.get(name, ()) if name and fits(each, o)), None)
        if found is not None:
            waiting[name].remove(found)
            old.remove(each)
            new.remove(found)
            yield each, found


def _argument(site: Hypercall | StatusChange) -> str:
    return site.purpose if isinstance(site, Hypercall) else site.pages


def _form(site: Hypercall | StatusChange) -> str:
    return site.instruction.form.value if isinstance(site, Hypercall) else ""


def _whole(site: Hypercall | StatusChange) -> Hashable:
    call = site.call if isinstance(site, Hypercall) else ""
    return site.place.path, site.function, call, _argument(site), _form(site)


def _without_call(site: Hypercall | StatusChange) -> Hashable:
    argument = _argument(site)
    return (site.place.path, site.function, argument) if argument else None


def _elsewhere(site: Hypercall | StatusChange) -> Hashable:
    return site.function, site.call, _argument(site), _form(site)


def _in_file(site: Hypercall | StatusChange) -> Hashable:
    return site.place.path, site.call, _argument(site), _form(site)


def _always(before: object, after: object) -> bool:
    return True


def _are_related(before: Site, after: Site) -> bool:
    """Return whether one of the functions of two sites calls the other, in either audit."""
    return before.function in after.within or after.function in before.within


def _order(pair: Pair[Site]) -> tuple[str, str, str, int]:
    site = pair.after or pair.before
    if site is None:
        return ("", "", "", 0)
    return (site.place.path, site.function, site.call + _argument(site), site.place.line)
