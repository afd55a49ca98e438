"""The Coccinelle bridge: a rendered semantic patch over file contents, and a typed result.

    spatch = find_spatch()
    result = apply_to_file(spatch, SemanticPatch(...), PurePosixPath("a.c"), content)

`result` says whether the file changed and into what, which rules matched how often and where,
and which functions spatch could not parse. spatch's exit status is 0 in most of these cases, so
all of it is read from the output file and from spatch's own trace (`--debug`), in one run and
without its embedded Python, which costs 50 to 350 ms a run and executes what a .cocci contains.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
