# SPDX-License-Identifier: GPL-2.0-or-later
"""The compiled tables of tables.toml: facts about kernels that the C code does not show."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from patchgen.audit.result import EdgeKind, Effect, Form, Platform

_FILE = Path(__file__).with_name("tables.toml")
Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Registered:
    """A macro that registers a function for a member, a table or a static call."""

    macro: Pattern
    function: int
    kind: EdgeKind
    type: str = ""
    member: str = ""
    table: str = ""
    call: int | None = None


@dataclass(frozen=True, slots=True)
class Alias:
    """A macro that gives a function other names, in which `{}` is its own.

    The named symbols call the function, and those in `extra_callees`.
    """

    macro: Pattern
    function: int
    names: tuple[str, ...]
    extra_callees: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChainFunctions:
    """The functions that register a notifier on a chain, and those that call a chain."""

    register: Pattern
    call: Pattern


@dataclass(frozen=True, slots=True)
class FormRule:
    """How to recognise an instruction's form. `hypervisor` is "" if the place determines it.

    `files` is found in the path of the instruction, None for all files. `name` is that of a form of
    a variant.
    """

    form: Form
    asm: Pattern
    operands: Pattern | None = None
    hypervisor: str = ""
    files: Pattern | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class CallRule:
    """The functions whose calls are sites of a variant's form."""

    name: str
    functions: Pattern


@dataclass(frozen=True, slots=True)
class Status:
    """Patterns of code that changes the encryption status of pages or reports it."""

    masks: Pattern
    writes: Pattern
    reads: Pattern
    own_tables: Pattern
    requests: Pattern
    shared: Pattern
    private: Pattern
    callbacks: Pattern
    constants: Pattern
    platforms: tuple[tuple[Pattern, tuple[Platform, ...]], ...]


@dataclass(frozen=True, slots=True)
class PlatformTest:
    """A term of a condition: where it is true (`true`), and where it may be either (`some`)."""

    test: Pattern
    true: frozenset[Platform] = frozenset()
    some: frozenset[Platform] = frozenset()


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
    boot_path_from: tuple[str, ...]
    end: tuple[str, ...]
    never: frozenset[str]
    deferred: Pattern
    wakes: Pattern
    aside: Pattern
    stopping: Pattern
    member: str
    variable: str
    member_calls: tuple[tuple[Pattern, str], ...]
    registered: tuple[Registered, ...]
    aliases: tuple[Alias, ...]
    stubs: Mapping[str, tuple[str, ...]]
    notifier_chains: ChainFunctions
    guards: Pattern
    hardware: frozenset[str]
    forms: tuple[FormRule, ...]
    hypercall_page: Pattern
    leaf: Pattern
    hypervisors: tuple[tuple[str, Pattern], ...]
    status: Status
    platform_tests: tuple[PlatformTest, ...]
    platform_words: Pattern
    platform_ignored: Pattern
    effects: Mapping[Form, Mapping[Platform, Effect]]
    # Of a variant's audit.toml; `with_changes` is whether changes of page status are reported.
    site: str = "a hypercall"
    with_changes: bool = True
    calls: tuple[CallRule, ...] = ()
    own_effects: Mapping[str, Mapping[Platform, Effect]] = field(default_factory=dict)


@cache
def load_tables() -> Tables:
    """Return the tables that patchgen ships."""
    # The import takes longer than a whole command that does not use the tables.
    from pydantic import TypeAdapter

    content = _FILE.read_bytes()
    read = tomllib.loads(content.decode())
    tree, window, status, tests = (read[key] for key in ("tree", "window", "status", "platforms"))
    values = {
        **tree,
        **window,
        "digest": hashlib.sha256(content).hexdigest(),
        "without": f"(?:{'|'.join(tree['without'])})(?:/.*)?",
        "deferred": "|".join(window["deferred"]),
        "member": read["notify"]["member"],
        "variable": read["notify"]["variable"],
        "member_calls": [(entry["macro"], entry["root"]) for entry in read["member_call"]],
        "registered": read["registered"],
        "aliases": read["alias"],
        "notifier_chains": read["notifier_chain"],
        "guards": read["guard"]["macro"],
        "stubs": {entry["word"]: entry["functions"] for entry in read["stub"]},
        "hardware": [entry["type"] for entry in read["hardware"]],
        "forms": read["form"],
        "hypercall_page": read["hypercall_page"]["names"],
        "leaf": read["leaf"]["member"],
        "hypervisors": [(entry["name"], entry["found"]) for entry in read["hypervisor"]],
        "status": {**status, "platforms": list(status["platforms"].items())},
        "platform_tests": tests["test"],
        "platform_words": tests["words"],
        "platform_ignored": tests["ignored"],
        # KVM_HYPERCALL is VMCALL until apply_alternatives() runs (asm/kvm_para.h).
        "effects": {**read["effect"], Form.ALTERNATIVE: read["effect"][Form.VMCALL]},
    }
    tables: Tables = TypeAdapter(Tables).validate_python(values)
    return tables
