"""From a plan to the edits of each patch, in memory."""

from patchgen.edit.engine import OnProgress, make_patches
from patchgen.edit.overlay import PatchedTree

__all__ = ["OnProgress", "PatchedTree", "make_patches"]
