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
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

from patchgen.ctokens import tokenize

# The beginning of a definition, and the `#ifndef` before it that makes it a guard. Bodies that do
# not begin with `start` are expressions, most of them numbers.
_DEFINE = re.compile(
    rb"(?:^[ \t]*#[ \t]*ifndef[ \t]+(?P<guarded>\w+)[^\n]*\n)?"
    rb"^[ \t]*#[ \t]*define[ \t]+(?P<name>[A-Za-z_]\w*)(?P<parameters>\([^()]*\))?"
    rb"[ \t]*(?P<start>(?=[A-Za-z_.\[{\\/\n]|\Z))?",
    re.MULTILINE,
)
_BODY = re.compile(rb"(?:[^\\\n/]++|\\\r?\n|\\.|/\*.*?(?:\*/|\Z)|//[^\n]*|/)*+", re.DOTALL)
_MAY_HAVE_KIND = re.compile(rb"(?:\s|\\|/\*.*?(?:\*/|\Z))*+(?:[A-Za-z_.\[{]|\Z|//)", re.DOTALL)
_WORD = re.compile(rb"[A-Za-z_][\w#]*\Z")
_LOOPS = frozenset({b"for", b"while", b"if", b"switch"})
_ATTRIBUTES = frozenset({b"__attribute__", b"__attribute", b"_Pragma", b"__declspec"})
_INLINE = frozenset({b"inline", b"__inline", b"__inline__"})
_NO_TYPES = frozenset({b"return", b"goto", b"case", b"else", b"do", b"sizeof", b"typeof"})
_CLOSES = {b"(": b")", b"[": b"]", b"{": b"}"}
# Longer bodies are code, not the beginning of some.
_MOST_TOKENS = 600


class MacroKind(StrEnum):
    """How the uses of a macro can be parsed."""

    ITERATOR = "iterator"
    """As the head of a loop: a statement follows."""
    ATTRIBUTE = "attribute"
    """As nothing: it expands to attributes, or to nothing."""
    FIELDS = "fields"
    """As nothing, in an initialiser: it expands to initialised fields with their commas."""
    FUNCTION = "function"
    """As the head of a function: a body follows."""


@dataclass(frozen=True, slots=True)
class MacroDefinition:
    """A definition: its parameters, None without parentheses, and the tokens of its body.

    Tokens that `##` joins are one token. `is_guard` is set if it marks that a header was read.
    """

    parameters: tuple[bytes, ...] | None
    body: tuple[bytes, ...]
    is_guard: bool = False


@dataclass(frozen=True, slots=True)
class MacroUse:
    """The kind of a macro. `named` is the number of the parameter that names a FUNCTION.

    Of a macro without parameters, parentheses after its name are not arguments.
    """

    kind: MacroKind
    named: int = 0
    has_parameters: bool = True


Uses = Mapping[str, MacroUse]


@dataclass(slots=True)
class Definitions:
    """All definitions of macros, by name. One of a macro `without_kind` cannot have a kind.

    These names are separated by spaces: a tree has 244,000, and a set would take 25 MB.
    """

    by_name: dict[str, tuple[MacroDefinition, ...]] = field(default_factory=dict)
    without_kind: bytearray = field(default_factory=bytearray)

    def __bool__(self) -> bool:
        return bool(self.by_name or self.without_kind)

    def list_names(self) -> set[str]:
        """Return the names of all macros."""
        return {*self.by_name, *self.without_kind.decode("ascii").split()}


def read_definitions(source: bytes) -> Iterator[tuple[str, MacroDefinition | None]]:
    """Yield the macros that a source defines; None for a definition that cannot have a kind."""
    at = 0
    while (found := _DEFINE.search(source, at)) is not None:
        name = found["name"].decode("latin-1")
        body = _BODY.match(source, found.end()) if found["start"] is not None else None
        at = body.end() if body is not None else found.end()
        if body is None or not _MAY_HAVE_KIND.match(body[0]):
            yield name, None
            continue
        tokens = _join([token.text for token in tokenize(body[0])])
        if len(tokens) > _MOST_TOKENS:
            yield name, None
            continue
        parameters = _read_parameters(found["parameters"])
        is_guard = found["guarded"] == found["name"] and parameters is None and not tokens
        yield name, MacroDefinition(parameters, tokens, is_guard)


