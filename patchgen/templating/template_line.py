# SPDX-License-Identifier: GPL-2.0-or-later
"""The template line that produced a line of a rendered text."""

from __future__ import annotations

from typing import NamedTuple


class TemplateLine(NamedTuple):
    """The name of a template, as its loader has it, and a line number from 1."""

    template: str
    line: int
