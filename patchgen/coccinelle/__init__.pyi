# SPDX-License-Identifier: GPL-2.0-or-later
from .bridge import (
    DEFAULT_TIMEOUT_S as DEFAULT_TIMEOUT_S,
    Failure as Failure,
    FileResult as FileResult,
    SemanticPatch as SemanticPatch,
    Source as Source,
    apply_to_file as apply_to_file,
    run_files as run_files,
)
from .choices import ANY as ANY
from .dead_rules import may_iterate as may_iterate
from .formula import (
    Formula as Formula,
    holds as holds,
    words_of as words_of,
)
from .function_headers import find_function_headers as find_function_headers
from .header import (
    Header as Header,
    decode_cocci as decode_cocci,
    decode_rules as decode_rules,
    find_references as find_references,
    read_header as read_header,
    read_option_lines as read_option_lines,
)
from .markers import (
    check_markers as check_markers,
    describe_texts as describe_texts,
    find_marker_faults as find_marker_faults,
    mend_markers as mend_markers,
)
from .needs import (
    Needs as Needs,
    find_needs as find_needs,
    load_needs as load_needs,
)
from .plain_rules import OPERATORS as OPERATORS
from .purpose import (
    find_summary_fault as find_summary_fault,
    refill as refill,
    split_purpose as split_purpose,
)
from .removed_words import (
    find_removed_words as find_removed_words,
    list_metavariables as list_metavariables,
)
from .reports import (
    read_reports as read_reports,
    without_rule_marks as without_rule_marks,
)
from .rules import (
    Rule as Rule,
    read_rules as read_rules,
    refuse_without_change as refuse_without_change,
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
from .word_places import (
    WordJudge as WordJudge,
    count_word as count_word,
    find_line_start as find_line_start,
    find_macro as find_macro,
    find_word as find_word,
    find_words_left as find_words_left,
    has_word as has_word,
    refine_reason as refine_reason,
)