def join_definitions(found: Iterable[tuple[str, MacroDefinition | None]]) -> Definitions:
    """Return all definitions of each name."""
    joined = Definitions()
    # Equal tokens are the same object: the bodies of a tree have 500,000, of which 40,000 differ.
    tokens: dict[bytes, bytes] = {}
    for name, definition in found:
        if definition is None:
            joined.without_kind += b" " + name.encode("ascii")
        elif definition not in (definitions := joined.by_name.get(name, ())):
            body = tuple(tokens.setdefault(token, token) for token in definition.body)
            joined.by_name[name] = (*definitions, replace(definition, body=body))
    for match in re.finditer(rb"\w+", joined.without_kind):
        joined.by_name.pop(match[0].decode("ascii"), None)
    return joined


def find_uses(definitions: Definitions, others: Uses = MappingProxyType({})) -> dict[str, MacroUse]:
    """Return the kinds of macros; those without a kind are left out.

    `others` are the kinds of macros that are defined elsewhere, unless they are redefined here. A
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
    """Return for each macro those by way of it; "" for those that paste words together."""
    index: dict[str, list[str]] = {"": []}
    for name, found in definitions.items():
        words = {token.decode("latin-1") for definition in found for token in definition.body}
        if any("##" in word for word in words):
            index[""].append(name)
        for word in words & definitions.keys():
            index.setdefault(word, []).append(name)
    return index


def _join(tokens: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the tokens of a body with those that `##` joins made one."""
    joined: list[bytes] = []
    at = 0
    while at < len(tokens):
        if joined and tokens[at : at + 2] == [b"#", b"#"] and at + 2 < len(tokens):
            joined[-1] += b"##" + tokens[at + 2]
            at += 3
        else:
            joined.append(tokens[at])
            at += 1
    return tuple(joined)


def _read_parameters(text: bytes | None) -> tuple[bytes, ...] | None:
    if text is None:
        return None
    words = (part.strip(b" \t\r\n\\") for part in text[1:-1].split(b","))
    return tuple(word for word in words if word)


# --- kinds -----------------------------------------------------------------------------------


def _find_use(name: str, definitions: Sequence[MacroDefinition], uses: Uses) -> MacroUse | None:
    """Return the kind that all definitions of a name have; empty ones may have any."""
    filled = [definition for definition in definitions if definition.body]
    if all(_is_attribute(definition, uses) for definition in definitions):
        # An empty one may also be a marker for `#ifdef`, or the name of a function elsewhere.
        may_be_marker = not filled and not name.startswith("__")
        is_guard = any(definition.is_guard for definition in definitions)
        has_parameters = any(definition.parameters is not None for definition in definitions)
        use = MacroUse(MacroKind.ATTRIBUTE, has_parameters=has_parameters)
        return None if may_be_marker or is_guard else use
    for kind, has_kind in _TESTS.items():
        if all(has_kind(definition, uses) for definition in filled):
            return MacroUse(kind)
    named = {_find_name_parameter(definition, uses) for definition in filled}
    number = named.pop()
    return MacroUse(MacroKind.FUNCTION, number) if not named and number is not None else None


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
    """Return whether a body has initialised fields, and ends with a comma: `.a = b, .c = d,`."""
    body = definition.body
    by_way_of = _is(body[0], uses, MacroKind.FIELDS)
    if body[-1] == b",":
        return by_way_of or body[0] in (b".", b"[")
    return by_way_of and _after_arguments(body, 1) == len(body)


_TESTS: Mapping[MacroKind, Callable[[MacroDefinition, Uses], bool]] = {
    MacroKind.ITERATOR: _is_iterator,
    MacroKind.FIELDS: _are_fields,
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
    if not (_LOOPS | _NO_TYPES).isdisjoint(head[:opens]):
        return None
    parts = named.split(b"##")
    return next((number for number, word in enumerate(parameters) if word in parts), None)


def _find_last_part(body: Sequence[bytes]) -> int:
    """Return the index after the last `;` or `}` outside of brackets."""
    at = last = 0
    while at < len(body):
        if body[at] in _CLOSES:
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
        depth += (token in _CLOSES) - (token in _CLOSES.values())
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
    depth = 0
    for at in range(opening, len(tokens)):
        depth += (tokens[at] in _CLOSES) - (tokens[at] in _CLOSES.values())
        if depth == 0:
            return at + 1
    return len(tokens)
