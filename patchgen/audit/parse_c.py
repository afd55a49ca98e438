# SPDX-License-Identifier: GPL-2.0-or-later
"""Read C with tree-sitter: functions, calls, stores of functions, structs.

tree-sitter, not libclang: libclang needs the command line of each file and all headers, that is, a
configured tree on disk, sees one branch of every #if, and takes minutes instead of seconds.
tree-sitter needs one file and no headers, continues after syntax errors, and comes as a wheel. It
does not expand macros, which prepare_source.py handles before it, nor know types from headers,
which linked_code.py looks up after it. A scan for function heads finds the functions that it lost
(`FileFacts.lost`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache

import tree_sitter
import tree_sitter_c

from patchgen.audit.c_text import CALLED, IDENTIFIER, LineCounter, overwrite_with_spaces
from patchgen.audit.facts import Access, Asm, CallFact, FileFacts, Function, Struct, VariableFact
from patchgen.audit.function_body import FunctionBody
from patchgen.audit.prepare_source import prepare_source
from patchgen.audit.syntax import (
    is_prototype,
    line_of,
    names_in,
    read_declarator,
    read_initialiser,
    read_returned,
    text_of,
    type_name,
)

_HEAD = re.compile(
    rb"\n(?:[A-Za-z_][\w \t*]*?[ \t*\n])?(?:(?<!\*)\*++)?([A-Za-z_]\w*+)[ \t]*+"
    rb"\([^;{}()]*+(?:\([^;{}()]*+\)[^;{}()]*+)*+\)\s*+\{"
)
# An escaped quote begins no literal, or the time would be quadratic in the number of quotes.
_LITERAL = re.compile(rb'"(?<!\\")[^"\\]*+(?:\\.[^"\\]*+)*+"', re.S)
_Head = tuple[int, str]
_NO_HEADS = frozenset([b"if", b"for", b"while", b"switch", b"do", b"else", b"return", b"sizeof"])


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))


def parse_source(content: bytes) -> FileFacts:
    """Return the facts of a C file or a header. No content raises an error."""
    prepared = prepare_source(content)
    tree = _parser().parse(prepared.text)
    unit = _Unit(prepared.asms)
    unit.read(tree.root_node)
    heads = list(_find_heads(prepared.text))
    for line, name, piece in _find_pieces(prepared.text, _find_lost(heads, unit.functions)):
        unit.read(_parser().parse(b"\n" * (line - 1) + piece).root_node)
        if all(function.name != name for function in unit.functions):
            unit.functions.append(_read_identifiers(line, name, piece))
    variables = [
        *unit.variables,
        *(VariableFact(name, line, False, kind, (), ()) for name, line, kind in prepared.percpu),
    ]
    return FileFacts(
        prepared.preprocessed.includes,
        prepared.preprocessed.regions,
        prepared.preprocessed.macros,
        tuple(unit.functions),
        tuple(variables),
        tuple(unit.structs),
        tuple(unit.typedefs),
        prepared.invocations,
        tuple(_find_lost(heads, unit.functions)),
    )


def _find_heads(text: bytes) -> Iterator[_Head]:
    """Yield apparent heads of functions."""
    plain = b"\n" + _LITERAL.sub(lambda match: overwrite_with_spaces(match[0]), text)
    lines = LineCounter(plain, first=0)
    for match in _HEAD.finditer(plain):
        if match[1] not in _NO_HEADS:
            yield lines.number(match.start(1)), match[1].decode()


def _find_lost(heads: Iterable[_Head], functions: Iterable[Function]) -> list[_Head]:
    """Return the heads that were not read as functions."""
    names = {function.name for function in functions}
    return [head for head in heads if head[1] not in names]


def _read_identifiers(line: int, name: str, piece: bytes) -> Function:
    """Return a function read without its syntax: each name before a parenthesis is a call."""
    text = piece.decode("utf-8", "replace")
    body = text.find("{")
    calls = [
        CallFact(line + text.count("\n", 0, match.start()), match[1])
        for match in CALLED.finditer(text, body)
        if match[1].encode() not in _NO_HEADS
    ]
    static = re.search(r"\bstatic\b", text[:body]) is not None
    identifiers = tuple(sorted(set(IDENTIFIER.findall(text, body))))
    return Function(name, line, static, tuple(calls), identifiers)


def _find_pieces(text: bytes, lost: Collection[_Head]) -> Iterator[tuple[int, str, bytes]]:
    """Yield the text of each lost function, without the surroundings that confused the parser.

    A function ends with the first brace in the first column (Documentation/process/coding-style).
    """
    padded = b"\n" + text
    lines = LineCounter(padded, first=0)
    for match in _HEAD.finditer(padded) if lost else ():
        begin = match.start() + 1
        first = lines.number(begin)
        end = padded.find(b"\n}", match.end())
        if (lines.number(match.start(1)), match[1].decode()) in lost and end > 0:
            yield first, match[1].decode(), padded[begin : end + 2]


class _Unit:
    """The facts of one file, collected as its syntax tree is read."""

    def __init__(self, asms: tuple[Asm, ...]):
        self._asms = asms
        self.functions: list[Function] = []
        self.variables: list[VariableFact] = []
        self.structs: list[Struct] = []
        self.typedefs: list[tuple[str, str]] = []

    def read(self, node: tree_sitter.Node) -> None:
        """Read the definitions at file scope, including those inside of syntax errors."""
        for child in node.named_children:
            match child.type:
                case "function_definition":
                    self._read_function(child)
                case "declaration":
                    self._read_types(child)
                    self._read_variables(child)
                case "struct_specifier" | "union_specifier":
                    self._read_struct(child, "")
                case "type_definition":
                    self._read_typedef(child)
                case "ERROR" | "linkage_specification" | "declaration_list" | "compound_statement":
                    self.read(child)

    def _read_function(self, node: tree_sitter.Node) -> None:
        name, _ = read_declarator(node.child_by_field_name("declarator"))
        body = node.child_by_field_name("body")
        if not name or body is None:
            return
        self._read_types(node)
        first, last = line_of(node), node.end_point[0] + 1
        head = (node.text or b"")[: body.start_byte - node.start_byte]
        reader = FunctionBody(node, body)
        self.functions.append(
            Function(
                name,
                line_of(node.child_by_field_name("declarator") or node),
                re.search(rb"\bstatic\b", head) is not None,
                tuple(reader.calls),
                tuple(sorted(reader.identifiers)),
                tuple(asm for asm in self._asms if first <= asm.line <= last),
                tuple(reader.stores),
                type_name(node.child_by_field_name("type")),
                tuple(reader.parameters),
                tuple(reader.guards),
                read_returned(body),
            )
        )

    def _read_variables(self, node: tree_sitter.Node) -> None:
        static = any(
            child.type == "storage_class_specifier" and text_of(child) == "static"
            for child in node.children
        )
        kind = type_name(node.child_by_field_name("type"))
        for child in node.children_by_field_name("declarator"):
            name, function = read_declarator(child)
            if not name or is_prototype(child):
                continue
            value = child.child_by_field_name("value") if child.type == "init_declarator" else None
            stores, identifiers = [], []
            if value is not None:
                identifiers = names_in(value)
                stores = list(read_initialiser(value, Access(name, kind, ())))
            self.variables.append(
                VariableFact(
                    name,
                    line_of(node),
                    static,
                    "()" if function else kind,
                    tuple(stores),
                    tuple(sorted(set(identifiers))),
                )
            )

    def _read_types(self, node: tree_sitter.Node) -> None:
        kind = node.child_by_field_name("type")
        if kind is not None and kind.type in ("struct_specifier", "union_specifier"):
            self._read_struct(kind, "")

    def _read_typedef(self, node: tree_sitter.Node) -> None:
        kind = node.child_by_field_name("type")
        for child in node.children_by_field_name("declarator"):
            name, function = read_declarator(child)
            if not name or kind is None:
                continue
            if kind.type in ("struct_specifier", "union_specifier"):
                self._read_struct(kind, name)
                tag = kind.child_by_field_name("name")
                self.typedefs.append((name, text_of(tag) if tag else name))
            elif function:
                self.typedefs.append((name, "()"))
            elif type_name(kind):
                self.typedefs.append((name, type_name(kind)))

    def _read_struct(self, node: tree_sitter.Node, fallback: str) -> None:
        body = node.child_by_field_name("body")
        tag = node.child_by_field_name("name")
        name = text_of(tag) if tag else fallback
        if body is None or not name:
            return
        self.structs.append(Struct(name, line_of(node), tuple(self._read_fields(body, name))))

    def _read_fields(self, body: tree_sitter.Node, owner: str) -> Iterator[tuple[str, str]]:
        for child in body.named_children:
            if child.type != "field_declaration":
                if child.type == "ERROR":
                    yield from self._read_fields(child, owner)
                continue
            kind = child.child_by_field_name("type")
            declarators = child.children_by_field_name("declarator")
            inner = kind.child_by_field_name("body") if kind is not None else None
            if kind is None:
                continue
            if inner is not None and not declarators:
                yield from self._read_fields(inner, owner)
                continue
            field_type = type_name(kind)
            for declarator in declarators:
                name, function = read_declarator(declarator)
                if inner is not None and kind.type != "enum_specifier":
                    field_type = field_type or f"{owner}.{name}"
                    self.structs.append(
                        Struct(
                            field_type, line_of(child), tuple(self._read_fields(inner, field_type))
                        )
                    )
                if name:
                    yield name, "()" if function else field_type
