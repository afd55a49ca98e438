# SPDX-License-Identifier: GPL-2.0-or-later
from .delivery import (
    DeliveryReport as DeliveryReport,
)
from .journal import (
    Journal as Journal,
    JournalEntry as JournalEntry,
    MailState as MailState,
    build_unknown_error as build_unknown_error,
    format_resume as format_resume,
)
