# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants: load their manifests, bind their variables, and plan their patches for a base."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
