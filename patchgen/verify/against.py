"""Is this series the one that was posted?"""

from __future__ import annotations

from collections.abc import Iterator

from patchgen.model.finding import Finding
from patchgen.odb import Checkout, Repository, compare_series
from patchgen.verify.target import Target, open_target


def check_against(
    repository: Repository, checkout: Checkout, target: Target, other: str
) -> Iterator[Finding]:
    """Yield git's range-diff where a series differs from another one, given as for `open_target`.

    Series on different bases are compared by their patches; on the same base, by their trees too.
    """
    # Mails that name no base, or one that is not here, are most likely meant for ours.
    theirs = open_target(repository, checkout, other, None, fallback=target.base)
    text = compare_series(checkout, (theirs.start, theirs.tip), (target.start, target.tip))
    if text:
        yield Finding("against", f"differs from {other}:\n{text.rstrip()}")
    elif theirs.base == target.base and theirs.commits[-1].tree != target.commits[-1].tree:
        yield Finding("against", f"{other} has the same patches, but gives another tree")
