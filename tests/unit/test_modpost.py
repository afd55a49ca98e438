# SPDX-License-Identifier: GPL-2.0-or-later
"""What modpost of several releases prints of section mismatches."""

from __future__ import annotations

import pytest

from patchgen.kernel import read_mismatches

OUTPUTS = {
    "v5.15": (
        "WARNING: modpost: vmlinux(.data+0x8): Section mismatch in reference from the variable "
        "kept to the function .init.text:freed()\n"
        "The variable kept references\nthe function __init freed()\n"
        "If the reference is valid then annotate the\n"
        "variable with __init* or __refdata (see linux/init.h) or name the variable:\n",
        "Section mismatch in reference from the variable kept to the function .init.text:freed()",
    ),
    "v6.1": (
        "WARNING: modpost: vmlinux: section mismatch in reference: kept (section: .data) -> freed "
        "(section: .init.text)\n",
        "section mismatch in reference: kept (section: .data) -> freed (section: .init.text)",
    ),
    "v7.1": (
        "WARNING: modpost: vmlinux: section mismatch in reference: kept+0x10 (section: .data) -> "
        "freed (section: .init.text)\n",
        "section mismatch in reference: kept (section: .data) -> freed (section: .init.text)",
    ),
    "an export": (
        "WARNING: modpost: vmlinux: EXPORT_SYMBOL used for init/exit symbol: freed (section: "
        ".init.text)\n",
        "EXPORT_SYMBOL used for init/exit symbol: freed (section: .init.text)",
    ),
}


@pytest.mark.parametrize(("output", "expected"), OUTPUTS.values(), ids=OUTPUTS)
def test_a_report_of_any_release_is_read_without_offsets(output, expected):
    assert read_mismatches(output) == (expected,)


def test_reports_of_modpost_on_symbols_are_not_section_mismatches():
    # Objects without the rest of the kernel lack symbols, and that is checked elsewhere.
    assert read_mismatches('ERROR: modpost: "printk" [vmlinux] undefined!\n') == ()
