# SPDX-License-Identifier: GPL-2.0-or-later
"""Render templates. This is the only package that imports Jinja2."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
