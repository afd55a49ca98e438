# SPDX-License-Identifier: GPL-2.0-or-later
"""Send a version of a series with `git send-email`, each mail once."""

from patchgen.send.delivery import DeliveryReport
from patchgen.send.journal import JournalEntry, MailState, build_unknown_error

__all__ = [
    "DeliveryReport",
    "JournalEntry",
    "MailState",
    "build_unknown_error",
]
