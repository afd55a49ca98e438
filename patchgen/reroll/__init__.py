"""The next version of a series: made again on another base, with what people changed by hand."""

from patchgen.reroll.job import abort_reroll, reroll_series
from patchgen.reroll.request import RerollRequest, RerollResult

__all__ = ["RerollRequest", "RerollResult", "abort_reroll", "reroll_series"]
