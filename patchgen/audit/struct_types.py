# SPDX-License-Identifier: GPL-2.0-or-later
"""The structs of all files, and the types of their members."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from patchgen.audit.facts import Struct


class StructTypes:
    """Looks up the types of members, through typedefs."""

    def __init__(self) -> None:
        self._structs: dict[str, dict[str, str]] = {}
        self._typedefs: dict[str, str] = {}

    def add(self, structs: Iterable[Struct], typedefs: Iterable[tuple[str, str]]) -> None:
        """Add the types of a file; of several typedefs of a name, the first is used."""
        for struct in structs:
            fields = self._structs.setdefault(struct.name, {})
            for name, kind in struct.fields:
                if not fields.get(name):
                    fields[name] = kind
        for name, kind in typedefs:
            self._typedefs.setdefault(name, kind)

    def __contains__(self, kind: str) -> bool:
        return kind in self._structs

    def is_typedef(self, name: str) -> bool:
        """Return whether a name is that of a typedef: `(u32)(value)` is a cast."""
        return name in self._typedefs

    def resolve(self, kind: str) -> str:
        """Return the struct that a typedef is for, or the name itself."""
        for _ in range(4):
            if kind in self._structs or kind not in self._typedefs:
                break
            kind = self._typedefs[kind]
        return kind

    def find_field_type(self, kind: str, member: str) -> str:
        """Return the struct that a member is or points to, "" if unknown; `*` is an element."""
        if member == "*":
            return kind
        return self._structs.get(self.resolve(kind), {}).get(member, "")

    def find_owner(self, member: str, field: str) -> str:
        """Return the only type of members of a name that has a field, "" if there are several."""
        owners = [
            kind for kind in self._kinds_of_members.get(member, ()) if field in self._structs[kind]
        ]
        return owners[0] if len(owners) == 1 else ""

    @cached_property
    def _kinds_of_members(self) -> dict[str, set[str]]:
        kinds: dict[str, set[str]] = {}
        for fields in self._structs.values():
            for name, kind in fields.items():
                if kind and (resolved := self.resolve(kind)) in self._structs:
                    kinds.setdefault(name, set()).add(resolved)
        return kinds

    def is_plain(self, kind: str, member: str) -> bool:
        """Return whether a member is known not to hold a function: it is a struct."""
        field = self._structs.get(kind, {}).get(member, "")
        return bool(field) and field != "()" and self.resolve(field) in self._structs
