# SPDX-License-Identifier: GPL-2.0-or-later
"""Show a series to its reviewers: its diffs, the rules that made them, and results of checks."""
