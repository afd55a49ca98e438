# SPDX-License-Identifier: GPL-2.0-or-later
from .engine import (
    OnProgress as OnProgress,
    PatchedTree as PatchedTree,
    make_patches as make_patches,
)
