"""What is read from one file, whatever the configuration: values without objects of the parser.

All are tuples of plain values, so that they are kept and sent between processes as they are. Lines
count from 1. An access (`x86_init.hyper.init_platform`) is a base and the members behind it.
"""

from __future__ import annotations

from typing import NamedTuple


class Region(NamedTuple):
    """Lines from `first` to `last` are compiled where `condition`, an #if expression, holds."""

    first: int
    last: int
    condition: str


class Macro(NamedTuple):
    """A #define. `calls` are the names in it that are followed by a parenthesis, with lines."""

    name: str
    line: int
    takes: bool
    parameters: tuple[str, ...]
    calls: tuple[tuple[str, int], ...]
    body: str


class Access(NamedTuple):
    """A value as written: a variable, member by member.

    `base` is a variable, or the function whose result it is where `called`. `type` is the struct
    of the base where the function itself declares it, "" where that has to be looked up.
    """

    base: str
    type: str
    members: tuple[str, ...]
    called: bool = False
    local: bool = False


class Guard(NamedTuple):
    """A condition that code runs under: `text`, a C expression, is true where `holds`.

    `text` is "" where the expression is too long to be stored. Not `sure` is one that code gets
    past by a jump to a label.
    """

    line: int
    text: str
    holds: bool
    sure: bool = True


class Call(NamedTuple):
    """A call, by name or through an access. `forwards` tells that an address among the arguments
    comes from the function's own parameters. `arguments` are shortened, as written.

    `passed` are names among the arguments that may be functions. `under` are the numbers of the
    function's guards that it runs under.
    """

    line: int
    name: str
    access: Access | None
    arguments: tuple[str, ...]
    passed: tuple[str, ...]
    forwards: bool
    under: tuple[int, ...] = ()


class Store(NamedTuple):
    """An assignment of what may be functions to a variable or a member."""

    line: int
    target: Access
    names: tuple[str, ...]
    under: tuple[int, ...] = ()


class Asm(NamedTuple):
    """An asm statement: its template with macro names in it, and the names in its operands."""

    line: int
    text: str
    operands: str


class Function(NamedTuple):
    """A function's definition. `words` are the names in it that may be variables, functions or
    constants elsewhere. `result` is the struct that it returns (a pointer to), or "".

    `parameters` are their names, "" for one that the function assigns to. `returns` is the
    expression that it returns where it does nothing else, "" for all other functions.
    """

    name: str
    line: int
    last: int
    static: bool
    inline: bool
    result: str
    calls: tuple[Call, ...]
    stores: tuple[Store, ...]
    asms: tuple[Asm, ...]
    words: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    guards: tuple[Guard, ...] = ()
    returns: str = ""


class Variable(NamedTuple):
    """A variable with static storage. `stores` are what its initialiser puts into its members,
    relative to it; `words` the names in the initialiser."""

    name: str
    line: int
    static: bool
    type: str
    stores: tuple[Store, ...]
    words: tuple[str, ...]


class Struct(NamedTuple):
    """A struct, union or typedef of one: its fields, each with the struct that it is or points to.

    A field that is a pointer to a function has the type "()".
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
    """All of a file. `lost` are functions (line, name) that the parser could not make out."""

    includes: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    macros: tuple[Macro, ...] = ()
    functions: tuple[Function, ...] = ()
    variables: tuple[Variable, ...] = ()
    structs: tuple[Struct, ...] = ()
    typedefs: tuple[tuple[str, str], ...] = ()
    invocations: tuple[Invocation, ...] = ()
    lost: tuple[tuple[int, str], ...] = ()
