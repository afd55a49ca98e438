# SPDX-License-Identifier: GPL-2.0-or-later
"""git's settings for sending mails (git-send-email(1), CONFIGURATION)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from patchgen.odb import Repository


@dataclass(frozen=True, slots=True)
class SendSettings:
    """The settings of sendemail in a repository. Of several values, the last one is in effect."""

    _values: Mapping[str, Sequence[str]]

    def read_all(self, name: str) -> Sequence[str]:
        """Return all values of a setting: those of the selected identity, else the general ones."""
        # git prints sections and names in lower case; identities have upper case, too.
        identity = self._values.get("sendemail.identity", ())
        sections = [*(f"sendemail.{section}" for section in identity[-1:]), "sendemail"]
        values = (self._values.get(f"{section}.{name.lower()}", ()) for section in sections)
        return next(filter(None, values), ())

    def read(self, name: str) -> str | None:
        """Return the value in effect, None if the setting is not set."""
        values = self.read_all(name)
        return values[-1] if values else None


def read_send_settings(repository: Repository) -> SendSettings:
    """Return all settings of sendemail, read with one git process."""
    args = ("config", "--null", "--get-regexp", r"^sendemail\.")
    completed = repository.run(*args, ok=(0, 1))
    values: dict[str, list[str]] = {}
    for item in completed.stdout.decode("utf-8", "replace").split("\0"):
        key, _, value = item.partition("\n")
        if value:
            values.setdefault(key, []).append(value)
    return SendSettings(values)
