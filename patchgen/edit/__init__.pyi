# SPDX-License-Identifier: GPL-2.0-or-later
from .engine import (
    OnProgress as OnProgress,
    PatchedTree as PatchedTree,
    make_patches as make_patches,
)
from .lines import (
    replace_text as replace_text,
    with_line_ends_of as with_line_ends_of,
)
