# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the folder of a new variant: a plain one, or one made from a .cocci or from commits."""
