# SPDX-License-Identifier: GPL-2.0-or-later
"""Helpers that several tests share."""

from pathlib import Path

TOP = Path(__file__).parents[2]
