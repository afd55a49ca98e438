# SPDX-License-Identifier: GPL-2.0-or-later
"""The compiled tables of tables.toml: facts about kernels that the C code does not show."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from patchgen.audit.result import EdgeKind, Effect, EffectOutcome, Form, Platform

_FILE = Path(__file__).with_name("tables.toml")
Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Registered:
    """A macro that registers a function for a member, a table or a static call."""

    macro: Pattern
    function: int
    how: EdgeKind
    type: str = ""
    member: str = ""
    table: str = ""
    call: int | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """A macro that gives a function other names, in which `{}` is its own.

    The named symbols call the function, and those in `also`.
    """

    macro: Pattern
    function: int
    names: tuple[str, ...]
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormRule:
    """How to recognise an instruction's form. `hypervisor` is "" if the place determines it."""

    form: Form
    asm: Pattern
    operands: Pattern | None
    hypervisor: str


@dataclass(frozen=True, slots=True)
class Status:
    """Patterns of code that changes the encryption status of pages or reports it."""

    masks: Pattern
    writes: Pattern
    reads: Pattern
    elsewhere: Pattern
    requests: Pattern
    shared: Pattern
    private: Pattern
    callbacks: Pattern
    constants: Pattern
    platforms: tuple[tuple[Pattern, tuple[Platform, ...]], ...]


@dataclass(frozen=True, slots=True)
class PlatformTest:
    """A term of a condition: where it is true (`true`), and where it may be either (`some`)."""

    pattern: Pattern
    true: frozenset[Platform]
    some: frozenset[Platform]


@dataclass(frozen=True, slots=True)
class Tables:
    """All tables. `digest` is that of the file that they were read from, for cache keys.

    `effects` are those of each form on each platform, before alternatives are patched.
    """

    digest: str
    sources: tuple[str, ...]
    headers: tuple[str, ...]
    without: Pattern
    entries: tuple[str, ...]
    spine_from: tuple[str, ...]
    end: tuple[str, ...]
    never: frozenset[str]
    deferred: Pattern
    wakes: Pattern
    aside: Pattern
    member: str
    member_calls: tuple[tuple[Pattern, str], ...]
    registered: tuple[Registered, ...]
    aliases: tuple[Alias, ...]
    stubs: Mapping[str, tuple[str, ...]]
    hardware: frozenset[str]
    forms: tuple[FormRule, ...]
    hypervisors: tuple[tuple[str, Pattern], ...]
    status: Status
    platform_tests: tuple[PlatformTest, ...]
    platform_words: Pattern
    platform_ignored: Pattern
    effects: Mapping[Form, Mapping[Platform, Effect]]


@cache
def load_tables() -> Tables:
    """Return the tables that patchgen ships."""
    content = _FILE.read_bytes()
    read = tomllib.loads(content.decode())
    tree, window = read["tree"], read["window"]
    return Tables(
        digest=hashlib.sha256(content).hexdigest(),
        sources=tuple(tree["sources"]),
        headers=tuple(tree["headers"]),
        without=re.compile(f"(?:{'|'.join(tree['without'])})(?:/.*)?"),
        entries=tuple(window["entries"]),
        spine_from=tuple(window["spine_from"]),
        end=tuple(window["end"]),
        never=frozenset(window["never"]),
        deferred=re.compile("|".join(window["deferred"])),
        aside=re.compile(window["aside"]),
        wakes=re.compile(window["wakes"]),
        member=read["notify"]["member"],
        member_calls=tuple((re.compile(e["macro"]), e["root"]) for e in read["member_call"]),
        registered=tuple(_registered(each) for each in read["registered"]),
        aliases=tuple(
            Alias(
                re.compile(each["macro"]),
                each["function"],
                tuple(each["names"]),
                tuple(each.get("also", ())),
            )
            for each in read["alias"]
        ),
        stubs={each["word"]: tuple(each["functions"]) for each in read["stub"]},
        hardware=frozenset(each["type"] for each in read["hardware"]),
        forms=tuple(_form(each) for each in read["form"]),
        hypervisors=tuple((e["name"], re.compile(e["found"])) for e in read["hypervisor"]),
        status=_status(read["status"]),
        platform_tests=tuple(_platform_test(each) for each in read["platforms"]["test"]),
        platform_words=re.compile(read["platforms"]["words"]),
        platform_ignored=re.compile(read["platforms"]["ignored"]),
        effects=_effects(read["effect"]),
    )


def _registered(entry: dict[str, Any]) -> Registered:
    rest = {key: entry[key] for key in ("type", "member", "table", "call") if key in entry}
    return Registered(re.compile(entry["macro"]), entry["function"], EdgeKind(entry["how"]), **rest)


def _form(entry: dict[str, Any]) -> FormRule:
    operands = re.compile(entry["operands"]) if "operands" in entry else None
    return FormRule(
        Form(entry["form"]), re.compile(entry["asm"]), operands, entry.get("hypervisor", "")
    )


def _platform_test(entry: dict[str, Any]) -> PlatformTest:
    true, some = (frozenset(map(Platform, entry.get(key, ()))) for key in ("true", "some"))
    return PlatformTest(re.compile(entry["test"]), true, some)


def _status(table: dict[str, Any]) -> Status:
    patterns = {key: re.compile(value) for key, value in table.items() if isinstance(value, str)}
    platforms = tuple(
        (re.compile(pattern), tuple(Platform(each) for each in names))
        for pattern, names in table["platforms"].items()
    )
    return Status(**patterns, platforms=platforms)


def _effects(table: dict[str, Any]) -> Mapping[Form, Mapping[Platform, Effect]]:
    """Return the effects by form.

    Form.ALTERNATIVE has those of VMCALL: KVM_HYPERCALL is VMCALL until apply_alternatives() runs
    (arch/x86/include/asm/kvm_para.h).
    """
    effects = {
        Form(form): {Platform(name): _effect(cell) for name, cell in cells.items()}
        for form, cells in table.items()
    }
    return {**effects, Form.ALTERNATIVE: effects[Form.VMCALL]}


def _effect(cell: dict[str, str]) -> Effect:
    return Effect(
        EffectOutcome(cell["outcome"]), cell["reason"], cell.get("exception", ""), cell["source"]
    )
