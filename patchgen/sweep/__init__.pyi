# SPDX-License-Identifier: GPL-2.0-or-later
from .document import describe_sweep as describe_sweep
from .executor import (
    Executor as Executor,
    LocalExecutor as LocalExecutor,
)
from .hunks import format_diff as format_diff
from .includes import Includes as Includes
from .job import sweep as sweep
from .permission import (
    CodePermission as CodePermission,
    locate as locate,
)
from .request import (
    DEFAULT_TIMEOUT_S as DEFAULT_TIMEOUT_S,
    Progress as Progress,
    SweepRequest as SweepRequest,
)
from .sarif import make_sarif as make_sarif
from .target import (
    Bound as Bound,
    Cocci as Cocci,
    bind as bind,
    choose_mode as choose_mode,
    list_cocci as list_cocci,
    load_cocci as load_cocci,
    take_mode as take_mode,
)
