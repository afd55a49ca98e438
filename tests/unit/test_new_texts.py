# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts of a variant that `new` makes from a semantic patch."""

from __future__ import annotations

from patchgen.newvariant.skeleton import draft_from_cocci

RULE = "@r@\n@@\n-a()\n+b()\n"


def test_a_paragraph_with_a_long_line_is_filled_as_a_whole():
    body = "Calls of the accessor on the device that is embedded in a platform device only make\n"
    body += "the reader look twice.\n\n    code(stays, where, it, is);\n\n- an item\n- another\n"
    assert draft_from_cocci(RULE, "rtc: Use b()", body, "").body == (
        "Calls of the accessor on the device that is embedded in a platform\n"
        "device only make the reader look twice.\n\n"
        "    code(stays, where, it, is);\n\n- an item\n- another"
    )
