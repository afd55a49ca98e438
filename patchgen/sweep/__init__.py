"""A semantic patch over a whole tree: only what can match is parsed, and nothing twice."""

from patchgen.sweep.includes import Includes
from patchgen.sweep.job import Progress, SweepRequest, sweep

__all__ = ["Includes", "Progress", "SweepRequest", "sweep"]
