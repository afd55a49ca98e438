# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a line of a rendered text came from."""

from __future__ import annotations

from typing import NamedTuple


class TemplateLine(NamedTuple):
    """A template's name, as its loader knows it, and a line from 1."""

    template: str
    line: int
