# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a tree that a build needs, and committed build products, which it must not have."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from patchgen.kernel.x86 import FOLDER, GENERATED_FOLDER, SCRIPT_FOLDERS
from patchgen.model.base import Oid
from patchgen.odb import Checkout, open_tree

# The files that any build needs; drivers and documentation are most of a kernel tree.
NEEDED = (
    "/*",
    "!/*/",
    "/block/",
    "/certs/",
    "/crypto/",
    "/include/",
    "/init/",
    "/io_uring/",
    "/ipc/",
    "/kernel/",
    "/lib/",
    "/mm/",
    "/rust/",
    "/scripts/",
    "/security/",
    "/tools/",
    "!/tools/testing/",
    "!/tools/perf/",
    "/usr/",
    "/virt/",
    "/arch/*",
    "!/arch/*/",
    f"/{FOLDER}/",
    "Kconfig*",
    "Makefile*",
    "Kbuild*",
    "*.h",
    "!/drivers/gpu/drm/amd/include/",
)
# Files that a build generates (the top Makefile: CLEAN_FILES, MRPROPER_FILES and the rule of
# clean). Some trees have them committed. make refuses an out-of-tree build if the first two exist
# ("The source tree is not clean"), would include stale headers, and finds stale objects by VPATH.
PRODUCT_FOLDERS = (
    ".config",
    "include/config",
    "include/generated",
    GENERATED_FOLDER,
)
PRODUCTS = (
    "/.config",
    # "*.h" matches the files, and would override a pattern of only the folder.
    *(f"/{path}/**" for path in PRODUCT_FOLDERS),
    "*.a",
    "*.ko",
    "*.mod",
    "*.mod.c",
    "*.o",
    ".*.cmd",
    ".tmp_*",
    "/.version",
    "/Module.symvers",
    "modules.order",
)


def prepare_scripts(checkout: Checkout) -> bool:
    """Make the scripts of a tree executable if all of them have lost the exec bit.

    Returns whether it did. A tree that was unpacked without git, and then committed, may have lost
    them.
    """
    scripts = [
        path
        for folder in SCRIPT_FOLDERS
        for path in (checkout.folder / folder).rglob("*")
        if _is_script(path)
    ]
    # Not every script has to be executable: if some are, the tree has its exec bits.
    if not scripts or any(path.stat().st_mode & 0o100 for path in scripts):
        return False
    for path in scripts:
        path.chmod(path.stat().st_mode | 0o111)
    checkout.ignore_modes()
    return True


def _is_script(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def list_products(checkout: Checkout, commit: Oid) -> list[str]:
    """Return the committed build products, which would make an out-of-tree build fail."""
    tree = open_tree(checkout, commit)
    return [path for path in sorted(PRODUCT_FOLDERS) if tree.get(path) is not None]


def source_patterns(files: Iterable[PurePosixPath], folders: Iterable[str] = ()) -> list[str]:
    """Return patterns for a checkout in which objects of these files and folders can be built.

    The folder of a file is checked out whole, as files include others next to them. Build products
    are excluded even if they are committed: the last pattern that matches decides.
    """
    around = {f"/{file.parent}/" for file in files if file.parent != PurePosixPath()}
    whole = [f"/{folder}/" for folder in folders]
    return [*NEEDED, *sorted(around), *whole, *(f"!{pattern}" for pattern in PRODUCTS)]
