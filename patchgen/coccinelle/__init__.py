# SPDX-License-Identifier: GPL-2.0-or-later
"""The Coccinelle bridge: run a rendered semantic patch over file contents, get a typed result.

    spatch = find_spatch()
    result = apply_to_file(spatch, SemanticPatch(...), PurePosixPath("a.c"), content)

`result` has the changed content, if any, how often and where each rule matched, and the functions
that spatch could not parse. spatch's exit status is 0 in most of these cases, so everything is read
from the output file and from spatch's own trace (`--debug`). One run provides both. It does without
spatch's embedded Python, which costs 50 to 350 ms per run and executes code in a .cocci.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
