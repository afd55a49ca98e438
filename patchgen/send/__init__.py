# SPDX-License-Identifier: GPL-2.0-or-later
"""Send a version of a series with `git send-email`, each mail once."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
