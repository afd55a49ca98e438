# SPDX-License-Identifier: GPL-2.0-or-later
"""What instructions do on which platform: one table, and texts that do not contradict it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from patchgen.audit.result import EffectOutcome, Form, Platform
from patchgen.audit.tables import load_tables

TOP = Path(__file__).parents[2]
TEXTS = sorted(
    path
    for folder in ("semantic-patches", "templates")
    for path in (TOP / folder).rglob("*.j2")
    if path.name.endswith((".txt.j2", ".c.j2", ".h.j2"))
)


def test_every_form_has_an_effect_with_a_source_on_every_platform() -> None:
    effects = load_tables().effects
    # The ends of a static call, and a variant's audit.toml, determine the effects of these two.
    assert set(effects) == set(Form) - {Form.STATIC_CALL, Form.VARIANT}
    for cells in effects.values():
        assert set(cells) == set(Platform)
        assert all(cell.reason and cell.source for cell in cells.values())


@pytest.mark.parametrize(
    ("form", "platform", "exception"),
    [
        (Form.VMCALL, Platform.TDX, "#VE"),
        (Form.VMMCALL, Platform.TDX, "#UD"),
        (Form.VMMCALL, Platform.VTX, "#UD"),
        (Form.VMCALL, Platform.SEV, "#UD"),
        (Form.VMMCALL, Platform.SEV_ES, "#VC"),
        (Form.ALTERNATIVE, Platform.TDX, "#VE"),
    ],
)
def test_the_exception_is_the_one_of_the_manuals(
    form: Form, platform: Platform, exception: str
) -> None:
    assert load_tables().effects[form][platform].exception == exception


def test_what_is_emulated_or_fatal_in_an_instruction_names_its_exception() -> None:
    for form in (Form.VMCALL, Form.VMMCALL):
        for cell in load_tables().effects[form].values():
            expected = cell.outcome in (EffectOutcome.EMULATED, EffectOutcome.FATAL)
            assert bool(cell.exception) == expected


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(TOP)))
def test_no_text_claims_that_vmmcall_raises_ve(path: Path) -> None:
    text = " ".join(path.read_text(encoding="utf-8").replace(" * ", " ").split())
    # A clause that names VMMCALL last before #VE speaks of VMMCALL; "both" and "either" do, too.
    wrong = re.compile(r"(?:VMMCALL|\bboth|\beither|\balike)(?:(?!VMCALL|#UD|[.;]).)*#VE", re.I)
    match = wrong.search(text)
    assert match is None, match
