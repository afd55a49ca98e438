"""Is a series fit to be sent? Its form, its mails, and whether each of its commits builds."""

from patchgen.verify.builds import around, needed_patterns
from patchgen.verify.check import CHECKS, Cell, Report, VerifyRequest, verify_series
from patchgen.verify.target import Target, open_target

__all__ = [
    "CHECKS",
    "Cell",
    "Report",
    "Target",
    "VerifyRequest",
    "around",
    "needed_patterns",
    "open_target",
    "verify_series",
]
