# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel tree: its version, its MAINTAINERS, its scripts, and how it is built and booted."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
