"""The words that a semantic patch needs: in a file, and in a function.

spatch works them out itself, isomorphisms, disjunctions and dependencies included
(parsing_cocci/get_constants2.ml), and says them with `--parse-cocci --debug-parse-cocci`:

    Rule: r
    Dependencies: no_dep
    Result: true                          what the rule's dependencies need
    Result_from_code: (kmalloc&memset)    what its code needs

A rule's match lies in one function or other top-level item ("all the tokens within a rule should be
in a single CFG entity", cocci.ml). So the code's formula holds for that item's own text, if only
words from elsewhere are kept out of it: what a metavariable inherits was matched in any function,
and the type of one is that of a declaration anywhere. spatch is asked a second time with such
metavariables made plain. An inherited position stays: it says that both rules match in one place.
And it is asked once more with operators spelt as words (patchgen.coccinelle.operators).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from patchgen.coccinelle.consequence import find_consequential, rule_parts, traced_name
from patchgen.coccinelle.diagnose import explain_refusal
from patchgen.coccinelle.formula import (
    ALWAYS,
    NEVER,
    Formula,
    all_of,
    any_of,
    parse_formula,
    words_of,
)
from patchgen.coccinelle.header import read_header
from patchgen.coccinelle.metavariables import list_declared_words, plain_types
from patchgen.coccinelle.operators import OPERATORS, name_operators, spell_operators
from patchgen.coccinelle.program import Spatch, write_companions
from patchgen.coccinelle.structure import Rule, read_rules
from patchgen.coccinelle.trust import check_harmless
from patchgen.coccinelle.witness import without_witnesses
from patchgen.errors import SpecError
from patchgen.model.smpl import SemanticPatch
from patchgen.process import Completed, map_parallel
from patchgen.scratch import scratch_folder

_SAID = re.compile(
    r"^Rule: (?P<rule>[^\n]*)\nDependencies: (?:(?!^Rule: ).)*?\n"
    r"Result: (?P<needs>[^\n]*)\n(?:Result_from_code: (?P<code>[^\n]*)\n)?",
    re.MULTILINE | re.DOTALL,
)
_NOT_UNDERSTOOD = "a metavariable's declaration is not understood"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a file must have to be worth a run, and what a function must have, one of these.

    `functions` is None where it cannot be told; `why_not` says the reason.
    """

    file: Formula
    functions: tuple[Formula, ...] | None
    why_not: str = ""


def find_needs(
    spatch: Spatch,
    patch: SemanticPatch,
    modes: Sequence[str],
    companions: Mapping[str, str] = MappingProxyType({}),
    *,
    may_run_code: bool = False,
) -> Needs:
    """Ask spatch what words a semantic patch needs, in a file and in each function.

    `companions` are files that it includes. Rules that stand there are not known here, so that
    with them only a file's needs can be told.

    Raises SpecError, at the template's line, where spatch refuses the semantic patch, and where it
    would run code and is not trusted.
    """
    plain, why_not = _make_plain(patch, modes, companions)
    asked = [patch.text] if plain is None else [patch.text, plain, spell_operators(plain)]
    # Each takes as long as the rules take to be read, and all are asked at once.
    texts = list(dict.fromkeys(asked))
    for text in texts if not may_run_code else ():
        check_harmless(patch, text, companions)
    answers = map_parallel(
        lambda text: _ask(spatch, patch, text, modes, companions), texts, workers=len(texts)
    )
    answered = dict(zip(texts, answers, strict=True))
    done, *others = (answered[text] for text in asked)
    said = done.stdout.decode("latin-1")
    if done.returncode != 0:
        refusal = explain_refusal(patch, without_witnesses(patch.text), done, said)
        if isinstance(refusal, SpecError):
            raise refusal
        return Needs(ALWAYS, None, "spatch does not say which words it needs")
    try:
        functions = None
        if plain is not None:
            before = read_codes(said, patch.text)
            again, spelt = (
                read_codes(each.stdout.decode("latin-1"), patch.text) for each in others
            )
            codes = _join_operators(again, spelt)
            functions, why_not = _find_function_needs(patch.text, before, codes)
        return Needs(read_file_need(said, patch.text), functions, why_not)
    except ValueError:
        # The value of a virtual identifier may be any text.
        return Needs(ALWAYS, None, "the words that it needs are not understood")


