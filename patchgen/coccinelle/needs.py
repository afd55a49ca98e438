# SPDX-License-Identifier: GPL-2.0-or-later
"""The words that a semantic patch needs: in a file, and in a function.

spatch determines them itself, including isomorphisms, disjunctions and dependencies
(parsing_cocci/get_constants2.ml), and prints them with `--parse-cocci --debug-parse-cocci`:

    Rule: r
    Dependencies: no_dep
    Result: true                          the words for the rule's dependencies
    Result_from_code: (kmalloc&memset)    the words for its code

A rule's match lies in a single function or other top-level item ("all the tokens within a rule
should be in a single CFG entity", cocci.ml). So the formula of the code holds for the text of that
item, unless it includes words of other items: an inherited metavariable was matched in any
function, and the type of a metavariable may come from any declaration. So a second query
has such metavariables made plain. An inherited position remains: it means that both rules match in
one place. Further queries have operators, strings and the words of constraints spelt as distinct
words (patchgen.coccinelle.plain_rules).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

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
from patchgen.coccinelle.live_rules import find_consequential
from patchgen.coccinelle.plain_rules import (
    OPERATOR_WORDS,
    SpeltText,
    find_rule_choices,
    name_words,
    plain_types,
    spell_choices,
    spell_operators,
)
from patchgen.coccinelle.rule_warnings import read_rule_warnings
from patchgen.coccinelle.rules import Rule, read_rules
from patchgen.coccinelle.spatch import RunnableSmpl, Spatch
from patchgen.coccinelle.trust import check_harmless
from patchgen.coccinelle.witness import prepare_text
from patchgen.errors import SpecError
from patchgen.process import Completed, map_parallel
from patchgen.scratch import scratch_folder

_REPORTED = re.compile(
    r"^Rule: (?P<rule>[^\n]*)\nDependencies: (?:(?!^Rule: ).)*?\n"
    r"Result: (?P<needs>[^\n]*)\n(?:Result_from_code: (?P<code>[^\n]*)\n)?",
    re.MULTILINE | re.DOTALL,
)
_NOT_UNDERSTOOD = "the declaration of a metavariable cannot be parsed"


@dataclass(frozen=True, slots=True)
class Needs:
    """The words that make a file worth a run, and alternatives of words that a function must have.

    `functions` is None if they are unknown; `reason` states why. `warnings` are spatch's about the
    rules themselves.
    """

    file: Formula
    functions: tuple[Formula, ...] | None
    reason: str = ""
    warnings: tuple[str, ...] = ()

    def dump(self) -> bytes:
        """Return it as JSON."""
        # A set is not JSON.
        fields = [self.file, self.functions, self.reason, self.warnings]
        return json.dumps(fields, default=sorted).encode()


def load_needs(dumped: bytes) -> Needs:
    """Read what Needs.dump() returned."""
    file, functions, reason, warnings = json.loads(dumped)

    def load(clauses: list[list[str]]) -> Formula:
        return tuple(map(frozenset, clauses))

    loaded = None if functions is None else tuple(map(load, functions))
    return Needs(load(file), loaded, reason, tuple(warnings))


def find_needs(spatch: Spatch, program: RunnableSmpl) -> Needs:
    """Ask spatch which words a semantic patch needs, in a file and in each function.

    The rules in its companions are not read here, so with companions only the needs of a file can
    be determined.

    Raises SpecError, at the template's line, if spatch refuses the semantic patch, or if it would
    run code and is not trusted.
    """
    patch = program.patch
    plain, reason = _make_plain(program)
    choices = find_rule_choices(patch.text)
    spelt = spell_choices(patch.text, choices)
    spelt_file = spell_operators(spelt.text)
    spelt_plain, plain_texts = SpeltText(""), []
    if plain is not None:
        spelt_plain = spell_choices(plain, choices)
        plain_texts = [plain, spell_operators(plain), spell_operators(spelt_plain.text)]
    answers = _query(spatch, program, [patch.text, spelt_file, *plain_texts])
    answer = answers[patch.text]
    if answer.returncode != 0:
        refusal = explain_refusal(
            patch, prepare_text(patch.text), answer, partial(read_text, spatch, program)
        )
        if isinstance(refusal, SpecError):
            raise refusal
        return Needs(ALWAYS, None, "spatch does not report which words it needs")
    warnings = read_rule_warnings(
        answer.stdout.decode("utf-8", "replace"), patch, program.companions
    )
    outputs = {text: answer.stdout.decode("latin-1") for text, answer in answers.items()}
    try:
        functions = None
        if plain_texts:
            before, codes, *more = (
                read_codes(outputs[text], patch.text) for text in (patch.text, *plain_texts)
            )
            meanings = {**OPERATOR_WORDS, **spelt_plain.meanings}
            for spelt_codes in more:
                codes = _join_spelt(codes, spelt_codes, meanings)
            functions, reason = _find_function_needs(patch.text, before, codes, meanings)
        file = read_file_need(outputs[patch.text], patch.text)
        if answers[spelt_file].returncode == 0:
            spelt_need = read_file_need(outputs[spelt_file], patch.text)
            file = _join_file_needs(
                file, name_words(spelt_need, {**OPERATOR_WORDS, **spelt.meanings})
            )
        return Needs(file, functions, reason, warnings)
    except ValueError:
        # The value of a virtual identifier may be any text.
        return Needs(ALWAYS, None, "spatch's list of words cannot be parsed", warnings)


def read_text(spatch: Spatch, program: RunnableSmpl, text: str) -> Completed:
    """Let spatch read a text derived from a semantic patch, and report the words it needs.

    Raises SpecError for a text that would run code and may not.
    """
    if not program.may_run_code:
        check_harmless(program.patch, text, program.companions)
    with scratch_folder("needs") as folder:
        return spatch.ask_needs(program, text, folder)


def _query(spatch: Spatch, program: RunnableSmpl, texts: Sequence[str]) -> dict[str, Completed]:
    """Return spatch's answer for each text derived from a semantic patch.

    Each takes as long as spatch needs to read the rules, so all run in parallel. Raises SpecError
    for a text that would run code and may not.
    """
    distinct = list(dict.fromkeys(texts))
    answers = map_parallel(partial(read_text, spatch, program), distinct, workers=len(distinct))
    return dict(zip(distinct, answers, strict=True))


def _join_file_needs(file: Formula, spelt: Formula) -> Formula:
    """Return the need of a file, with that for the spelt-out text.

    spatch may omit other words next to those that are spelt out, so both needs are combined. Each
    file has the operators / and %, if only in its comments.
    """
    return all_of(file, tuple(clause for clause in spelt if clause.isdisjoint({"/", "%"})))


def _make_plain(program: RunnableSmpl) -> tuple[str | None, str]:
    """Return the text without words that metavariables bring from other items; None, and why."""
    if program.companions:
        return None, "it includes other files"
    if program.isomorphisms or program.patch.macros or program.headers:
        return None, "its options name other files"
    text = program.patch.text
    if (rule := next((rule for rule in read_rules(text) if rule.extends), None)) is not None:
        return None, f"{_name(rule)} extends another one"
    plain = plain_types(text, program.virtuals)
    return plain, "" if plain else _NOT_UNDERSTOOD


def _name(rule: Rule) -> str:
    return f"the rule {rule.name}" if rule.name else f"the rule on {rule.label}"


def _find_function_needs(
    text: str,
    before: list[tuple[str, Formula]],
    codes: list[tuple[str, Formula]],
    meanings: Mapping[str, frozenset[str]],
) -> tuple[tuple[Formula, ...] | None, str]:
    """Return the alternatives of what a function must have; None, and why, if that is unknown.

    `codes` are the needs of the rules with their metavariables made plain, `before` without that.
    """
    consequential = find_consequential(text)
    rules = read_rules(text)
    names = {rule.traced_name for rule in rules}
    alternatives = dict.fromkeys(
        code
        for name, code in codes
        # Prototypes are outside of functions. Any other unknown rule was misread.
        if name in consequential or (name not in names and not name.startswith("proto for "))
    )
    # spatch omits words next to rarer ones, so a rule that inherits less may need more of them. If
    # a declaration was misread, the name of its metavariable would be among these.
    spelt = frozenset().union(*meanings.values())
    additional = _all_words(alternatives) - _all_words(code for _, code in before) - spelt
    declared = {
        word for rule in rules for declaration in rule.declarations for word in declaration.words
    }
    if not codes or not additional.isdisjoint(declared):
        return None, _NOT_UNDERSTOOD
    if ALWAYS in alternatives or not consequential:
        wordless = {name for name, code in codes if code == ALWAYS and name in consequential}
        named = (_name(rule) for rule in rules if rule.traced_name in wordless)
        return None, f"{next(named, 'a rule')} matches code without a fixed word"
    return tuple(code for code in alternatives if code != NEVER), ""


def _join_spelt(
    codes: list[tuple[str, Formula]],
    spelt: list[tuple[str, Formula]],
    meanings: Mapping[str, frozenset[str]],
) -> list[tuple[str, Formula]]:
    """Return the needs of the rules, with what spatch reports for a spelt-out text.

    spatch may omit other words next to those that are spelt out, so both needs are combined. A text
    that spatch does not accept is ignored.
    """
    if [name for name, _ in codes] != [name for name, _ in spelt]:
        return codes
    return [
        (name, all_of(code, name_words(more, meanings)))
        for (name, code), (_, more) in zip(codes, spelt, strict=True)
    ]


def read_file_need(output: str, text: str) -> Formula:
    """Return what a file needs, from spatch's report on a semantic patch."""
    modifying = {rule.traced_name: rule.modifies for rule in read_rules(text)}
    parts = []
    for match in _REPORTED.finditer(output):
        dependencies = _read_formula(match["needs"], text)
        if match["code"] is None:
            parts.append(dependencies)
        elif modifying.get(match["rule"], True):
            parts.append(all_of(dependencies, _read_formula(match["code"], text)))
    return any_of(*parts) if parts else ALWAYS


def read_codes(output: str, text: str) -> list[tuple[str, Formula]]:
    """Return each rule, by the name that spatch gives it, with the need of its code."""
    return [
        (match["rule"], _read_formula(match["code"], text))
        for match in _REPORTED.finditer(output)
        if match["code"] is not None
    ]


def _read_formula(formula: str, text: str) -> Formula:
    """Parse a formula; `false` is a word only if the semantic patch contains it."""
    is_word = re.search(r"\bfalse\b", text) is not None
    return parse_formula(formula) if is_word or formula.strip() != "false" else NEVER


def _all_words(codes: Iterable[Formula]) -> frozenset[str]:
    return frozenset().union(*map(words_of, codes))
