# SPDX-License-Identifier: GPL-2.0-or-later
from .engine import (
    OnProgress as OnProgress,
    make_patches as make_patches,
)
from .overlay import PatchedTree as PatchedTree
