# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts about the sources of x86, the architecture whose series patchgen builds and checks.

Another architecture needs other values here, in configs.py (the configurations to build) and in
x86_boot.py (the small kernel that is booted).
"""

from __future__ import annotations

import re

FOLDER = "arch/x86"
# Mails to this alias of the maintainers, which is not a mailing list, also go to the list
# (maintainer-tip.rst, "Patch submission notes").
MAINTAINERS_ALIAS, MAINTAINERS_LIST = "x86@kernel.org", "linux-kernel@vger.kernel.org"
# The folders that coccicheck passes to spatch with -I (LINUXINCLUDE in the top Makefile), except
# those that only a build creates.
INCLUDE_FOLDERS = (f"{FOLDER}/include", "include", f"{FOLDER}/include/uapi", "include/uapi")
# The folders whose scripts a build runs.
SCRIPT_FOLDERS = ("scripts", "tools", FOLDER)
# Headers that a build generates (the top Makefile, CLEAN_FILES).
GENERATED_FOLDER = f"{FOLDER}/include/generated"
# Folders with the declarations and definitions for x86 code. Searching all of a tree takes half a
# minute.
DECLARING_FOLDERS = (
    "include",
    FOLDER,
    "init",
    "kernel",
    "mm",
    "lib",
    "drivers/iommu",
    "drivers/hv",
)
# ld's emulation by make's ARCH.
EMULATIONS = {"i386": "elf_i386", "x86_64": "elf_x86_64"}
# Lists of programs that are linked or packed into the image: arch/x86/boot and below,
# arch/x86/entry/vdso, arch/x86/realmode/rm, arch/x86/purgatory.
PACKED_LISTS = re.compile(
    r"(setup-y|vmlinux-objs-y|vobjs(32)?-y|vobjs|realmode-y|purgatory-y|efi-obj-y)$"
)
