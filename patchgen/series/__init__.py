# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn edits into commits: their messages, the cover letter, and the branch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
