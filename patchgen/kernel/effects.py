# SPDX-License-Identifier: GPL-2.0-or-later
"""The effect of an instruction that calls a hypervisor on each platform, from `effects.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from patchgen.model.audit import Effect, EffectOutcome, Form, Platform

EFFECTS_FILE = Path(__file__).with_name("effects.toml")


@cache
def load_effects() -> Mapping[Form, Mapping[Platform, Effect]]:
    """Return the effect of each form on each platform, before alternatives are patched.

    Form.ALTERNATIVE has the effects of VMCALL: KVM_HYPERCALL is VMCALL until apply_alternatives()
    runs (arch/x86/include/asm/kvm_para.h).
    """
    read = tomllib.loads(EFFECTS_FILE.read_text(encoding="utf-8"))
    effects = {
        Form(form): {Platform(name): _effect(cell) for name, cell in cells.items()}
        for form, cells in read.items()
    }
    return {**effects, Form.ALTERNATIVE: effects[Form.VMCALL]}


def _effect(cell: Mapping[str, str]) -> Effect:
    return Effect(
        EffectOutcome(cell["outcome"]), cell["reason"], cell.get("exception", ""), cell["source"]
    )
