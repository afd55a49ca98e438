# SPDX-License-Identifier: GPL-2.0-or-later
"""Collect the tags in replies to a posted series."""

from patchgen.replies.collect import (
    Applied,
    CollectRequest,
    CollectResult,
    NotApplied,
    collect_trailers,
)

__all__ = ["Applied", "CollectRequest", "CollectResult", "NotApplied", "collect_trailers"]
