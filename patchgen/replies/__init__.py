"""Answers to a posted series, and the tags in them."""

from patchgen.replies.collect import (
    Applied,
    CollectRequest,
    CollectResult,
    NotApplied,
    collect_trailers,
)

__all__ = ["Applied", "CollectRequest", "CollectResult", "NotApplied", "collect_trailers"]
