# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of generated replies: quotes, tags in various forms, doubts about them, and ends."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

# No patch may ever get a tag of this person: it is quoted, or below a signature.
TRAP = "Trap <trap@example.com>"
_CONDITIONS = (
    "With the comment fixed:", "If it boots, feel free to add", "Once that is renamed:",
    "Provided that it builds:", "Please rename it, then add",
)  # fmt: skip
# Forms in which a tag is listed, since it is not on a line of its own.
_FORMS = ("FWIW, {}", "- {}", "*{}*", "\u200b{}", "With thanks, {}")
_ENDS = ("", "", "", " # on KVM", ".", " Thanks!")


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a tag is in doubt. `kind` is "" for a certain tag.

    `wording` precedes the tags. `places` are the numbers of the patches to which it restricts them.
    """

    kind: str = ""
    wording: str = ""
    places: frozenset[int] = frozenset()


def choose_doubt(chance: random.Random, number: int, total: int) -> Doubt:
    """Return a doubt about the tags for a mail "number/total"."""
    kinds = ["condition", "scope", "other", "author", "similar", "form"]
    kind = chance.choice([*[""] * len(kinds), *kinds])
    if kind == "condition":
        return Doubt(kind, chance.choice(_CONDITIONS))
    if kind != "scope":
        return Doubt(kind)
    first = number or chance.randint(1, total)
    last = number or chance.randint(first, total)
    places = frozenset(range(first, last + 1))
    if first == last:
        wordings = [f"For patch {first}:", f"{first}/{total}:", f"Patch #{first}:"]
    else:
        wordings = [f"For patches {first}-{last}:", f"For patches {first} to {last}:"]
    return Doubt(kind, chance.choice(wordings), places)


def write_quote(chance: random.Random, diff: str, *, is_whole: bool) -> list[str]:
    """Return the quote of a patch, with the tag of a trap in it."""
    quoted = ["Because.", "", f"Reviewed-by: {TRAP}", "---", *diff.splitlines()]
    if not is_whole and chance.random() < 0.5:
        quoted = quoted[: chance.randrange(len(quoted))]
    deeper = [f">> Tested-by: {TRAP}"] if chance.random() < 0.2 and not is_whole else []
    return ["On Monday, Ada wrote:", *deeper, *(f"> {line}".rstrip() for line in quoted), ""]


def write_tags(chance: random.Random, keys: Sequence[str], person: str, doubt: Doubt) -> list[str]:
    """Return the lines with one person's tags, perhaps two of them as one."""
    is_pair = {*keys} == {"Reviewed-by", "Tested-by"} and doubt.kind != "form"
    if is_pair and chance.random() < 0.5:
        keys = ["Reviewed-and-tested-by"]
    return [_write_tag(chance, key, person, doubt) for key in keys]


def _write_tag(chance: random.Random, key: str, person: str, doubt: Doubt) -> str:
    name, _, address = person.partition(" <")
    if doubt.kind == "form":
        return chance.choice(_FORMS).format(f"{key}: {person}")
    key = chance.choice([key, key, key.lower(), key.upper()])
    colon = chance.choice([": ", ": ", ":\t", ":", " : "])
    space = chance.choice([" ", " ", " ", "\n  "])
    return f"{key}{colon}{name}{space}<{address}{chance.choice(_ENDS)}"


def write_end(chance: random.Random) -> list[str]:
    """Return the end of a mail, perhaps with the mail that it answers, and a trap in it."""
    trap = f"Acked-by: {TRAP}"
    ends = (
        [],
        ["Thanks,", "B."],
        ["-- ", trap],
        ["-----Original Message-----", "From: Ada", "Sent: Monday", "", trap],
        ["From: Ada <ada@example.org>", "Sent: Monday", "To: all", "", trap],
        [f"> {trap}"],
    )
    return chance.choice(ends)
