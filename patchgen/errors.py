# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors that the user can act on: what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from patchgen.controls import escape_controls

_SHOWN_OIDS = 3
# The share of common letters from which one name may be a misspelling of another: two letters that
# changed places in a name of three (hsa, has: 0.67), but not two of four (whta, has: 0.57).
_SIMILARITY = 0.65
# From this length on, the name of a function may have two misspelt letters.
_LONG_NAME = 10


def suggest_name(name: str, names: Iterable[str], kind: str) -> str:
    """Return a hint for an unknown name: the valid name that is most like it, else all of them.

    `kind` is the plural of what the names are, such as "facts".
    """
    names = list(names)
    return suggest_similar(name, names) or f"known {kind}: {', '.join(names) or 'none'}"


def suggest_similar(name: str, names: Iterable[str]) -> str | None:
    """Return a hint with the valid name that is most like an unknown one; None if no name is."""
    similar = find_similar(name, names)
    return None if similar is None else f"did you mean {similar!r}?"


def find_similar(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like another one; None if none is close enough."""
    # Imported here because only an error needs it.
    import difflib

    return next(iter(difflib.get_close_matches(name, list(names), n=1, cutoff=_SIMILARITY)), None)


def find_misspelt(name: str, names: Iterable[str]) -> str | None:
    """Return the name of a tree's code that `name` misspells, None if it misspells none.

    Of 100,000 names, several have most letters in common with any other, so the two may only differ
    by one edit, or by two if the name is long: a letter more, less or changed, or two swapped.
    """
    most = 1 if len(name) < _LONG_NAME else 2
    letters = set(name)
    near = (
        (_count_edits(name, other, most), other)
        for other in names
        if abs(len(other) - len(name)) <= most
        and len(letters.symmetric_difference(other)) <= 2 * most
    )
    edits, found = min(near, default=(most + 1, ""))
    return found if edits <= most else None


def _count_edits(first: str, second: str, most: int) -> int:
    """Return the number of edits between two texts (optimal string alignment).

    If there are more than `most`, it is any number above that.
    """
    older: list[int] = []
    before = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        current = [row]
        for column, other in enumerate(second, 1):
            changed = before[column - 1] + (letter != other)
            edits = min(before[column] + 1, current[column - 1] + 1, changed)
            if row > 1 and column > 1 and (letter, other) == (second[column - 2], first[row - 2]):
                edits = min(edits, older[column - 2] + 1)
            current.append(edits)
        # The number of edits decreases in no later row, except by a swap of the last two letters.
        if min(*before, *current) > most:
            return most + 1
        older, before = before, current
    return before[-1]


@dataclass(frozen=True, slots=True)
class ErrorPlace:
    """Where an error is: a file and, where known, its line, column and field.

    `excerpt` is the line itself. It is shown below the message, with a mark under `column`.
    Lines and columns count from 1.
    """

    file: str
    line: int | None = None
    column: int | None = None
    field: str | None = None
    excerpt: str | None = None

    def __str__(self) -> str:
        where = escape_controls(self.file)
        if self.line is not None:
            where += f":{self.line}"
            if self.column is not None:
                where += f":{self.column}"
        if self.field:
            where += f": {escape_controls(self.field)}"
        return where


class PatchgenError(Exception):
    """An error that the user can act on. Raised where it is found, caught once, in `cli`.

    `parameters` name the inputs that the hint is about ("base", "output"), spelled as in the
    library's requests. The option that sets an input differs between commands, and some commands
    have none, so only `cli` knows it: `describe` adds it to the hint. `alternatives` are further
    hints, keyed by the input that each needs; a command without that input does not show them.

    `code` names the kind of error; docs/messages.md explains each kind.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        place: ErrorPlace | None = None,
        hint: str | None = None,
        parameters: tuple[str, ...] = (),
        alternatives: Mapping[str, str] | None = None,
    ):
        super().__init__(message)
        self.message = message
        self.code = code
        self.place = place
        self.hint = hint
        self.parameters = parameters
        self.alternatives = alternatives or {}

    def __str__(self) -> str:
        """Return the message as a terminal shows it: place, text, marked line, hint."""
        return self._format(self.message, {})

    def describe(self, options: Mapping[str, str]) -> str:
        """Return the same text, with the code, and with the options that the hint is about.

        The code follows the first line of the message. `options` maps a parameter's name to the
        option that sets it; parameters without one are left out.
        """
        if not self.code:
            return self._format(self.message, options)
        first, newline, others = self.message.partition("\n")
        colon = ":" if first.endswith(":") else ""
        first = f"{first.removesuffix(':')} [{self.code}]{colon}"
        return self._format(first + newline + others, options)

    def _format(self, message: str, options: Mapping[str, str]) -> str:
        lines = [f"{self.place}: {message}" if self.place else message]
        if self.place and self.place.excerpt is not None:
            lines.append(f"    {_show(self.place.excerpt)}")
            if self.place.column is not None:
                before = self.place.excerpt[: self.place.column - 1]
                lines.append("    " + " " * len(_show(before)) + "^")
        names = [options[name] for name in self.parameters if name in options]
        hints = [self.hint + (f" ({', '.join(names)})" if names else "")] if self.hint else []
        hints += [
            f"{text} ({options[name]})"
            for name, text in self.alternatives.items()
            if name in options
        ]
        if hints:
            lines.append(f"hint: {'; or '.join(hints)}")
        return "\n".join(lines)


def _show(excerpt: str) -> str:
    """Return part of a line as a terminal shows it, so that the mark lines up with its column."""
    return escape_controls(excerpt, allow="\t").expandtabs(8)


class UsageError(PatchgenError):
    """The command line would be wrong in any tree; docs/commands.md, "Exit codes", has the rule.

    Examples are options that exclude each other, and names that patchgen itself looks up. A
    revision, a branch or a path that the repository lacks is a RefusedError.
    """

    exit_code = 2


class SpecError(PatchgenError):
    """A manifest, a template or a semantic patch is wrong; its author has to fix it."""


class RefusedError(PatchgenError):
    """The tree lacks what a variant needs, or the variant cannot be applied to it."""


class RevisionError(RefusedError):
    """A revision does not name one commit. `revision` is what the user wrote."""

    def __init__(self, message: str, revision: str, *, code: str):
        super().__init__(message, code=code)
        self.revision = revision


class MissingObjectsError(PatchgenError):
    """The repository lacks objects that patchgen needs. `oids` are those known to be missing.

    It is not a RefusedError: a partial clone can fetch what it lacks, so callers that handle a
    RefusedError and continue must not handle this one.
    """

    def __init__(self, oids: Iterable[str], *, what: str = ""):
        self.oids = tuple(dict.fromkeys(oids))
        count = len(self.oids)
        if what and count == 1:
            message = f"the repository lacks the content of {what} ({self.oids[0]})"
        else:
            objects = "needed object" if count == 1 else "needed objects"
            shown = ", ".join(self.oids[:_SHOWN_OIDS]) + (", ..." if count > _SHOWN_OIDS else "")
            message = f"the repository lacks {count:,} {objects} ({shown})"
        super().__init__(message, code="objects-missing")


class ToolError(PatchgenError):
    """An outside program is missing, too old, or failed for a reason other than its input."""
