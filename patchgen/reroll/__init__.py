# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the next version of a series on another base, and carry over changes made by hand."""
