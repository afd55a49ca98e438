# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the hypercalls that can run before alternatives are patched, by a call graph of the guest.

`patchgen audit`, `patchgen compare` and `patchgen apply --audit` use this package. pyproject.toml
has a contract that other packages do not import it. Its facts about kernels and processors are in
`tables.toml`; a variant's audit.toml extends them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
