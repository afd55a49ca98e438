# SPDX-License-Identifier: GPL-2.0-or-later
"""Run a semantic patch over a whole tree, parsing only files that can match, each once."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
