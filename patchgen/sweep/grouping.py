"""Which files may share a spatch: told from what a semantic patch's scripts keep.

spatch runs `initialize` rules once, before its first file, and `finalize` rules once, behind its
last one; what they define lives as long as spatch does (Coccinelle's manual, "Interaction with
scripting languages"). A table that one file fills changes what is found in the next one, and so a
result would depend on which files happened to be beside it.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Sequence
from enum import StrEnum

from patchgen.sweep.scripts import Script


class Grouping(StrEnum):
    """Which files one spatch is given."""

    ANY = "any"
    """As it suits: a file's result does not depend on another file."""
    APART = "apart"
    """Each file alone: scripts keep something from file to file."""
    TOGETHER = "together"
    """All of them: a finalize rule looks back at what was seen."""


def choose_grouping(scripts: Sequence[Script]) -> Grouping:
    """Return how files may be grouped where these scripts run; in doubt, each is apart."""
    if any(script.kind == "finalize" for script in scripts):
        return Grouping.TOGETHER
    # Only what an initialize rule has defined is there before the first file, and only another
    # script can change it.
    for language in {script.language for script in scripts if script.kind == "initialize"}:
        own = [script for script in scripts if script.language == language]
        keeps = _python_keeps if language == "python" else _ocaml_keeps
        if any(script.kind == "script" for script in own) and keeps(own):
            return Grouping.APART
    return Grouping.ANY


# What can be changed once it is made, in OCaml's own words.
_CHANGEABLE = re.compile(
    r"\b(ref|mutable|Hashtbl|Buffer|Queue|Stack|Array|Bytes|Bigarray|Weak|incr|decr)\b|:=|<-"
)
# Calls whose result cannot be changed.
_FIXED_CALLS = frozenset({"frozenset", "tuple", "str", "int", "float", "bool", "re.compile"})


def _python_keeps(scripts: Iterable[Script]) -> bool:
    """Tell whether Python scripts may hand something on from one file to the next."""
    names: set[str] = set()
    stored: set[str] = set()
    for script in scripts:
        try:
            module = ast.parse(textwrap.dedent(script.body))
        except (SyntaxError, ValueError):
            return True
        if any(isinstance(node, ast.Global) for node in ast.walk(module)):
            return True
        if script.kind == "initialize":
            if not all(_is_harmless(statement) for statement in module.body):
                return True
            names |= _list_stored(module)
        else:
            stored |= _list_stored(module)
    return not names.isdisjoint(stored)


def _ocaml_keeps(scripts: Iterable[Script]) -> bool:
    return any(_CHANGEABLE.search(script.body) for script in scripts)


def _list_stored(module: ast.Module) -> set[str]:
    return {
        node.id
        for node in ast.walk(module)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }


def _is_harmless(statement: ast.stmt) -> bool:
    """Tell whether nothing that a later script could change comes from a statement."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Pass() | ast.Expr():
            return True
        case ast.Assign(value=value):
            return _is_fixed(value)
        case ast.FunctionDef(args=args):
            defaults = (*args.defaults, *(each for each in args.kw_defaults if each is not None))
            return all(_is_fixed(each) for each in defaults)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=finalbody):
            inner = [*body, *orelse, *finalbody, *(one for each in handlers for one in each.body)]
            return all(_is_harmless(each) for each in inner)
        case ast.If(body=body, orelse=orelse):
            return all(_is_harmless(each) for each in (*body, *orelse))
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
