"""The Coccinelle bridge: a rendered semantic patch over file contents, and a typed result.

    spatch = find_spatch()
    result = apply_to_file(spatch, SemanticPatch(...), PurePosixPath("a.c"), content)

`result` says whether the file changed and into what, which rules matched how often and where,
and which functions spatch could not parse. spatch's exit status is 0 in most of these cases, so
all of it is read from the output file and from spatch's own trace (`--debug`), in one run and
without its embedded Python, which costs 50 to 350 ms a run and executes what a .cocci contains.
"""

from patchgen.coccinelle.batch import AGAIN, Program, Ran, Source, run_batch
from patchgen.coccinelle.bridge import DEFAULT_TIMEOUT_S, apply_to_file
from patchgen.coccinelle.formula import (
    Formula,
    clauses_of,
    dump_formula,
    holds,
    load_formula,
    words_of,
)
from patchgen.coccinelle.header import (
    Header,
    decode_cocci,
    find_includes,
    find_isomorphisms,
    read_header,
)
from patchgen.coccinelle.metavariables import has_typed_metavariables
from patchgen.coccinelle.needs import Needs, find_needs
from patchgen.coccinelle.program import Spatch, find_spatch
from patchgen.coccinelle.reports import read_said
from patchgen.coccinelle.structure import read_rules, rule_words
from patchgen.coccinelle.trust import Code, find_code, refuse_code

__all__ = [
    "AGAIN",
    "DEFAULT_TIMEOUT_S",
    "Code",
    "Formula",
    "Header",
    "Needs",
    "Program",
    "Ran",
    "Source",
    "Spatch",
    "apply_to_file",
    "clauses_of",
    "decode_cocci",
    "dump_formula",
    "find_code",
    "find_includes",
    "find_isomorphisms",
    "find_needs",
    "find_spatch",
    "has_typed_metavariables",
    "holds",
    "load_formula",
    "read_header",
    "read_rules",
    "read_said",
    "refuse_code",
    "rule_words",
    "run_batch",
    "words_of",
]
