# SPDX-License-Identifier: GPL-2.0-or-later
"""Format a series as mails in a folder, and read mails."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