def _make_plain(
    patch: SemanticPatch, modes: Sequence[str], companions: Mapping[str, str]
) -> tuple[str | None, str]:
    """Return the text in which no word of a metavariable's comes from elsewhere; None, and why."""
    if companions:
        return None, "it includes other files"
    if any(re.search(r"\bextends\b", _header(patch.text, rule)) for rule in read_rules(patch.text)):
        return None, "a rule extends another one"
    virtuals = {name: name in modes for name in read_header(patch.text).rules}
    plain = plain_types(patch.text, virtuals)
    return plain, "" if plain else _NOT_UNDERSTOOD


def _find_function_needs(
    text: str, before: list[tuple[str, Formula]], codes: list[tuple[str, Formula]]
) -> tuple[tuple[Formula, ...] | None, str]:
    """Return what a function must have, one of these; None, and why, where it cannot be told.

    `codes` are what the rules need with their metavariables made plain, `before` without.
    """
    wanted = find_consequential(text)
    known = {traced_name(rule) for rule in read_rules(text)}
    found = dict.fromkeys(
        code
        for name, code in codes
        # Prototypes stand outside of functions. Another rule that is not known was misread.
        if name in wanted or (name not in known and not name.startswith("proto for "))
    )
    # spatch leaves out words beside rarer ones, so that a rule that inherits less may have more. A
    # metavariable whose declaration was misread would be one of them.
    more = _all_words(found) - _all_words(code for _, code in before) - OPERATORS
    if not codes or not more.isdisjoint(list_declared_words(text)):
        return None, _NOT_UNDERSTOOD
    if ALWAYS in found or not wanted:
        return None, "a rule needs no words"
    return tuple(code for code in found if code != NEVER), ""


def _join_operators(
    codes: list[tuple[str, Formula]], spelt: list[tuple[str, Formula]]
) -> list[tuple[str, Formula]]:
    """Return what rules need, and of operators what spatch says where these are spelt as words.

    Words may be left out beside these, so that both hold. Where spatch does not take the text that
    has operators as words, nothing is known of them.
    """
    if [name for name, _ in codes] != [name for name, _ in spelt]:
        return codes
    return [
        (name, code if code == more else all_of(code, name_operators(more)))
        for (name, code), (_, more) in zip(codes, spelt, strict=True)
    ]


def read_file_need(said: str, text: str) -> Formula:
    """Return what a file needs, from what spatch said of a semantic patch."""
    modifying = {traced_name(rule): rule.modifies for rule in read_rules(text)}
    parts = []
    for found in _SAID.finditer(said):
        dependencies = _read_formula(found["needs"], text)
        if found["code"] is None:
            parts.append(dependencies)
        elif modifying.get(found["rule"], True):
            parts.append(all_of(dependencies, _read_formula(found["code"], text)))
    return any_of(*parts) if parts else ALWAYS


def read_codes(said: str, text: str) -> list[tuple[str, Formula]]:
    """Return each rule, by the name that spatch gives it, and what its code needs."""
    return [
        (found["rule"], _read_formula(found["code"], text))
        for found in _SAID.finditer(said)
        if found["code"] is not None
    ]


def _read_formula(said: str, text: str) -> Formula:
    """Read a formula; `false` is a word only of a semantic patch that has it."""
    is_word = re.search(r"\bfalse\b", text) is not None
    return parse_formula(said) if is_word or said.strip() != "false" else NEVER


def _header(text: str, rule: Rule) -> str:
    return "" if rule.is_script else rule_parts(text, rule)[0]


def _all_words(codes: Iterable[Formula]) -> frozenset[str]:
    return frozenset().union(*map(words_of, codes))


def _ask(
    spatch: Spatch,
    patch: SemanticPatch,
    text: str,
    modes: Sequence[str],
    companions: Mapping[str, str],
) -> Completed:
    with scratch_folder("needs") as folder:
        (folder / "patchgen.cocci").write_text(text, encoding="utf-8")
        write_companions(folder, companions)
        return spatch.ask_needs(folder, modes, patch.definitions)
