"""What can be said when something is refused: what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from patchgen.controls import escape_controls

_SHOWN_OIDS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error is: a file, and as much of line, column and field as is known.

    `excerpt` is the line itself; it is shown below the message with a mark under `column`.
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
    """A refusal that the user can act on. Raised where it is known, caught once, in `cli`.

    `parameters` name the inputs that the hint is about ("base", "output"), as the requests of the
    library call them. Which option sets an input differs between commands, and some commands have
    none: only `cli` knows, and `describe` adds it to the hint. `alternatives` are more things to
    do, by the input that does each; they are shown only where the command has that input.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        place: Place | None = None,
        hint: str | None = None,
        parameters: tuple[str, ...] = (),
        alternatives: Mapping[str, str] | None = None,
    ):
        super().__init__(message)
        self.message = message
        self.place = place
        self.hint = hint
        self.parameters = parameters
        self.alternatives = alternatives or {}

    def __str__(self) -> str:
        """Return the message as a terminal shows it: place, text, the line with a mark, hint."""
        return self.describe({})

    def describe(self, options: Mapping[str, str]) -> str:
        """Return the same text, with the options that set the hint's parameters after the hint.

        `options` gives an option for a parameter's name; a parameter without one is left out.
        """
        lines = [f"{self.place}: {self.message}" if self.place else self.message]
        if self.place and self.place.excerpt is not None:
            lines.append(f"    {_show(self.place.excerpt)}")
            if self.place.column is not None:
                before = self.place.excerpt[: self.place.column - 1]
                lines.append("    " + " " * len(_show(before)) + "^")
        named = [options[name] for name in self.parameters if name in options]
        hints = [self.hint + (f" ({', '.join(named)})" if named else "")] if self.hint else []
        hints += [
            f"{text} ({options[name]})"
            for name, text in self.alternatives.items()
            if name in options
        ]
        if hints:
            lines.append(f"hint: {'; or '.join(hints)}")
        return "\n".join(lines)


def _show(excerpt: str) -> str:
    """Return a part of a line as a terminal shows it, so that the mark is below its column."""
    return escape_controls(excerpt, allow="\t").expandtabs(8)


class UsageError(PatchgenError):
    """The command line asks for something that does not exist or does not go together."""

    exit_code = 2


class SpecError(PatchgenError):
    """A manifest, a template or a semantic patch is wrong: its author has to mend it."""


class BaseError(PatchgenError):
    """The tree lacks what a variant needs, or is no tree that it can be applied to."""


class RevisionError(BaseError):
    """A revision does not name one commit. `revision` is what the user wrote."""

    def __init__(self, message: str, revision: str):
        super().__init__(message)
        self.revision = revision


class MissingObjectsError(PatchgenError):
    """Objects that are needed are not in the repository. `oids` are all that are known to be.

    It is not a BaseError: what a partial clone lacks can be fetched, so nobody may go on without.
    """

    def __init__(self, oids: Iterable[str], *, what: str = ""):
        self.oids = tuple(dict.fromkeys(oids))
        count = len(self.oids)
        if what and count == 1:
            message = f"the repository lacks the content of {what} ({self.oids[0]})"
        else:
            objects = "object that is needed" if count == 1 else "objects that are needed"
            shown = ", ".join(self.oids[:_SHOWN_OIDS]) + (", ..." if count > _SHOWN_OIDS else "")
            message = f"the repository lacks {count:,} {objects} ({shown})"
        super().__init__(message)


class ToolError(PatchgenError):
    """An outside program is missing, too old, or failed in a way that is not the input's fault."""
