# SPDX-License-Identifier: GPL-2.0-or-later
"""The data types of patchgen: frozen, and without I/O."""
