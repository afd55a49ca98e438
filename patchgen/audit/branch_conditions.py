# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the conditions under which the statements of a function run, from its syntax tree.

Conditions come from what encloses a statement (`if`, `while`, `for`, `switch`, `?:`, `&&`, `||`)
and from earlier statements that leave the function or the block (`if (!x) return;`). After a label,
the conditions found before it are uncertain: a jump to the label may bypass them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import tree_sitter

from patchgen.audit.facts import Guard
from patchgen.audit.syntax import line_of, text_of

Guards = tuple[Guard, ...]
_Visit = tuple[tree_sitter.Node, Guards]
_MAX_TEXT = 300
_JUMPS = frozenset(["return_statement", "goto_statement", "break_statement", "continue_statement"])
_NO_RETURN = frozenset(["panic", "BUG", "do_exit", "sev_es_terminate", "unreachable"])


def descend(node: tree_sitter.Node, kind: str, guards: Guards) -> list[_Visit]:
    """Return the children of a syntax node, each with the conditions that it runs under.

    `kind` is the node's type.
    """
    if kind in _DESCENTS:
        return list(_DESCENTS[kind](node, guards))
    return [(child, guards) for child in node.named_children]


def _make_guard(condition: tree_sitter.Node, *, holds: bool) -> Guard:
    text = " ".join(text_of(condition).split())
    return Guard(line_of(condition), text if len(text) <= _MAX_TEXT else "", holds)


def _mark_unsure(guards: Guards) -> Guards:
    return tuple(guard._replace(sure=False) for guard in guards)


def _descend_choice(node: tree_sitter.Node, guards: Guards) -> Iterator[_Visit]:
    condition = node.child_by_field_name("condition")
    consequence = node.child_by_field_name("consequence")
    alternative = node.child_by_field_name("alternative")
    for child in node.named_children:
        if condition is not None and child == consequence:
            yield child, (*guards, _make_guard(condition, holds=True))
        elif condition is not None and child == alternative:
            yield child, (*guards, _make_guard(condition, holds=False))
        else:
            yield child, guards


def _descend_loop(node: tree_sitter.Node, guards: Guards) -> Iterator[_Visit]:
    condition = node.child_by_field_name("condition")
    body = node.child_by_field_name("body")
    for child in node.named_children:
        inside = condition is not None and child == body
        yield (
            child,
            (*guards, _make_guard(condition, holds=True)) if inside and condition else guards,
        )


def _descend_binary(node: tree_sitter.Node, guards: Guards) -> Iterator[_Visit]:
    operator = node.child_by_field_name("operator")
    if operator is None or operator.type not in ("&&", "||"):
        yield from ((child, guards) for child in node.named_children)
        return
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    for child in node.named_children:
        if left is not None and child == right:
            yield child, (*guards, _make_guard(left, holds=operator.type == "&&"))
        else:
            yield child, guards


def _descend_switch(node: tree_sitter.Node, guards: Guards) -> Iterator[_Visit]:
    """Yield each case under the comparison with its value and those that fall through to it."""
    value = node.child_by_field_name("condition")
    body = node.child_by_field_name("body")
    if value is None or body is None:
        yield from ((child, guards) for child in node.named_children)
        return
    yield value, guards
    text = " ".join(text_of(value).split())
    cases = [child for child in body.named_children if child.type == "case_statement"]
    all_tests = [_compare(text, label) for case in cases if (label := _read_label(case))]
    falling: list[str] = []
    for child in body.named_children:
        if child.type != "case_statement":
            yield child, guards
            continue
        label = _read_label(child)
        test = _compare(text, label) if label else f"!({' || '.join(all_tests) or '0'})"
        falling.append(test)
        tests = " || ".join(falling)
        if len(tests) > _MAX_TEXT:
            tests = ""
        yield child, (*guards, Guard(line_of(child), tests, True))
        if _leaves(child):
            falling = []


def _read_label(case: tree_sitter.Node) -> str:
    value = case.child_by_field_name("value")
    return " ".join(text_of(value).split()) if value is not None else ""


def _compare(value: str, label: str) -> str:
    return f"({value} == {label})"


def _descend_label(node: tree_sitter.Node, guards: Guards) -> Iterator[_Visit]:
    guards = _mark_unsure(guards)
    yield from ((child, guards) for child in node.named_children)


def _descend_sequence(node: tree_sitter.Node, guards: Guards) -> Iterator[_Visit]:
    for child in node.named_children:
        if child.type == "labeled_statement":
            guards = _mark_unsure(guards)
        yield child, guards
        guards = (*guards, *_find_guard_after(child))


def _find_guard_after(statement: tree_sitter.Node) -> Iterator[Guard]:
    """Yield the condition that holds after an `if` whose other branch leaves."""
    if statement.type != "if_statement":
        return
    condition = statement.child_by_field_name("condition")
    consequence = statement.child_by_field_name("consequence")
    alternative = statement.child_by_field_name("alternative")
    if condition is None or consequence is None:
        return
    if _leaves(consequence):
        yield _make_guard(condition, holds=False)
    elif alternative is not None and _leaves(alternative):
        yield _make_guard(condition, holds=True)


def _leaves(statement: tree_sitter.Node) -> bool:
    """Return whether control never continues after a statement."""
    if statement.type in _JUMPS:
        return True
    if statement.type in ("compound_statement", "else_clause", "case_statement"):
        inner = [child for child in statement.named_children if child.type != "comment"]
        return bool(inner) and _leaves(inner[-1])
    if statement.type == "if_statement":
        branches = [statement.child_by_field_name(n) for n in ("consequence", "alternative")]
        return all(branch is not None and _leaves(branch) for branch in branches)
    return statement.type == "expression_statement" and _never_returns(statement.named_children)


def _never_returns(parts: Iterable[tree_sitter.Node]) -> bool:
    for part in parts:
        callee = part.child_by_field_name("function") if part.type == "call_expression" else None
        if callee is not None and text_of(callee) in _NO_RETURN:
            return True
    return False


_DESCENTS: Mapping[str, Callable[[tree_sitter.Node, Guards], Iterable[_Visit]]] = {
    "if_statement": _descend_choice,
    "conditional_expression": _descend_choice,
    "while_statement": _descend_loop,
    "for_statement": _descend_loop,
    "binary_expression": _descend_binary,
    "switch_statement": _descend_switch,
    "compound_statement": _descend_sequence,
    "case_statement": _descend_sequence,
    "labeled_statement": _descend_label,
}
