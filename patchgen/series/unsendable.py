# SPDX-License-Identifier: GPL-2.0-or-later
"""Warn, when a series is made, of what `send` would refuse later, perhaps after a build."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from patchgen.model.finding import list_first
from patchgen.model.series import Identity
from patchgen.series.build import SeriesDraft
from patchgen.series.messages import PLACEHOLDER, sign_off

COVER_LETTER = "the cover letter"


def warn_of_unsendable(draft: SeriesDraft, sender: Identity) -> Iterator[str]:
    """Yield a warning for texts with a placeholder, and one for a missing sign-off."""
    names = [name_message(name) for name, text in draft.messages.items() if PLACEHOLDER in text]
    if PLACEHOLDER in f"{draft.cover.subject}\n{draft.cover.body}":
        names = [COVER_LETTER, *names]
    if names:
        yield describe_placeholders(names)
    names = [
        name_message(name)
        for name, text in draft.messages.items()
        if sign_off(text, sender) != text
    ]
    if names:
        is_everywhere = len(names) == len(draft.messages) > 1
        place = "all messages" if is_everywhere else list_first(names)
        yield (
            f"your Signed-off-by is missing in {place}: `send` refuses the series "
            "(--signoff adds it)"
        )


def describe_placeholders(texts: Sequence[str]) -> str:
    """Return the warning for texts with a placeholder."""
    return f"{PLACEHOLDER} is left in {list_first(texts)}: `send` refuses the series"


def name_message(patch: str) -> str:
    """Return what messages to the user call the message of a patch."""
    return f"the message of {patch}"
