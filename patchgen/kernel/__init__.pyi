# SPDX-License-Identifier: GPL-2.0-or-later
from .built_files import (
    MAKEFILE_NAMES as MAKEFILE_NAMES,
    find_built as find_built,
    list_named_folders as list_named_folders,
    read_built as read_built,
)
from .checkpatch import (
    CheckpatchReport as CheckpatchReport,
    check_mail as check_mail,
    has_checkpatch as has_checkpatch,
)
from .configs import (
    CONFIGS as CONFIGS,
    BuildConfig as BuildConfig,
    choose_cross_arch as choose_cross_arch,
    find_arch as find_arch,
    find_config as find_config,
    find_cross_config as find_cross_config,
    list_configs as list_configs,
    name_compiler_package as name_compiler_package,
)
from .dotconfig import (
    DotConfig as DotConfig,
    load_dotconfig as load_dotconfig,
)
from .get_maintainer import (
    RecipientsByMail as RecipientsByMail,
    find_recipients as find_recipients,
    join_recipients as join_recipients,
)
from .init_stores import (
    AddressStore as AddressStore,
    CFile as CFile,
    read_c_file as read_c_file,
)
from .kbuild import (
    BUILD_PROGRAMS as BUILD_PROGRAMS,
    Builder as Builder,
    BuildError as BuildError,
    check_build_tools as check_build_tools,
    check_make_variables as check_make_variables,
    read_compiler_versions as read_compiler_versions,
)
from .linkage import (
    find_mismatches as find_mismatches,
    find_undefined as find_undefined,
    read_mismatches as read_mismatches,
)
from .machine_code import list_changed as list_changed
from .maintainer_program import (
    ask_program as ask_program,
    find_program as find_program,
)
from .maintainers_file import (
    MaintainersSection as MaintainersSection,
    parse_maintainers as parse_maintainers,
)
from .make_errors import find_make_error as find_make_error
from .objdump import (
    ObjectCode as ObjectCode,
    SectionData as SectionData,
    read_code as read_code,
    read_data as read_data,
)
from .object_symbol import (
    ObjectSymbol as ObjectSymbol,
    find_needed_archs as find_needed_archs,
    find_object_symbol as find_object_symbol,
    read_arch_symbols as read_arch_symbols,
)
from .section_match import (
    SectionMatcher as SectionMatcher,
)
from .source_trees import (
    FileTrees as FileTrees,
    SourceTree as SourceTree,
    TreeClaim as TreeClaim,
    find_file_trees as find_file_trees,
    match_trees as match_trees,
)
from .version import (
    parse_version as parse_version,
    read_version as read_version,
)
from .x86_boot import (
    CONFIG_NEEDED as CONFIG_NEEDED,
    BootLog as BootLog,
    build_config_fragment as build_config_fragment,
    build_initramfs as build_initramfs,
    compare_logs as compare_logs,
    find_qemu as find_qemu,
    pretend_kvm as pretend_kvm,
    read_qemu_version as read_qemu_version,
    run_qemu as run_qemu,
)
