"""Is a series fit to be sent? Its form, its mails, and whether each of its commits builds."""

from patchgen.verify.builds import prepare_scripts, source_patterns
from patchgen.verify.check import CHECKS, Cell, Report, VerifyRequest, verify_series
from patchgen.verify.target import Target, open_target

__all__ = [
    "CHECKS",
    "Cell",
    "Report",
    "Target",
    "VerifyRequest",
    "open_target",
    "prepare_scripts",
    "source_patterns",
    "verify_series",
]
