"""A kernel tree: what it knows of itself, its scripts, and how it is built."""

from patchgen.kernel.checkpatch import check_mail
from patchgen.kernel.configs import CONFIGS, BuildConfig, find_config
from patchgen.kernel.kbuild import (
    BUILD_PROGRAMS,
    Builder,
    BuildError,
    check_build_tools,
    compiler_version,
)
from patchgen.kernel.linkage import find_undefined
from patchgen.kernel.machine_code import list_changed
from patchgen.kernel.maintainers import find_recipients, join_recipients
from patchgen.kernel.version import read_version

__all__ = [
    "BUILD_PROGRAMS",
    "CONFIGS",
    "BuildConfig",
    "BuildError",
    "Builder",
    "check_build_tools",
    "check_mail",
    "compiler_version",
    "find_config",
    "find_recipients",
    "find_undefined",
    "join_recipients",
    "list_changed",
    "read_version",
]
