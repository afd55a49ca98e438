# SPDX-License-Identifier: GPL-2.0-or-later
"""Each sentence of the texts that go to LKML, and the properties of every base that renders it.

A sentence is the text of its template, with white space collapsed and `{}` for a value. If a
condition chooses a part of a sentence, that part is a separate sentence. The properties of a base
are a set of literals, each of which can have a `!` for the opposite:

    NAME              a fact of the manifests, from `has.NAME` and from `when` of a patch
    patch NAME        the patch is in the series (`"NAME" in made`; or it is the patch's message)
    backend NAME      the backend is in the series
    needs TOKENS      a [[needs]] of the variant or of a backend in the series; a `// Needs:` line
                      of a recipe

The text of a recipe is that of its `///` and `//#` lines, which `patchgen run --split` puts into
the messages of its patches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jinja2
from jinja2 import nodes

from patchgen.coccinelle import Header, read_header
from patchgen.spec import list_recipes
from patchgen.spec.manifest import Need, PatchEntry
from patchgen.spec.variant import ManifestFile, Variant, load_variant
from tests.support import TOP

VARIANTS = TOP / "semantic-patches"
TEMPLATES = TOP / "templates"
# `patchgen run --split` renders these, for semantic patches that are not in a variant.
_CAMPAIGN = ("campaign-cover.txt.j2", "campaign-message.txt.j2")

# A clause holds if any of its literals does.
Clause = frozenset[str]
Clauses = frozenset[Clause]


@dataclass(frozen=True)
class Sentence:
    """A sentence of a template, and the conditions of the template under which it is rendered."""

    text: str
    clauses: Clauses


@dataclass(frozen=True)
class Use:
    """A text with a sentence: the variant, the patch (or cover), and the literals that hold.

    At least one literal of each of the `clauses` holds.
    """

    variant: str
    patch: str
    literals: frozenset[str]
    clauses: Clauses = frozenset()


def read_uses() -> dict[tuple[str, str], list[Use]]:
    """Return the uses of each sentence, by the path of its template and its text."""
    uses: dict[tuple[str, str], list[Use]] = {}
    for path in _list_templates():
        for sentence in read_sentences(path):
            uses.setdefault((_name(path), sentence.text), [])
    for variant in load_variants():
        for path, patch, literals in _list_messages(variant):
            folders = _folders(variant, path)
            for where, sentence in _walk(path, folders, frozenset()):
                clauses = sentence.clauses | {Clause({literal}) for literal in literals}
                closed = _close(variant, clauses)
                if closed is not None:
                    use = Use(variant.name, patch, closed, clauses)
                    uses[_name(where), sentence.text].append(use)
    for name in _CAMPAIGN:
        for sentence in read_sentences(TEMPLATES / name):
            use = Use("campaign", "", frozenset())
            uses[_name(TEMPLATES / name), sentence.text].append(use)
    for path, header in read_recipes().items():
        use = Use(path.stem, "", frozenset(f"needs {tokens}" for _, tokens in header.needs))
        uses |= {(_name(path), text): [use] for text in _split_header(header)}
    return uses


@cache
def read_recipes() -> Mapping[Path, Header]:
    """Return the headers of the semantic patches that patchgen ships without a variant."""
    return {recipe.path: read_header(recipe.path.read_text()) for recipe in list_recipes()}


def _split_header(header: Header) -> list[str]:
    """Return the sentences of a recipe; the first line of its purpose is the subject."""
    subject, _, purpose = header.purpose.partition("\n")
    return [subject, *split_text(purpose), *split_text(header.comments)]


@cache
def load_variants() -> tuple[Variant, ...]:
    """Return all variants that patchgen ships."""
    return tuple(load_variant(path.parent) for path in sorted(VARIANTS.glob("*/manifest.toml")))


def _list_templates() -> list[Path]:
    return sorted(path for top in (VARIANTS, TEMPLATES) for path in top.rglob("*.txt.j2"))


def _name(path: Path) -> str:
    return str(path.relative_to(TOP))


# --- where a template is used -------------------------------------------------------------------


def _list_messages(variant: Variant) -> Iterator[tuple[Path, str, frozenset[str]]]:
    """Yield each text of a variant: its template, its patch, and the literals that it implies."""
    cover = variant.manifest.variant.cover
    yield _find(cover, _unit_folders(variant, variant.units[0])), "cover letter", frozenset()
    for unit in variant.units:
        for patch in unit.manifest.patch:
            path = _find(patch.message, _unit_folders(variant, unit))
            yield path, patch.name, frozenset({f"patch {patch.name}"})


def _unit_folders(variant: Variant, unit: ManifestFile) -> tuple[Path, ...]:
    return (unit.folder, variant.folder, TEMPLATES)


def _folders(variant: Variant, path: Path) -> tuple[Path, ...]:
    owners = [unit.folder for unit in variant.units if path.is_relative_to(unit.folder)]
    return (*sorted(owners, key=lambda folder: -len(folder.parts)), variant.folder, TEMPLATES)


def _find(name: str, folders: Iterable[Path]) -> Path:
    return next(folder / name for folder in folders if (folder / name).is_file())


def _walk(
    path: Path, folders: tuple[Path, ...], clauses: Clauses
) -> Iterator[tuple[Path, Sentence]]:
    """Yield the sentences of a template and of what it includes."""
    for sentence in read_sentences(path):
        yield path, Sentence(sentence.text, sentence.clauses | clauses)
    for name, inner in _read(path).includes:
        yield from _walk(_find(name, folders), folders, clauses | inner)


def _close(variant: Variant, clauses: Clauses) -> frozenset[str] | None:
    """Return all literals that follow from the clauses, None if they contradict each other."""
    literals: set[str] = set()
    while True:
        before = len(literals)
        for clause in clauses:
            possible = {literal for literal in clause if negate(literal) not in literals}
            if not possible:
                return None
            # What follows from each possible literal follows from the clause.
            literals |= set.intersection(
                *({literal, *_follow(variant, {literal})} for literal in possible)
            )
        literals |= set(_follow(variant, literals))
        if any(negate(literal) in literals for literal in literals):
            return None
        if len(literals) == before:
            return frozenset(literals)


def negate(literal: str) -> str:
    """Return the opposite of a literal."""
    return literal.removeprefix("!") if literal.startswith("!") else f"!{literal}"


def _follow(variant: Variant, literals: set[str]) -> Iterator[str]:
    """Yield the literals that the manifests derive from others."""
    for unit in variant.units:
        if unit.backend is not None and f"backend {unit.backend}" not in literals:
            yield from _follow_patches(unit, literals)
            continue
        for need in unit.manifest.needs:
            if set(need.when) <= literals:
                yield needs_literal(need)
        yield from _follow_patches(unit, literals)


def needs_literal(need: Need) -> str:
    """Return the literal for a need of a manifest."""
    return f"{'!' if need.absent else ''}needs {' '.join(need.tokens.split())}"


def _follow_patches(unit: ManifestFile, literals: set[str]) -> Iterator[str]:
    for patch in unit.manifest.patch:
        if f"patch {patch.name}" in literals:
            yield from patch.when
            if unit.backend is not None:
                yield f"backend {unit.backend}"
        elif _is_out(unit, patch, literals):
            yield f"!patch {patch.name}"


def _is_out(unit: ManifestFile, patch: PatchEntry, literals: set[str]) -> bool:
    if unit.backend is not None and f"!backend {unit.backend}" in literals:
        return True
    return any(negate(literal) in literals for literal in patch.when)


# --- the sentences of a template ----------------------------------------------------------------


def read_sentences(path: Path) -> tuple[Sentence, ...]:
    """Return the sentences of a template, without those of what it includes."""
    return tuple(dict.fromkeys(_read(path).sentences))


@cache
def _read(path: Path) -> _Pieces:
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    pieces = _Pieces()
    pieces.visit(environment.parse(path.read_text(encoding="utf-8")).body, frozenset())
    pieces.flush()
    return pieces


class _Pieces:
    """Collects texts in the order of a template, and cuts them into sentences."""

    def __init__(self) -> None:
        self.sentences: list[Sentence] = []
        self.includes: list[tuple[str, Clauses]] = []
        self._text = ""
        self._clauses: Clauses = frozenset()

    def flush(self) -> None:
        self.sentences += [Sentence(text, self._clauses) for text in split_text(self._text)]
        self._text = ""

    def _add(self, text: str, clauses: Clauses) -> None:
        if clauses != self._clauses:
            self.flush()
        self._clauses = clauses
        self._text += text

    def visit(self, body: Iterable[nodes.Node], clauses: Clauses) -> None:
        for node in body:
            if isinstance(node, nodes.Output):
                self._output(node, clauses)
                continue
            self.flush()
            if isinstance(node, nodes.If):
                self._if(node, clauses)
            elif isinstance(node, nodes.Include):
                assert isinstance(node.template, nodes.Const)
                self.includes.append((node.template.value, clauses))
            elif isinstance(node, nodes.For):
                self.visit(node.body, clauses)
                self.flush()
                self.visit(node.else_, clauses)
            elif isinstance(node, nodes.Assign):
                self._expression(node.node, clauses)
            elif isinstance(node, (nodes.AssignBlock, nodes.Macro)):
                self.visit(node.body, clauses)
            else:
                raise AssertionError(f"no rule for {node!r}")
            self.flush()

    def _if(self, node: nodes.If, clauses: Clauses) -> None:
        self.visit(node.body, clauses | _clauses(node.test, holds=True))
        self.flush()
        clauses |= _clauses(node.test, holds=False)
        if node.elif_:
            first, *others = node.elif_
            self._if(nodes.If(first.test, first.body, others, node.else_), clauses)
        else:
            self.visit(node.else_, clauses)

    def _output(self, node: nodes.Output, clauses: Clauses) -> None:
        for child in node.nodes:
            if isinstance(child, nodes.TemplateData):
                self._add(child.data, clauses)
            elif list(_prose(child, clauses)):
                self._expression(child, clauses)
            else:
                self._add("{}", clauses)

    def _expression(self, node: nodes.Node, clauses: Clauses) -> None:
        for text, inner in _prose(node, clauses):
            self.flush()
            self._add(text, inner)
            self.flush()


def _prose(node: nodes.Node, clauses: Clauses) -> Iterator[tuple[str, Clauses]]:
    """Yield the texts in an expression, and the conditions under which it has that value."""
    if isinstance(node, nodes.Const):
        if isinstance(node.value, str) and re.search(
            r"[A-Za-z]{3}.* |\S .*[A-Za-z]{3}", node.value
        ):
            yield re.sub(r"%\d*[sd]", "{}", node.value), clauses
    elif isinstance(node, nodes.CondExpr):
        yield from _prose(node.expr1, clauses | _clauses(node.test, holds=True))
        if node.expr2 is not None:
            yield from _prose(node.expr2, clauses | _clauses(node.test, holds=False))
    elif isinstance(node, nodes.Filter) and node.name != "format":
        if node.node is not None:
            yield from _prose(node.node, clauses)
    elif not isinstance(node, (nodes.Compare, nodes.Test, nodes.Getitem, nodes.Getattr)):
        for child in node.iter_child_nodes():
            yield from _prose(child, clauses)


def _clauses(test: nodes.Node, *, holds: bool) -> Clauses:
    """Return the clauses that hold if a test holds, or if it fails."""
    if isinstance(test, nodes.Not):
        return _clauses(test.node, holds=not holds)
    if isinstance(test, (nodes.And, nodes.Or)):
        left, right = (_clauses(side, holds=holds) for side in (test.left, test.right))
        if isinstance(test, nodes.And) == holds:
            return left | right
        return frozenset(one | other for one in left for other in right)
    literal = _literal(test)
    return frozenset({Clause({literal if holds else negate(literal)})}) if literal else frozenset()


def _literal(test: nodes.Node) -> str | None:
    if isinstance(test, nodes.Getattr) and isinstance(test.node, nodes.Name):
        return test.attr if test.node.name == "has" else None
    if isinstance(test, nodes.Compare) and isinstance(test.expr, nodes.Const):
        operand = test.ops[0]
        names = {"made": "patch", "backends": "backend"}
        if operand.op in ("in", "notin") and isinstance(operand.expr, nodes.Name):
            kind = names.get(operand.expr.name)
            negative = "!" if operand.op == "notin" else ""
            return f"{negative}{kind} {test.expr.value}" if kind else None
    return None


def split_text(text: str) -> list[str]:
    """Return the sentences of a text; a heading and each item of a list are separate sentences."""
    sentences = []
    for paragraph in re.split(r"\n[ \t]*\n|\n(?=[ \t]*- )", text):
        line = " ".join(paragraph.split()).removeprefix("- ")
        sentences += re.split(r"(?<=[.?!]) (?=\S)", line)
    return [sentence for sentence in sentences if re.search(r"[A-Za-z]{3}", sentence)]
