"""A kernel tree's own knowledge of itself: its version, and who maintains what."""

from patchgen.kernel.maintainers import find_recipients, join_recipients
from patchgen.kernel.version import read_version

__all__ = ["find_recipients", "join_recipients", "read_version"]
