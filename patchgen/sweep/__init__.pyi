# SPDX-License-Identifier: GPL-2.0-or-later
from .cocci_file import (
    CocciFile as CocciFile,
    Lookup as Lookup,
    load_cocci as load_cocci,
    resolve as resolve,
)
from .document import describe_sweep as describe_sweep
from .executor import Executor as Executor
from .golden import (
    CaseOutcome as CaseOutcome,
    GoldenCase as GoldenCase,
    GoldenRun as GoldenRun,
    find_cases as find_cases,
    find_stem as find_stem,
    find_unused_cases as find_unused_cases,
    has_cases as has_cases,
    is_template as is_template,
    list_semantic_patches as list_semantic_patches,
    run_cases as run_cases,
)
from .hunks import format_diff as format_diff
from .includes import Includes as Includes
from .option_files import (
    OptionFiles as OptionFiles,
    read_given_files as read_given_files,
    read_macro_choice as read_macro_choice,
)
from .permission import (
    locate as locate,
    may_run_code as may_run_code,
)
from .request import (
    DEFAULT_TIMEOUT_S as DEFAULT_TIMEOUT_S,
    RunRequest as RunRequest,
    SweepRequest as SweepRequest,
)
from .run_sweep import (
    OnProgress as OnProgress,
    sweep as sweep,
)
from .sarif import make_sarif as make_sarif
