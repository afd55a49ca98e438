# SPDX-License-Identifier: GPL-2.0-or-later
"""Send a version of a series with `git send-email`, each mail once."""

from patchgen.send.courier import DeliveryReport
from patchgen.send.job import Plan, SendRequest, SendResult, plan_sending, send_version
from patchgen.send.journal import Entry, State, build_unknown_error

__all__ = [
    "DeliveryReport",
    "Entry",
    "Plan",
    "SendRequest",
    "SendResult",
    "State",
    "build_unknown_error",
    "plan_sending",
    "send_version",
]
