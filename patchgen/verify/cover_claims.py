# SPDX-License-Identifier: GPL-2.0-or-later
"""Find work by hand that the generated part of a cover letter does not mention yet.

That part counts the lines that patchgen made, and lists patches. Only a reroll generates it again,
but a branch may be sent as it was edited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from patchgen.counting import count
from patchgen.model.base import Oid
from patchgen.model.finding import Finding
from patchgen.model.series import Cover
from patchgen.series import HandWork, MatchedCommit, Record

# Of templates/cover-end.txt.j2 and templates/campaign-cover.txt.j2.
_CLAIM = re.compile(r"\bA tool, patchgen, made this series\b|\bThe tool patchgen ran it by\b")


def check_cover_claims(
    cover: Cover,
    matched: Sequence[MatchedCommit],
    change_digests: Mapping[Oid, str],
    record: Record,
    reroll: str,
) -> Iterator[Finding]:
    """Yield a note if the letter says what patchgen made, but not what was done by hand since.

    `reroll` is the command that makes the series again.
    """
    text = " ".join(cover.body.split())
    if not _CLAIM.search(text):
        return
    hand = record.hand or HandWork()
    names = {commit.name for commit in matched}
    edited = [commit for commit in matched if commit.patch and commit.is_edited(change_digests)]
    known = {patch.name: hand.subjects.get(patch.name, patch.subject) for patch in record.patches}
    numbers = {
        "edited": len([commit for commit in edited if commit.name not in hand.edited]),
        "dropped": len(set(known) - names - set(hand.left_out)),
        "added": len(
            [c for c in matched if c.patch is None and c.commit.subject not in hand.added]
        ),
        "renamed": len(
            [
                commit
                for commit in matched
                if commit.patch is not None
                and known[commit.name] != commit.commit.subject
                and known[commit.name] in text
            ]
        ),
    }
    work = [f"{count(number, 'patch')} {kind}" for kind, number in numbers.items() if number]
    if work:
        yield Finding(
            "lint",
            f"{', '.join(work)} since it was generated, so its lists and numbers are not those of "
            f"this series; `{reroll}` makes them again",
            where="cover letter",
            failure=False,
        )
