"""From edits to commits: messages, the cover letter, and the commits themselves."""

from patchgen.series.build import build_series
from patchgen.series.messages import render_subject, sign_off

__all__ = ["build_series", "render_subject", "sign_off"]
