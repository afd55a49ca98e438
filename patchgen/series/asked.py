# SPDX-License-Identifier: GPL-2.0-or-later
"""Report variables of a series that are still empty, such as the link to an earlier thread.

Only the sender knows their values. A trailer that somebody added by hand gives the value, too.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from patchgen.series.record import Record
from patchgen.series.trailers import parse_message


def describe_asked(branch: str, record: Record, messages: Sequence[str]) -> list[str]:
    """Return a sentence for each empty variable; `messages` are the patches' commit messages."""
    trailers = [each for message in messages for each in parse_message(message).trailers]
    there = {each.name.lower() for each in trailers if each.value}
    again = f"`patchgen reroll {shlex.quote(branch)} -v {record.revision} --define"
    return [
        f"the variable {asked.name} is empty: {asked.text}; {again} {asked.name}=...` sets it"
        for asked in record.asked
        if not there & {key.lower() for key in asked.trailers}
    ]
