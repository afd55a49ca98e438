# SPDX-License-Identifier: GPL-2.0-or-later
"""Git's object database: read trees, write commits to a quarantine, publish refs to them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
