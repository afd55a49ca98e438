# SPDX-License-Identifier: GPL-2.0-or-later
"""Declarations of metavariables: which ones have a C type, and rules with untyped ones instead.

Coccinelle manual, "The SmPL grammar", metadecl. A declaration begins with a keyword of the grammar
or with a C type, followed by names, each with its constraints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from patchgen.coccinelle.dependency import drop_dependency
from patchgen.coccinelle.rules import Rule, read_rules

_COMMENT = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|((?<!\\)\"(?:\\.|[^\"\\\n])*+\")", re.DOTALL)
_INHERITED = re.compile(r"\b(?!virtual\b)[A-Za-z_]\w*\s*\.\s*(?=[A-Za-z_])")
_SCRIPT = re.compile(r":\s*script:\s*\w+\s*\([^()]*\)\s*\{[^{}]*\}")
# `expression list[n = {1...3}] es`: the length is neither a name nor a type.
_LENGTH = re.compile(r"\blist\s*\[[^\]]*\]")
_CONSTRAINT = re.compile(r"!=|==|=~|!~|=|<|>|:")
# Keywords that a C type may follow; without one the metavariable is untyped.
_MAY_HAVE_TYPE = frozenset({"expression", "idexpression", "constant", "local", "global"})
# Keywords that no C type follows. A declaration that begins with any other word begins with a type.
_UNTYPED = frozenset(
    {"identifier", "field", "statement", "type", "position", "parameter", "typedef", "symbol"}
    | {"iterator", "declarer", "declaration", "initializer", "initialiser", "function", "attribute"}
    | {"metavariable", "operator", "binary", "assignment", "format", "pragmainfo", "comments"}
    | {"fresh"}
)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration up to its semicolon, with comments and script constraints blanked."""

    text: str

    @property
    def words(self) -> list[str]:
        """Its words and operators, without white space."""
        return re.findall(r"\w+|\S", self.text)

    @property
    def kind(self) -> str:
        """Its first word, "" if it is empty."""
        return next(iter(self.words), "")

    @property
    def names(self) -> list[str]:
        """The metavariables: the last word of each part, before its constraints."""
        names = []
        for part in re.sub(r"\{[^}]*\}", " ", _LENGTH.sub("list ", self.text)).split(","):
            words = re.findall(r"[A-Za-z_]\w*", _CONSTRAINT.split(part)[0])
            names += words[-1:]
        return names

    @property
    def is_typed(self) -> bool:
        """Whether it has a C type, so that a match depends on spatch's type inference."""
        if self.kind in _MAY_HAVE_TYPE:
            first = _CONSTRAINT.split(_LENGTH.sub("list ", self.text).split(",")[0])[0]
            inherited = re.sub(r"\w+\s*\.\s*", "", first)
            rest = [word for word in re.findall(r"\w+|\S", inherited)[:-1] if word != "list"]
            return any(word not in _MAY_HAVE_TYPE for word in rest)
        return bool(self.kind) and self.kind not in _UNTYPED

    def plain(self) -> str:
        """Return it without types and inherited metavariables, on as many lines.

        An inherited position stays: it ties a rule to the place where another one matched.
        """
        breaks = "\n" * self.text.count("\n")
        if self.kind == "fresh":
            return breaks + f'fresh identifier {self.names[0]} = "patchgen"'
        if self.is_typed:
            return breaks + "expression " + ", ".join(self.names)
        if self.kind in ("", "position") or not _INHERITED.search(self.text):
            return self.text
        others = self.names[1:]
        return _INHERITED.sub("", _CONSTRAINT.split(self.text.split(",")[0])[0]) + "".join(
            f", {name}" for name in others
        )


def read_declarations(text: str) -> Iterator[Declaration]:
    """Yield the declarations of all rules of a semantic patch."""
    for _, _, declared, _ in _sections(text):
        yield from _declarations(declared)


def has_typed_metavariables(text: str) -> bool:
    """Return whether a metavariable has a C type; spatch then reads local headers (cocci.ml)."""
    return any(declaration.is_typed for declaration in read_declarations(text))


def has_numbered_identifiers(text: str) -> bool:
    """Return whether spatch numbers the names that it makes up, counting from file to file.

    It does for fresh identifiers, except those whose seed is a list: `fresh identifier x = "s" ##
    y;` (parsing_cocci/ast_cocci.ml, NoVal and StringSeed, unlike ListSeed).
    """
    fresh = (each for each in read_declarations(text) if each.kind == "fresh")
    return any("##" not in part for each in fresh for part in each.text.split(","))


def list_declared_words(text: str) -> frozenset[str]:
    """Return all words of the declarations of a semantic patch, including the names."""
    return frozenset(word for each in read_declarations(text) for word in each.words)


def plain_types(text: str, virtuals: Mapping[str, bool]) -> str | None:
    """Return the semantic patch with inherited and typed metavariables made plain ones.

    A dependency stays only if it cannot hold: if a rule inherits a position from a rule that
    depends on one in another function, the words of the latter are not in this function. `virtuals`
    maps each virtual rule to whether it is defined. Line numbers do not change. None if a
    declaration cannot be parsed.
    """
    lines = text.split("\n")
    for rule, before, declared, closing in _sections(text):
        declarations = list(_declarations(declared))
        if any("script" in each.words or not _is_whole(each) for each in declarations):
            return None
        plain = ";".join(each.plain() for each in declarations)
        header = drop_dependency(before, virtuals)
        lines[rule.start - 1 : rule.body - 1] = (header + plain + closing).split("\n")
    return "\n".join(lines)


def _sections(text: str) -> Iterator[tuple[Rule, str, str, str]]:
    """Yield each rule except scripts: its header, its declarations, and their closing `@@`."""
    lines = text.split("\n")
    for rule in read_rules(text):
        if not rule.is_script:
            head = "\n".join(lines[rule.start - 1 : rule.body - 1])
            opened = head.index("@", head.index("@") + 1) + 1
            closed = head.rindex("@@")
            yield rule, head[:opened], head[opened:closed], head[closed:]


def _declarations(declared: str) -> Iterator[Declaration]:
    declared = _COMMENT.sub(lambda found: found[1] or _only_breaks(found[0]), declared)
    declared = _SCRIPT.sub(lambda found: _only_breaks(found[0]), declared)
    return map(Declaration, declared.split(";"))


def _is_whole(declaration: Declaration) -> bool:
    return not declaration.kind or bool(declaration.names)


def _only_breaks(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
