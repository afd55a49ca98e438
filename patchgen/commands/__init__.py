# SPDX-License-Identifier: GPL-2.0-or-later
"""What each command does, without its command line: one module per command."""
