"""A semantic patch over a whole tree: only what can match is parsed, and nothing twice."""

from patchgen.sweep.document import describe_sweep
from patchgen.sweep.executor import Executor, LocalExecutor
from patchgen.sweep.hunks import format_diff
from patchgen.sweep.includes import Includes
from patchgen.sweep.job import sweep
from patchgen.sweep.request import DEFAULT_TIMEOUT_S, Progress, SweepRequest
from patchgen.sweep.sarif import make_sarif
from patchgen.sweep.target import Bound, Cocci, bind, choose_mode, list_cocci, load_cocci

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "Bound",
    "Cocci",
    "Executor",
    "Includes",
    "LocalExecutor",
    "Progress",
    "SweepRequest",
    "bind",
    "choose_mode",
    "describe_sweep",
    "format_diff",
    "list_cocci",
    "load_cocci",
    "make_sarif",
    "sweep",
]
