# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare a series with a posted version of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from patchgen.model.finding import Finding
from patchgen.odb import Checkout, Repository, read_sent
from patchgen.series import compare_versions, find_tracking
from patchgen.verify.checked_series import CheckedSeries, open_target


def check_against(
    repository: Repository, checkout: Checkout, target: CheckedSeries, other: str
) -> Iterator[Finding]:
    """Yield git's range-diff if a series differs from another one, named as for `open_target`.

    "vN" is a version of the same series that was sent or imported. Series on different bases are
    compared by their patches; on the same base, also by their trees. Text below the cut is not
    compared, since reading a series from mails drops it.
    """
    # Mails without a base in this repository most likely apply to the base of the target.
    name = _find_version(repository, checkout, target, other) or other
    theirs = open_target(repository, checkout, name, None, fallback=target.base)
    # Commits of mails are in the checkout only.
    made = (one.commits for one in (theirs, target) if one.posted is not None)
    hidden = {commit.oid for commits in made for commit in commits}
    versions = [(one.start, one.commits) for one in (theirs, target)]
    text = compare_versions(checkout, *versions, hidden=hidden)
    if text:
        yield Finding("against", f"differs from {other}:\n{text.rstrip()}")
    elif theirs.base == target.base and theirs.commits[-1].tree != target.commits[-1].tree:
        yield Finding("against", f"{other} has the same patches, but its tree differs")


def _find_version(
    repository: Repository, checkout: Checkout, target: CheckedSeries, name: str
) -> str | None:
    """Return the tag of a version of the target's series, None if `name` is not "vN"."""
    version = re.fullmatch(r"v(\d+)", name)
    tracking = find_tracking(checkout, target.tip) if version else None
    if version is None or tracking is None:
        return None
    sent = {version.revision: version.tag for version in read_sent(repository, tracking.change_id)}
    return sent.get(int(version[1]))
