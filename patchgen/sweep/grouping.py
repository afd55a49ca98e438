# SPDX-License-Identifier: GPL-2.0-or-later
"""Determine which files may share a spatch process, from what the scripts keep between files.

spatch runs `initialize` rules once, before its first file, and `finalize` rules once, after its
last one; what they define lives as long as the process (Coccinelle's manual, "Interaction with
scripting languages"). A table that is filled for one file changes what is found in the next, so a
result would depend on the files that happen to be in the same batch.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Sequence
from enum import StrEnum

from patchgen.coccinelle import Rule


class Grouping(StrEnum):
    """How files are assigned to spatch processes."""

    ANY = "any"
    """In any way: the result of a file does not depend on other files."""
    APART = "apart"
    """One file each: scripts keep state between files."""
    TOGETHER = "together"
    """All files in one process: a finalize rule uses what was collected."""


def choose_grouping(scripts: Sequence[Rule]) -> Grouping:
    """Return how files may be grouped if these scripts run; APART in doubt."""
    if any(script.kind == "finalize" for script in scripts):
        return Grouping.TOGETHER
    # Before the first file, only an initialize rule can have defined state; only another script
    # can change it.
    for language in {script.language for script in scripts if script.kind == "initialize"}:
        own = [script for script in scripts if script.language == language]
        keeps = _python_keeps_state if language == "python" else _ocaml_keeps_state
        if any(script.kind == "script" for script in own) and keeps(own):
            return Grouping.APART
    return Grouping.ANY


# OCaml's mutable types and its assignments.
_CHANGEABLE = re.compile(
    r"\b(ref|mutable|Hashtbl|Buffer|Queue|Stack|Array|Bytes|Bigarray|Weak|incr|decr)\b|:=|<-"
)
# Calls with an immutable result.
_FIXED_CALLS = frozenset({"frozenset", "tuple", "str", "int", "float", "bool", "re.compile"})


def _python_keeps_state(scripts: Iterable[Rule]) -> bool:
    """Return whether Python scripts may pass state from one file to the next."""
    names: set[str] = set()
    stored: set[str] = set()
    for script in scripts:
        try:
            module = ast.parse(textwrap.dedent(script.script))
        except (SyntaxError, ValueError):
            return True
        if any(isinstance(node, ast.Global) for node in ast.walk(module)):
            return True
        if script.kind == "initialize":
            if not all(_is_harmless(statement) for statement in module.body):
                return True
            names |= _list_stored_names(module)
        else:
            stored |= _list_stored_names(module)
    return not names.isdisjoint(stored)


def _ocaml_keeps_state(scripts: Iterable[Rule]) -> bool:
    return any(_CHANGEABLE.search(script.script) for script in scripts)


def _list_stored_names(module: ast.Module) -> set[str]:
    return {
        node.id
        for node in ast.walk(module)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }


def _is_harmless(statement: ast.stmt) -> bool:
    """Return whether a later script cannot change what a statement creates."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr():
            return True
        case ast.Assign(value=value):
            return _is_fixed(value)
        case ast.FunctionDef(args=args):
            defaults = (
                *args.defaults,
                *(default for default in args.kw_defaults if default is not None),
            )
            return all(_is_fixed(default) for default in defaults)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            inner = [
                *body,
                *orelse,
                *finalbody,
                *(statement for handler in handlers for statement in handler.body),
            ]
            return all(map(_is_harmless, inner))
        case ast.If(body=body, orelse=orelse):
            return all(map(_is_harmless, (*body, *orelse)))
    return False


def _is_fixed(value: ast.expr) -> bool:
    match value:
        case ast.Constant() | ast.Name() | ast.Attribute() | ast.Lambda() | ast.JoinedStr():
            return True
        case ast.Tuple(elts=parts):
            return all(_is_fixed(part) for part in parts)
        case ast.UnaryOp(operand=operand):
            return _is_fixed(operand)
        case ast.BinOp(left=left, right=right):
            return _is_fixed(left) and _is_fixed(right)
        case ast.Call(func=function):
            return ast.unparse(function) in _FIXED_CALLS
    return False
