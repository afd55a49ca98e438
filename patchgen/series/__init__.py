"""From edits to commits: messages, the cover letter, and the commits themselves."""

from patchgen.series.build import build_series
from patchgen.series.messages import sign_off

__all__ = ["build_series", "sign_off"]
