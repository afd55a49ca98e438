"""From a plan to the edits of each patch, in memory."""

from patchgen.edit.engine import OnProgress, make_patches

__all__ = ["OnProgress", "make_patches"]
