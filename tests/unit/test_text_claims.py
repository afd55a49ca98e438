# SPDX-License-Identifier: GPL-2.0-or-later
"""No text that goes to LKML claims what nothing supports: tests/data/claims.toml has it all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.claim_table import Claims, Source, find_faults, load_claims
from tests.support.text_claims import Use, read_sentences, read_uses

KEY = ("a.txt.j2", "VMCALL raises #VE.")


def test_each_sentence_of_a_text_rests_on_something_that_holds_where_it_is_rendered() -> None:
    faults = find_faults(load_claims(), read_uses())
    assert not faults, "\n\n".join(["", *faults])


def test_each_template_is_used_by_a_variant_or_a_campaign() -> None:
    unused = {template for (template, _), uses in read_uses().items() if not uses}
    assert not unused


def test_a_new_sentence_is_refused_with_the_line_to_add() -> None:
    (fault,) = find_faults(Claims({}), {KEY: [Use("v", "p", frozenset())]})
    assert '["a.txt.j2"]\n"VMCALL raises #VE." = []' in fault


def test_a_sentence_that_is_gone_leaves_no_entry() -> None:
    (fault,) = find_faults(Claims({KEY: ("reason", "effect vmcall TDX")}), {})
    assert "no longer has this sentence" in fault


@pytest.mark.parametrize(
    ("evidence", "fault"),
    [
        ((), "the entry is empty"),
        (("change",), "#VE is in no cell"),
        (("effect vmcall SEV",), "#VE is in no cell"),
        (("effect vmcall Z80", "effect vmcall TDX"), "unknown 'effect vmcall Z80'"),
        (("source nowhere",), "[sources] has no entry"),
        (("believe me", "effect vmcall TDX"), "not a kind of evidence"),
        (("fact other", "effect vmcall TDX"), "rendered where 'fact other' need not hold"),
        (("fact !handles_ve", "effect vmcall TDX"), "rendered where 'fact !handles_ve' need not"),
        (("needs X", "effect vmcall TDX"), "rendered where 'needs X' need not hold"),
        (("patch other", "effect vmcall TDX"), "rendered where 'patch other' need not hold"),
    ],
)
def test_evidence_that_does_not_carry_the_sentence_is_refused(
    evidence: tuple[str, ...], fault: str
) -> None:
    uses = {KEY: [Use("v", "p", frozenset({"handles_ve", "patch p"}))]}
    found = find_faults(Claims({KEY: evidence}), uses)
    assert found and any(fault in each for each in found), found


def test_a_fact_has_to_hold_in_each_use_of_a_sentence() -> None:
    guarded, free = Use("v", "p", frozenset({"handles_ve"})), Use("w", "q", frozenset())
    claims = Claims({KEY: ("fact handles_ve", "source doc")}, {"doc": Source("SDM")})
    assert not find_faults(claims, {KEY: [guarded]})
    (fault,) = find_faults(claims, {KEY: [guarded, free]})
    assert "w, q: it is rendered where" in fault


def test_one_of_two_facts_is_enough_where_the_template_asks_for_either() -> None:
    claims = Claims({KEY: ("fact a or backend b", "source doc")}, {"doc": Source("SDM")})
    either = frozenset({frozenset({"a", "backend b"})})
    assert not find_faults(claims, {KEY: [Use("v", "p", frozenset(), either)]})
    assert not find_faults(claims, {KEY: [Use("v", "p", frozenset({"backend b"}))]})
    more = frozenset({frozenset({"a", "backend b", "c"})})
    assert find_faults(claims, {KEY: [Use("v", "p", frozenset(), more)]})


def test_sentences_know_the_conditions_of_their_template(tmp_path: Path) -> None:
    template = tmp_path / "t.txt.j2"
    template.write_text(
        "One is\n{{ it }} here. Two (%s).\n\n"
        "{% if has.a and not has.b %}\n- Three.\n- Four.\n{% elif has.c %}\nFive.\n"
        "{% else %}\nSix.\n{% endif %}\n"
        "{{ ('Seven %s.' | format('now it is' if has.d else 'it was')) | wordwrap(72) }}\n"
        "{% if 'op' in made or has.e %}\nEight.\n{% endif %}\n"
        "{% set list = ['nine of them'] if 'tdx' not in backends else [] %}\n"
    )
    found = {
        sentence.text: sorted("|".join(sorted(clause)) for clause in sentence.clauses)
        for sentence in read_sentences(template)
    }
    assert found == {
        "One is {} here.": [],
        "Two (%s).": [],
        "Three.": ["!b", "a"],
        "Four.": ["!b", "a"],
        "Five.": ["!a|b", "c"],
        "Six.": ["!a|b", "!c"],
        "Seven {}.": [],
        "now it is": ["d"],
        "it was": ["!d"],
        "Eight.": ["e|patch op"],
        "nine of them": ["!backend tdx"],
    }


def test_what_is_known_includes_conditions_of_the_patch_and_needs_of_its_backend() -> None:
    uses = read_uses()
    (use,) = uses[
        "semantic-patches/pvops/backends/tdx/keep/message.txt.j2", "Leave TDX guests out."
    ]
    assert {"patch tdx-keep", "tdx_guest", "!percpu_of_amd_only", "backend tdx"} <= use.literals
    assert "needs x86_platform.guest.enc_status_change_finish(" in use.literals
    assert "needs idt_setup_early_handler();" not in use.literals
