# SPDX-License-Identifier: GPL-2.0-or-later
"""Collect the tags in replies to a posted series."""

__all__ = []
