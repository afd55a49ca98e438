# SPDX-License-Identifier: GPL-2.0-or-later
"""Determine from its definitions how the uses of a macro can be parsed.

spatch does not read the headers that define a macro. It recognises many macros by their names and
by the code around them; where it cannot, it skips the whole function. The definitions show what it
does not know: a macro that expands to `for (...)` is followed by a statement, one that expands to
`__attribute__((...))` or to nothing can be ignored.

A name may have several definitions, in the branches of an `#if` or in several headers. It has a
kind only if each of them has it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from patchgen.ctokens import BRACKETS, find_closing
from patchgen.sweep.macro_definitions import Definitions, MacroDefinition

_WORD = re.compile(rb"[A-Za-z_][\w#]*\Z")
_LOOPS = frozenset({b"for", b"while", b"if", b"switch"})
_ATTRIBUTES = frozenset({b"__attribute__", b"__attribute", b"_Pragma", b"__declspec"})
_INLINE = frozenset({b"inline", b"__inline", b"__inline__"})
_NOT_TYPES = frozenset({b"return", b"goto", b"case", b"else", b"do", b"sizeof", b"typeof"})
_TYPEOF = frozenset({b"typeof", b"__typeof", b"__typeof__", b"typeof_unqual", b"__typeof_unqual__"})


class MacroKind(StrEnum):
    """How the uses of a macro can be parsed."""

    ITERATOR = "iterator"
    """As the head of a loop: a statement follows."""
    ATTRIBUTE = "attribute"
    """As white space: it expands to attributes, or its body is empty."""
    FIELDS = "fields"
    """As white space in an initialiser: it expands to fields or elements with their commas."""
    TYPE = "type"
    """As a type: the declared name follows."""
    FUNCTION = "function"
    """As the head of a function: a body follows."""
    DECLARATOR = "declarator"
    """As a pointer that is declared: its type comes before it."""


@dataclass(frozen=True, slots=True)
class MacroUse:
    """The kind of a macro. `named` is the parameter that names a FUNCTION or DECLARATOR.

    Of a macro without parameters, parentheses after its name are not arguments.
    """

    kind: MacroKind
    named: int = 0
    has_parameters: bool = True


Uses = Mapping[str, MacroUse]


def find_uses(definitions: Definitions, others: Uses = MappingProxyType({})) -> dict[str, MacroUse]:
    """Return the kinds of macros; those without a kind are left out.

    `others` are the kinds of macros that other files define, unless they are redefined here. A
    macro may be defined by way of others, so the search is repeated as long as it finds more.
    """
    defined = definitions.list_names() if others else frozenset()
    uses = {name: use for name, use in others.items() if name not in defined}
    candidates = definitions.by_name
    by_way_of = _index(candidates)
    pending: Collection[str] = candidates
    while pending:
        more = {name: use for name in pending if (use := _find_use(name, candidates[name], uses))}
        uses.update(more)
        affected = {user for name in more for user in by_way_of.get(name, ())}
        pending = (affected.union(by_way_of[""]) if more else affected) - uses.keys()
    return uses


def _index(definitions: Mapping[str, Sequence[MacroDefinition]]) -> dict[str, list[str]]:
    """Return for each macro those with its name in their bodies; for "" those that paste words."""
    index: dict[str, list[str]] = {"": []}
    for name, found in definitions.items():
        words = {token.decode("latin-1") for definition in found for token in definition.body}
        if any("##" in word for word in words):
            index[""].append(name)
        for word in words & definitions.keys():
            index.setdefault(word, []).append(name)
    return index


# --- kinds -----------------------------------------------------------------------------------


def _find_use(name: str, definitions: Sequence[MacroDefinition], uses: Uses) -> MacroUse | None:
    """Return the kind that all definitions of a name have; empty ones may have any."""
    filled = [definition for definition in definitions if definition.body]
    has_parameters = any(definition.parameters is not None for definition in definitions)
    if all(_is_attribute(definition, uses) for definition in definitions):
        # An empty one may also be a marker for `#ifdef`, or the name of a function in another file.
        may_be_marker = not filled and not name.startswith("__")
        is_guard = any(definition.is_guard for definition in definitions)
        use = MacroUse(MacroKind.ATTRIBUTE, has_parameters=has_parameters)
        return None if may_be_marker or is_guard else use
    for kind, has_kind in _TESTS.items():
        if all(has_kind(definition, uses) for definition in filled):
            is_call = has_parameters or kind is MacroKind.ITERATOR
            return MacroUse(kind, has_parameters=is_call)
    for kind, find_named in _NAMED.items():
        named = {find_named(definition, uses) for definition in filled}
        number = named.pop()
        if not named and number is not None:
            return MacroUse(kind, number)
    return None


def _is_attribute(definition: MacroDefinition, uses: Uses) -> bool:
    body = definition.body
    at = 0
    while at < len(body):
        if body[at] not in _ATTRIBUTES | _INLINE and not _is(body[at], uses, MacroKind.ATTRIBUTE):
            return False
        at = _after_arguments(body, at + 1)
    return True


def _is_iterator(definition: MacroDefinition, uses: Uses) -> bool:
    """Return whether a body is a statement without its last part.

    `for (...)`, `for (...) if (...) { ... } else`, or a call of another iterator.
    """
    body = definition.body
    if body == (b"YACFE_ITERATOR",):
        return True
    if definition.parameters is None:
        return False
    at = 0
    while at < len(body):
        if body[at] in _LOOPS or _is(body[at], uses, MacroKind.ITERATOR):
            after = _after_arguments(body, at + 1)
            if after == at + 1:
                return False
            at = after
        elif (after := _after_else(body, at)) and at:
            at = after
        else:
            return False
    return True


def _after_else(body: Sequence[bytes], at: int) -> int:
    """Return the index after the `else` that follows a block or a simple statement, else 0."""
    if body[at] == b"{":
        at = _after(body, at)
    elif body[at] != b"else" and b";" in body[at:]:
        at = body.index(b";", at) + 1
    return at + 1 if body[at : at + 1] == (b"else",) else 0


def _are_fields(definition: MacroDefinition, uses: Uses) -> bool:
    """Return whether a body has fields or elements, and ends with a comma: `.a = b, .c = d,`."""
    body = definition.body
    if body[-1] == b",":
        opened = sum(BRACKETS.get(token, 0) for token in body)
        return b";" not in body and not opened
    by_way_of = _is(body[0], uses, MacroKind.FIELDS)
    return by_way_of and _after_arguments(body, 1) == len(body)


def _is_type(definition: MacroDefinition, uses: Uses) -> bool:
    """Return whether a body is `typeof(...)`, a structure without a name, or such a macro."""
    body = definition.body
    if definition.parameters is None:
        return False
    if body[0] in _TYPEOF or _is(body[0], uses, MacroKind.TYPE):
        return _after_arguments(body, 1) == len(body) > 1
    return body[:2] in ((b"struct", b"{"), (b"union", b"{")) and _after(body, 1) == len(body)


_TESTS: Mapping[MacroKind, Callable[[MacroDefinition, Uses], bool]] = {
    MacroKind.ITERATOR: _is_iterator,
    MacroKind.FIELDS: _are_fields,
    MacroKind.TYPE: _is_type,
}


def _find_name_parameter(definition: MacroDefinition, uses: Uses) -> int | None:
    """Return the number of the parameter that names the function whose head a body ends with.

    `static int f_##name(void); static int f_##name(void)`: a body follows the use. None if it does
    not end with a head.
    """
    head = definition.body[_find_last_part(definition.body) :]
    parameters = definition.parameters or ()
    # Calls of macros that expand to complete declarations may come before it.
    while len(head) > (after := _after_arguments(head, 1)) > 1:
        head = head[after:]
    opens = head.index(b"(") if b"(" in head else 0
    if not opens or _after(head, opens) != len(head):
        return None
    if opens == 1 and _is(head[0], uses, MacroKind.FUNCTION):
        named = _argument(head, uses[head[0].decode("latin-1")].named)
    elif opens > 1 and all(_WORD.match(word) or word == b"*" for word in head[:opens]):
        named = head[opens - 1]
    else:
        return None
    if not (_LOOPS | _NOT_TYPES).isdisjoint(head[:opens]):
        return None
    parts = named.split(b"##")
    return next((number for number, word in enumerate(parameters) if word in parts), None)


def _find_pointer_parameter(definition: MacroDefinition, uses: Uses) -> int | None:
    """Return the number of the parameter that names a pointer: `*name __free(kfree) = NULL`."""
    body, parameters = definition.body, definition.parameters or ()
    if body[0] != b"*" or body[1:2] == () or body[1] not in parameters:
        return None
    at = 2
    while at < len(body) and (body[at] in _ATTRIBUTES or _is(body[at], uses, MacroKind.ATTRIBUTE)):
        at = _after_arguments(body, at + 1)
    is_declared = at > 2 and body[at : at + 1] in ((), (b"=",))
    return parameters.index(body[1]) if is_declared else None


_NAMED: Mapping[MacroKind, Callable[[MacroDefinition, Uses], int | None]] = {
    MacroKind.FUNCTION: _find_name_parameter,
    MacroKind.DECLARATOR: _find_pointer_parameter,
}


def _find_last_part(body: Sequence[bytes]) -> int:
    """Return the index after the last `;` or `}` outside of brackets."""
    at = last = 0
    while at < len(body):
        if BRACKETS.get(body[at]) == 1:
            is_block = body[at] == b"{"
            at = _after(body, at)
            last = at if is_block else last
        else:
            at += 1
            last = at if body[at - 1] == b";" else last
    return last


def _argument(call: Sequence[bytes], number: int) -> bytes:
    """Return an argument of a call if it is a single token, else b""."""
    arguments: list[list[bytes]] = [[]]
    depth = 0
    for token in call[2:-1]:
        depth += BRACKETS.get(token, 0)
        if token == b"," and depth == 0:
            arguments.append([])
        else:
            arguments[-1].append(token)
    return arguments[number][0] if number < len(arguments) and len(arguments[number]) == 1 else b""


def _is(word: bytes, uses: Uses, kind: MacroKind) -> bool:
    """Return whether a word is a macro of a kind, or all that `prefix_##word` may be are."""
    name = word.decode("latin-1")
    if "##" not in name:
        return name in uses and uses[name].kind is kind
    prefix, suffix = name.split("##")[0], name.split("##")[-1]
    suffix = "" if suffix == "__VA_ARGS__" or name.count("##") == 1 else suffix
    found = {
        use.kind
        for other, use in uses.items()
        if prefix and other.startswith(prefix) and other.endswith(suffix)
    }
    return found == {kind}


def _after_arguments(tokens: Sequence[bytes], at: int) -> int:
    """Return the index after the parentheses that begin at an index; the index if none do."""
    return _after(tokens, at) if tokens[at : at + 1] == (b"(",) else at


def _after(tokens: Sequence[bytes], opening: int) -> int:
    """Return the index after the token that closes a bracket; the length if none does."""
    closing = find_closing(tokens, opening)
    return len(tokens) if closing is None else closing + 1
