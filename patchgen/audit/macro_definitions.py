# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions and variables that macros at file scope define: `DEFINE_POPULATE(fname, a, b, init)`.

Only macros whose text has a function's body are expanded, and only at file scope; calls of macros
in functions are followed without expansion. C11, 6.10.3: parameters are replaced, `##` joins
tokens, `#` makes a string.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from patchgen.audit.c_text import CALLED, IDENTIFIER, find_closing, split_arguments
from patchgen.audit.facts import FileFacts, Function, Invocation, Macro
from patchgen.audit.parse_c import parse_source
from patchgen.audit.syntax import SHORT_LENGTH

_BODY = re.compile(r"\)\s*\{")
_JOIN = re.compile(r"\s*##\s*")
_STRING = re.compile(r"(?<!#)#\s*(?=[A-Za-z_])\w+")
_MEMBER_CALL = re.compile(r"(?:(?:->|\.)\s*(\w+)\s*)?(?:->|\.)\s*([A-Za-z_]\w*)\s*\(")
_JOINED = re.compile(r"\b(\w+(?:\s*##\s*\w+)+)\s*\(")
_MAX_DEPTH = 3
_MAX_TEXT = 6000
_VARIADIC = "__VA_ARGS__"


def defines_functions(macro: Macro) -> bool:
    """Return whether a macro's text seems to have a function's head and body."""
    return (
        macro.has_parameters
        and _BODY.search(macro.body) is not None
        and len(macro.body) < _MAX_TEXT
    )


@dataclass(frozen=True, slots=True)
class CalledParameters:
    """What a macro calls that only its arguments show.

    `members` are the numbers of parameters that name a member, with the member before it ("ops" of
    `(h)->ops->op(h)`), `functions` are those of parameters that it calls (`lock(l)`), `joined` are
    names that it joins (`site_##name`).
    """

    parameters: tuple[str, ...]
    members: tuple[tuple[int, str], ...]
    functions: tuple[int, ...]
    joined: tuple[str, ...]

    def list_members(self, arguments: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the members that arguments name, after the member before each if there is one.

        Only the first few arguments of a call are recorded.
        """
        return [
            tuple(filter(None, (before, arguments[number])))
            for number, before in self.members
            if number < len(arguments) and arguments[number].isidentifier()
        ]

    def list_functions(self, arguments: Sequence[str]) -> list[str]:
        """Return the arguments that are called."""
        return [arguments[number] for number in self.functions if number < len(arguments)]

    def list_joined(self, arguments: Sequence[str]) -> list[str]:
        """Return the names of functions that are joined from arguments."""
        names = (replace_parameters(text, self.parameters, arguments) for text in self.joined)
        return [name for name in names if name.isidentifier()]


def find_called_parameters(macro: Macro) -> CalledParameters | None:
    """Return the calls that a macro makes by its arguments, None if it makes no such calls."""
    if not macro.parameters or "(" not in macro.body:
        return None
    members = {name: before for before, name in _MEMBER_CALL.findall(macro.body)}
    joined = tuple(match[1] for match in _JOINED.finditer(macro.body))
    called = {
        match[1]
        for match in CALLED.finditer(macro.body)
        if not macro.body[: match.start()].rstrip().endswith(("##", "->", "."))
    }
    found = CalledParameters(
        macro.parameters,
        tuple((at, members[name]) for at, name in enumerate(macro.parameters) if name in members),
        tuple(number for number, name in enumerate(macro.parameters) if name in called),
        joined,
    )
    return found if found.members or found.functions or found.joined else None


def expand_invocations(
    invocations: Sequence[Invocation], macros: Mapping[str, Macro]
) -> Iterator[FileFacts]:
    """Yield the definitions of each macro used at file scope, at the lines of its use."""
    for invocation in invocations:
        macro = macros.get(invocation.name)
        if macro is not None:
            text = _expand(macro, invocation.arguments, macros, _MAX_DEPTH)
            yield parse_source(b"\n" * (invocation.line - 1) + text.encode("utf-8", "replace"))


def read_macro(name: str, line: int, parameters: Sequence[str], text: str) -> Function | None:
    """Return a macro's text parsed as the body of a function, None if that is not possible."""
    body = replace_parameters(text, (), ())
    declarations = ", ".join(
        f"int {parameter}" for parameter in parameters if parameter != _VARIADIC
    )
    code = "\n" * (line - 1) + f"void {name}({declarations}) {{ {body}; }}"
    functions = parse_source(code.encode("utf-8", "replace")).functions
    return functions[0] if functions else None


@cache
def expand_call(
    body: str, parameters: tuple[str, ...], arguments: tuple[str, ...]
) -> Function | None:
    """Return a macro's text with the arguments of a call, read as the body of a function.

    Returns None if an argument or the text is too long to be known as a whole.
    """
    if not body or any(len(argument) >= SHORT_LENGTH for argument in arguments):
        return None
    return read_macro("expanded", 1, (), replace_parameters(body, parameters, arguments))


def _expand(macro: Macro, arguments: Sequence[str], macros: Mapping[str, Macro], depth: int) -> str:
    text = replace_parameters(macro.body, macro.parameters, arguments)
    return _expand_inner(f"{text};", macros, depth - 1)


def replace_parameters(text: str, parameters: Sequence[str], arguments: Sequence[str]) -> str:
    """Return a macro's text with arguments in place of its parameters, on one line."""
    values = dict(zip(parameters, arguments, strict=False))
    if parameters and parameters[-1] == _VARIADIC:
        values[_VARIADIC] = ", ".join(arguments[len(parameters) - 1 :])
    text = _STRING.sub('""', text.replace("\\", " "))
    text = IDENTIFIER.sub(lambda match: values.get(match[0], match[0]), text)
    return _JOIN.sub("", " ".join(text.split()))


def _expand_inner(text: str, macros: Mapping[str, Macro], depth: int) -> str:
    """Expand the macros in a macro's text that define functions."""
    pieces = []
    at = 0
    for called in CALLED.finditer(text) if depth else ():
        macro = macros.get(called[1])
        if macro is None or called.start() < at:
            continue
        end = find_closing(text.encode("latin-1", "replace"), called.end() - 1)
        inner = split_arguments(text[called.end() : end - 1])
        pieces += [text[at : called.start()], _expand(macro, inner, macros, depth)]
        at = end
    return "".join([*pieces, text[at:]])
