# SPDX-License-Identifier: GPL-2.0-or-later
"""The version of a kernel tree, from its top Makefile."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from patchgen.model.base import TreeReader

_FIELD = re.compile(rb"^(VERSION|PATCHLEVEL|SUBLEVEL)\s*=\s*(\d+)\s*$", re.MULTILINE)


def read_version(tree: TreeReader) -> str:
    """Return the version, such as "5.15.85"; "" if the tree has no kernel Makefile."""
    makefiles = [file for file in tree.find(["Makefile"]) if file.path == PurePosixPath("Makefile")]
    return parse_version(tree.read(makefiles[0])) if makefiles else ""


def parse_version(makefile: bytes) -> str:
    """Return the version in a kernel's top Makefile; "" without one."""
    fields = {name.decode(): value.decode() for name, value in _FIELD.findall(makefile[:4096])}
    if not {"VERSION", "PATCHLEVEL"} <= fields.keys():
        return ""
    return ".".join(
        fields[name] for name in ("VERSION", "PATCHLEVEL", "SUBLEVEL") if name in fields
    )
