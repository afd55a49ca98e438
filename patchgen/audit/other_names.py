# SPDX-License-Identifier: GPL-2.0-or-later
"""Macros that are another name of a function: `#define native_pagetable_init paging_init`."""

from __future__ import annotations

from patchgen.audit.facts import Macro


class OtherNames:
    """The functions that a macro may name. Different branches of an #if may define it differently.

    A macro of a header is visible in all files, one of another file only there.
    """

    def __init__(self) -> None:
        # The file is "" for a header.
        self._names: dict[str, set[tuple[str, str]]] = {}

    def add(self, path: str, macro: Macro) -> None:
        """Add a macro of a file if its body is a name."""
        name = macro.body.strip()
        if not macro.has_parameters and name.isidentifier():
            owner = "" if path.endswith(".h") else path
            self._names.setdefault(macro.name, set()).add((owner, name))

    def find(self, path: str, name: str) -> list[str]:
        """Return the other names of a name in a file, which may lead to more of them."""
        found: list[str] = []
        pending = [name] if name in self._names else []
        while pending:
            for owner, other in sorted(self._names.get(pending.pop(), ())):
                if owner in ("", path) and other not in (name, *found):
                    found.append(other)
                    pending.append(other)
        return found
