# SPDX-License-Identifier: GPL-2.0-or-later
from .bridge import (
    DEFAULT_TIMEOUT_S as DEFAULT_TIMEOUT_S,
    Source as Source,
    apply_to_file as apply_to_file,
    run_files as run_files,
)
from .dependency import may_hold as may_hold
from .formula import (
    Formula as Formula,
    clauses_of as clauses_of,
    dump_formula as dump_formula,
    holds as holds,
    load_formula as load_formula,
    words_of as words_of,
)
from .header import (
    Header as Header,
    decode_cocci as decode_cocci,
    find_includes as find_includes,
    find_isomorphisms as find_isomorphisms,
    read_header as read_header,
)
from .markers import describe_texts as describe_texts
from .metavariables import (
    has_numbered_identifiers as has_numbered_identifiers,
    has_typed_metavariables as has_typed_metavariables,
)
from .needs import (
    Needs as Needs,
    find_needs as find_needs,
)
from .reports import read_said as read_said
from .rules import (
    read_rules as read_rules,
    rule_words as rule_words,
)
from .spatch import (
    RunnableSmpl as RunnableSmpl,
    Spatch as Spatch,
    find_spatch as find_spatch,
)
from .trust import (
    RiskyLine as RiskyLine,
    find_code as find_code,
    refuse_code as refuse_code,
)
