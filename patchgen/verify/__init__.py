"""Is a series fit to be sent? Its form, its mails, and whether each of its commits builds."""

from patchgen.verify.check import CHECKS, Cell, Report, VerifyRequest, verify_series
from patchgen.verify.target import Target

__all__ = ["CHECKS", "Cell", "Report", "Target", "VerifyRequest", "verify_series"]
