# SPDX-License-Identifier: GPL-2.0-or-later
"""Carry out a plan: compute the edits of each patch, in memory."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
