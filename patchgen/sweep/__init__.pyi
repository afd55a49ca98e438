# SPDX-License-Identifier: GPL-2.0-or-later
from .cocci_file import (
    CocciFile as CocciFile,
    RunConfig as RunConfig,
    choose_mode as choose_mode,
    list_cocci as list_cocci,
    load_cocci as load_cocci,
    resolve as resolve,
    take_mode as take_mode,
)
from .document import describe_sweep as describe_sweep
from .executor import (
    Executor as Executor,
    LocalExecutor as LocalExecutor,
)
from .hunks import format_diff as format_diff
from .includes import Includes as Includes
from .permission import (
    CodePermission as CodePermission,
    locate as locate,
)
from .request import (
    DEFAULT_TIMEOUT_S as DEFAULT_TIMEOUT_S,
    Progress as Progress,
    SweepRequest as SweepRequest,
)
from .run_sweep import sweep as sweep
from .sarif import make_sarif as make_sarif
