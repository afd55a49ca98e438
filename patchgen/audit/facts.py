# SPDX-License-Identifier: GPL-2.0-or-later
"""The facts of one file for all configurations, without objects of the parser.

All are tuples of plain values, so they can be cached and sent between processes unchanged. Lines
count from 1. An access (`x86_init.hyper.init_platform`) is a base and the members that follow it.
"""

from __future__ import annotations

from typing import NamedTuple


class Region(NamedTuple):
    """Lines from `first` to `last` are compiled if `condition`, an #if expression, holds."""

    first: int
    last: int
    condition: str


class Macro(NamedTuple):
    """A #define. `calls` are the names in it that a parenthesis follows, with lines.

    A call through a member has all names, and no variable if that is a parameter or an expression:
    `x86_init.hyper.init_platform`, `.go`. `has_parameters` is set if it takes arguments.
    """

    name: str
    line: int
    has_parameters: bool
    parameters: tuple[str, ...]
    calls: tuple[tuple[str, int], ...]
    body: str


class Access(NamedTuple):
    """A value as written: a variable, member by member.

    `base` is a variable; if `called` is set, it is a function, and the access is to its result.
    `type` is the struct of the base if the function itself declares it, "" if it has to be looked
    up.
    """

    base: str
    type: str
    members: tuple[str, ...]
    called: bool = False
    local: bool = False

    @property
    def text(self) -> str:
        """Return the access as C code, with the struct in place of an unnamed base."""
        return ".".join([self.base or self.type, *self.members])


def access_static_call(name: str) -> Access:
    """Return the access of `static_call(name)()`, which calls the function that it is set to."""
    return Access("static_call", "", (name,))


class Guard(NamedTuple):
    """A condition that code runs under: the C expression `text` has the truth value `holds`.

    `text` is "" if the expression is too long to be stored. `sure` is False if a jump to a label
    may bypass the condition.
    """

    line: int
    text: str
    holds: bool
    sure: bool = True


class CallFact(NamedTuple):
    """A call, by name or through an access.

    `forwards` is set if the first argument is an address that derives from the function's own
    parameters. `arguments` are as written, shortened. `passed` are names among the arguments that
    may be functions. `under` are the numbers of the function's guards that the call runs under.
    """

    line: int
    name: str
    access: Access | None = None
    arguments: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    forwards: bool = False
    under: tuple[int, ...] = ()

    @property
    def static_call(self) -> str:
        """Return the name of the static call that is called, "" for other calls."""
        if self.access is None or self.access.base != "static_call":
            return ""
        return self.access.members[-1]


class StoreFact(NamedTuple):
    """An assignment of names that may be functions to a variable or a member.

    `parameters` are those of the function that the value may come from.
    """

    line: int
    target: Access
    names: tuple[str, ...]
    under: tuple[int, ...] = ()
    parameters: tuple[str, ...] = ()


class Asm(NamedTuple):
    """An asm statement: its template with macro names in it, and the names in its operands."""

    line: int
    text: str
    operands: str


class Function(NamedTuple):
    """A function's definition.

    `identifiers` are those that may be variables, functions or constants outside of it.
    `result` is the struct that it returns or returns a pointer to, or "". `parameters` are names,
    "" for a parameter that the function assigns to. `returns` is the expression that a function
    returns if it does nothing else, "" for all other functions.
    """

    name: str
    line: int
    static: bool
    calls: tuple[CallFact, ...] = ()
    identifiers: tuple[str, ...] = ()
    asms: tuple[Asm, ...] = ()
    stores: tuple[StoreFact, ...] = ()
    result: str = ""
    parameters: tuple[str, ...] = ()
    guards: tuple[Guard, ...] = ()
    returns: str = ""


class VariableFact(NamedTuple):
    """A variable with static storage.

    `stores` are the assignments that its initialiser makes to its members, relative to it;
    `identifiers` are those in the initialiser.
    """

    name: str
    line: int
    static: bool
    type: str
    stores: tuple[StoreFact, ...]
    identifiers: tuple[str, ...]


class Struct(NamedTuple):
    """A struct, union or typedef of one: its fields, each with the struct that it is or points to.

    The type of a pointer to a function is "()".
    """

    name: str
    line: int
    fields: tuple[tuple[str, str], ...]


class Invocation(NamedTuple):
    """A macro used at file scope: `early_param("nopv", parse_nopv)`."""

    name: str
    line: int
    arguments: tuple[str, ...]


class FileFacts(NamedTuple):
    """All facts of a file. `lost` are functions (line, name) that the parser could not read."""

    includes: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    macros: tuple[Macro, ...] = ()
    functions: tuple[Function, ...] = ()
    variables: tuple[VariableFact, ...] = ()
    structs: tuple[Struct, ...] = ()
    typedefs: tuple[tuple[str, str], ...] = ()
    invocations: tuple[Invocation, ...] = ()
    lost: tuple[tuple[int, str], ...] = ()
