"""A kernel tree: what it knows of itself, its scripts, and how it is built."""

from patchgen.kernel.boot import (
    CONFIG_NEEDED,
    BootLog,
    build_initramfs,
    compare_logs,
    config_fragment,
    find_qemu,
    pretend_kvm,
    qemu_version,
    run_qemu,
)
from patchgen.kernel.built import read_built
from patchgen.kernel.checkpatch import check_mail, has_checkpatch
from patchgen.kernel.configs import CONFIGS, BuildConfig, find_config
from patchgen.kernel.hypercalls import (
    HypercallSite,
    converts_by_tdcall,
    read_hypercalls,
    read_text_size,
)
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
from patchgen.kernel.sections import Maintainers, Section, parse_maintainers
from patchgen.kernel.version import read_version

__all__ = [
    "BUILD_PROGRAMS",
    "CONFIGS",
    "CONFIG_NEEDED",
    "BootLog",
    "BuildConfig",
    "BuildError",
    "Builder",
    "HypercallSite",
    "Maintainers",
    "Section",
    "build_initramfs",
    "check_build_tools",
    "check_mail",
    "compare_logs",
    "compiler_version",
    "config_fragment",
    "converts_by_tdcall",
    "find_config",
    "find_qemu",
    "find_recipients",
    "find_undefined",
    "has_checkpatch",
    "join_recipients",
    "list_changed",
    "parse_maintainers",
    "pretend_kvm",
    "qemu_version",
    "read_built",
    "read_hypercalls",
    "read_text_size",
    "read_version",
    "run_qemu",
]
