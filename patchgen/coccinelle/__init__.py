# SPDX-License-Identifier: GPL-2.0-or-later
"""Run semantic patches over file contents with spatch, and read them: a library for Python.

What a semantic patch makes of a file, which rules matched where, and what spatch could not parse:

    >>> from pathlib import PurePosixPath
    >>> from patchgen.coccinelle import SemanticPatch, apply_to_file, find_spatch
    >>> rule = "@rename@ expression e; position p; @@\\n- old@p(e)\\n+ new(e)\\n"
    >>> content = b"int f(int x)\\n{\\n\\treturn old(x);\\n}\\n\\nint g(int x)\\n{\\n\\told(\\n}\\n"
    >>> patch = SemanticPatch("rename.cocci", rule)
    >>> result = apply_to_file(find_spatch(), patch, PurePosixPath("a.c"), content)
    >>> result.after.splitlines()[2]
    b'\\treturn new(x);'
    >>> [(rule.rule, rule.hits, *map(str, rule.sites)) for rule in result.rules]
    [('rename', 1, 'a.c:3')]
    >>> [str(place) for place in result.unparsed]
    ['a.c:6 g()']

The text of a semantic patch is SmPL as spatch reads it; nothing is rendered. apply_to_file() runs
one without scripts over one file. run_files() runs any over many files, with their headers, modes
and options. A semantic patch that cannot be read, or would run code without being trusted, raises
patchgen.errors.SpecError with its line; a spatch that is missing or fails raises ToolError. Without
spatch, read_rules(), read_header() and find_code() read what is in a semantic patch.

spatch's exit status is 0 whether or not something matched, so everything is read from the files
that it wrote and from its own trace (`--debug`). One run provides both. It does without spatch's
embedded Python, which costs 50 to 350 ms per run and executes code in a .cocci.

Of patchgen, this package imports only `errors`, `controls`, `counting`, `process`, `scratch`,
`ctokens`, and the types in `model.smpl`, `model.outcome` and `model.leftover`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
