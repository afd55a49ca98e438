# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the nodes of a syntax tree: names, types, declarators, initialisers."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter

from patchgen.audit.facts import Access, StoreFact

SHORT_LENGTH = 80
_LEAVES = """
    char_literal comment field_identifier null number_literal primitive_type statement_identifier
    string_literal type_identifier
"""
# The most frequent nodes that contain no identifiers which denote values.
LEAVES = frozenset(_LEAVES.split())
_MAX_TEXT = 300


def text_of(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def shorten(node: tree_sitter.Node, length: int = SHORT_LENGTH) -> str:
    return " ".join(text_of(node).split())[:length]


def line_of(node: tree_sitter.Node) -> int:
    return node.start_point[0] + 1


def type_name(node: tree_sitter.Node | None) -> str:
    """Return the name of a type: of the struct, or of the typedef."""
    if node is None:
        return ""
    if node.type in ("struct_specifier", "union_specifier", "enum_specifier"):
        name = node.child_by_field_name("name")
        return text_of(name) if name else ""
    if node.type == "type_identifier":
        return text_of(node)
    return ""


def read_declarator(node: tree_sitter.Node | None) -> tuple[str, bool]:
    """Return the declared name, and whether it is a function or a pointer to one."""
    function = False
    while node is not None:
        if node.type in ("identifier", "field_identifier", "type_identifier"):
            return text_of(node), function
        if node.type == "function_declarator":
            function = True
        inner = node.child_by_field_name("declarator")
        if inner is None:
            declarators = [
                child
                for child in node.named_children
                if child.type.endswith("declarator")
                or child.type in ("identifier", "field_identifier", "type_identifier")
            ]
            inner = declarators[0] if declarators else None
        node = inner
    return "", function


def is_prototype(node: tree_sitter.Node | None) -> bool:
    """Return whether a declarator declares a function, not a pointer to one."""
    while node is not None:
        inner = node.child_by_field_name("declarator")
        if node.type == "function_declarator":
            return inner is not None and inner.type == "identifier"
        node = inner
    return False


def names_in(node: tree_sitter.Node) -> list[str]:
    """Return the identifiers of an expression that denote values, in order."""
    if node.type == "identifier":
        return [text_of(node)]
    names = []
    stack = [node]
    while stack:
        child = stack.pop()
        kind = child.type
        if kind == "identifier":
            names.append(text_of(child))
        elif kind not in LEAVES and kind != "sizeof_expression":
            stack.extend(reversed(child.named_children))
    return names


def read_initialiser(node: tree_sitter.Node, target: Access) -> Iterator[StoreFact]:
    """Yield the stores of an initialiser, member by member. `*` is a member without a name."""
    if node.type != "initializer_list":
        if node.type == "compound_literal_expression":
            value = node.child_by_field_name("value")
            if value is not None:
                yield from read_initialiser(value, target)
            return
        names = names_in(node)
        if names:
            yield StoreFact(line_of(node), target, tuple(names))
        return
    for child in node.named_children:
        if child.type == "initializer_pair":
            members = [
                text_of(part.named_children[0])
                for part in child.children_by_field_name("designator")
                if part.type == "field_designator" and part.named_children
            ]
            value = child.child_by_field_name("value")
            if value is not None:
                inner = target._replace(members=(*target.members, *members))
                yield from read_initialiser(value, inner)
        elif child.type == "initializer_list":
            yield from read_initialiser(child, target)
        elif child.type != "comment":
            yield from read_initialiser(child, target._replace(members=(*target.members, "*")))


def read_returned(body: tree_sitter.Node) -> str:
    """Return the expression of a body that consists of one return statement, else ""."""
    inner = [child for child in body.named_children if child.type != "comment"]
    if len(inner) != 1 or inner[0].type != "return_statement" or not inner[0].named_children:
        return ""
    text = " ".join(text_of(inner[0].named_children[0]).split())
    return text if len(text) <= _MAX_TEXT else ""
