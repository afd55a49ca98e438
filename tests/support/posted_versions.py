# SPDX-License-Identifier: GPL-2.0-or-later
"""Generate the versions of a series: patches change, move, are renamed, added and dropped."""

from __future__ import annotations

import random
from dataclasses import dataclass

COVER = 0
_WORDS = ("all", "one", "two", "three", "four")


@dataclass(frozen=True, slots=True)
class Posted:
    """A patch of a version, or its cover letter (number 0).

    `patch` is the number of the branch's patch for the same purpose, None if the branch has none;
    `is_same` is set if that one has the same code.
    """

    version: int
    number: int
    total: int
    subject: str
    message_id: str
    patch: int | None = None
    is_same: bool = False
    diff: str = ""

    @property
    def brackets(self) -> str:
        """What precedes the subject."""
        version = f" v{self.version}" if self.version > 1 else ""
        return f"[PATCH{version} {self.number}/{self.total}]"


@dataclass(frozen=True, slots=True)
class Version:
    """A posted version. It `is_recorded` if the repository has its commits and message-ids.

    `in_box` are the numbers of the mails that the mailbox has. A version that `is_foreign` belongs
    to another author's series, with the same subjects.
    """

    number: int
    mails: tuple[Posted, ...]
    is_recorded: bool
    in_box: frozenset[int]
    is_foreign: bool = False

    @property
    def patches(self) -> tuple[Posted, ...]:
        """Its patches, without the cover letter."""
        return self.mails[1:]

    def leads_to(self, posted: Posted) -> bool:
        """Return whether the message-id of a mail identifies its patch."""
        if posted.number == COVER:
            return self.is_recorded or self.in_box >= {patch.number for patch in self.patches}
        return self.is_recorded or posted.number in self.in_box


def make_diff(patch: int, code: str) -> str:
    """Return the diff of a patch, which adds a line with some code."""
    name = f"drivers/f{patch}.c"
    head = f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n"
    return f"{head}@@ -{patch},3 +{patch},4 @@\n int a;\n \n+\tcall_{patch}({code});\n int b;\n"


class VersionMaker:
    """Makes versions of a series, of which the branch has version `revision` with all patches."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.count = chance.randint(1, len(_WORDS) - 1)
        self.revision = chance.randint(1, 4)

    def make_versions(self) -> list[Version]:
        """Return some of the versions, oldest first, and perhaps one of another author's series."""
        numbers = {self.revision}
        numbers |= {n for n in range(1, self.revision + 2) if self._happens(0.5)}
        versions = [self.make_version(number) for number in sorted(numbers)]
        if self._happens(0.2):
            versions.append(self.make_version(self.revision, is_foreign=True))
        return versions

    def make_version(self, number: int, *, is_foreign: bool = False) -> Version:
        """Return a version. The one of the branch has all patches in order."""
        is_current = number == self.revision and not is_foreign
        codes = {
            patch: "ours" if is_current or self._happens(0.5) else f"v{number}"
            for patch in range(1, self.count + 1)
            if is_current or self._happens(0.8)
        }
        codes = dict.fromkeys(codes, "foreign") if is_foreign else codes
        patches: list[int | None] = list(codes)
        if not is_current and (not patches or self._happens(0.3)):
            patches.append(None)
        if not is_current and self._happens(0.4):
            self.chance.shuffle(patches)
        stem = f"{'foreign' if is_foreign else '2026'}-v{number}"
        total = len(patches)
        mails = [Posted(number, COVER, total, "x86/mm: Do it all", f"{stem}-0-ab@example.org")]
        for place, patch in enumerate(patches, 1):
            code = codes[patch] if patch is not None else f"extra{number}"
            subject = (
                f"x86/mm: Do {_WORDS[patch]}" if patch is not None else f"x86/mm: Do v{number}"
            )
            subject += " differently" if not is_current and self._happens(0.15) else ""
            message_id = f"{stem}-{place}-ab@example.org"
            diff = make_diff(patch or 9, code)
            is_same = code == "ours"
            mails.append(Posted(number, place, total, subject, message_id, patch, is_same, diff))
        in_box = {mail.number for mail in mails} if self._happens(0.6) else set()
        if self._happens(0.2):
            in_box = {place for place in in_box if self._happens(0.6)}
        is_recorded = is_current or (not is_foreign and self._happens(0.4))
        return Version(number, tuple(mails), is_recorded, frozenset(in_box), is_foreign)

    def _happens(self, probability: float) -> bool:
        return self.chance.random() < probability
