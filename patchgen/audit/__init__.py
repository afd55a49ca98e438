# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the hypercalls that can run before alternatives are patched, by a call graph of the guest.

This wing answers the question of one series, for `patchgen audit`, `patchgen compare` and
`patchgen apply --audit`. It imports the rooms below, and none of them imports it: pyproject.toml
has a contract for that. What it knows of kernels and processors is in `tables.toml`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
