# SPDX-License-Identifier: GPL-2.0-or-later
"""Declarations of metavariables: what they inherit, whether they have a C type, and plain ones.

Coccinelle manual, "The SmPL grammar", metadecl. A declaration begins with a keyword of the grammar
or with a C type, followed by names, each with its constraints.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_INHERITED = re.compile(r"\b(?!virtual\b)([A-Za-z_]\w*)\s*\.\s*([A-Za-z_]\w*)")
_EXCLUDED = re.compile(r"!=\s*(?:\{[^{}]*\}|\w+\s*\.\s*\w+)")
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
    """A declaration up to its semicolon, with spaces in place of comments and script constraints.

    In `code` there are spaces in place of literals, too.
    """

    code: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words and operators, without white space and literals."""
        return re.findall(r"\w+|\S", self.code)

    @property
    def kind(self) -> str:
        """Its first word, "" if it is empty."""
        return next(iter(self.words), "")

    @property
    def names(self) -> list[str]:
        """The metavariables."""
        return [name for _, name in self._parts()]

    @property
    def own_positions(self) -> list[str]:
        """The position metavariables that it does not inherit."""
        is_position = self.kind == "position"
        return [name for part, name in self._parts() if is_position and "." not in part]

    @property
    def inherited(self) -> list[tuple[str, str]]:
        """The metavariables of other rules that it takes, as pairs of rule and name."""
        return _INHERITED.findall(_EXCLUDED.sub("", self.code))

    @property
    def excluded(self) -> set[str]:
        """The rules whose metavariables it excludes (`p != r.p`)."""
        return {
            rule for part in _EXCLUDED.findall(self.code) for rule, _ in _INHERITED.findall(part)
        }

    @property
    def is_readable(self) -> bool:
        """Whether its names, if any, and its constraints can be parsed."""
        return "script" not in self.words and (not self.kind or bool(self.names))

    @property
    def is_typed(self) -> bool:
        """Whether it has a C type, so that a match depends on spatch's type inference."""
        if self.kind in _MAY_HAVE_TYPE:
            first = _CONSTRAINT.split(_LENGTH.sub("list ", self.code).split(",")[0])[0]
            unqualified = re.sub(r"\w+\s*\.\s*", "", first)
            type_words = [
                word for word in re.findall(r"\w+|\S", unqualified)[:-1] if word != "list"
            ]
            return any(word not in _MAY_HAVE_TYPE for word in type_words)
        return bool(self.kind) and self.kind not in _UNTYPED

    @property
    def is_numbered(self) -> bool:
        """Whether spatch numbers the names that it makes up, counting from file to file.

        It does for fresh identifiers, except those whose seed is a list: `fresh identifier x = "s"
        ## y;` (parsing_cocci/ast_cocci.ml, NoVal and StringSeed, unlike ListSeed).
        """
        return self.kind == "fresh" and any("##" not in part for part in self.code.split(","))

    def plain(self) -> str:
        """Return it without types and inherited metavariables, on as many lines.

        An inherited position remains: it ties a rule to the place where another one matched.
        """
        breaks = "\n" * self.text.count("\n")
        if self.kind == "fresh":
            return breaks + f'fresh identifier {self.names[0]} = "patchgen"'
        if self.is_typed:
            return breaks + "expression " + ", ".join(self.names)
        if self.kind in ("", "position") or not _INHERITED.search(self.code):
            return self.text
        first = _CONSTRAINT.split(self.code.split(",")[0])[0]
        return ", ".join([_INHERITED.sub(r"\2", first), *self.names[1:]])

    def _parts(self) -> Iterator[tuple[str, str]]:
        """Yield each part that declares a metavariable, before its constraints, with the name."""
        code = re.sub(r"\{[^}]*\}", " ", _LENGTH.sub("list ", self.code))
        for part in code.split(","):
            before = _CONSTRAINT.split(part)[0]
            for name in re.findall(r"[A-Za-z_]\w*", before)[-1:]:
                yield before, name


def split_declarations(code: str, text: str) -> tuple[Declaration, ...]:
    """Split a section of declarations; `code` has spaces in place of the literals of `text`."""
    for script in _SCRIPT.finditer(code):
        begin, end = script.span()
        spaces = re.sub(r"[^\n]", " ", script[0])
        code, text = (f"{section[:begin]}{spaces}{section[end:]}" for section in (code, text))
    declarations = []
    at = 0
    for part in code.split(";"):
        declarations.append(Declaration(part, text[at : at + len(part)]))
        at += len(part) + 1
    return tuple(declarations)
