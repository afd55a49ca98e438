"""A semantic patch over a whole tree: only what can match is parsed, and nothing twice."""

from patchgen.sweep.executor import Executor, LocalExecutor
from patchgen.sweep.includes import Includes
from patchgen.sweep.job import DEFAULT_TIMEOUT_S, Progress, SweepRequest, sweep
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
    "list_cocci",
    "load_cocci",
    "sweep",
]
