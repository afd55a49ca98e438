# SPDX-License-Identifier: GPL-2.0-or-later
"""Read a variant's `audit.toml`: the calls, the window and the op that its reviewers ask about.

The file names instructions and functions; regular expressions could take forever. A name may
contain `*` twice, for any part of a name. docs/verify-and-audit.md describes each key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from patchgen.audit.result import Effect, EffectOutcome, Form, Platform
from patchgen.audit.tables import CallRule, FormRule, Pattern, Status, Tables
from patchgen.errors import ErrorPlace, SpecError
from patchgen.sourcefolder import SourceFolder, decode_text
from patchgen.spec.toml import parse_toml

FILE_NAME = "audit.toml"
_UNKNOWN = Effect(EffectOutcome.UNKNOWN, f"{FILE_NAME} does not give the effect on this platform")


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


_Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_Names = Annotated[
    tuple[Annotated[str, Field(pattern=r"^\*?[A-Za-z0-9_]+(\*[A-Za-z0-9_]*)?$")], ...],
    BeforeValidator(_as_tuple),
    Field(max_length=1000),
]
_NameList = Annotated[tuple[_Name, ...], BeforeValidator(_as_tuple), Field(max_length=1000)]


class _QuestionTable(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Window(_QuestionTable):
    """Changes of the window: more entries, another end, and more functions that run later."""

    entries: _NameList = ()
    end: _Name | None = None
    never: _NameList = ()
    deferred: _Names = ()


class _Op(_QuestionTable):
    """The function pointer that the series routes the calls through."""

    member: _Name
    variable: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$")


class _Form(_QuestionTable):
    """Instructions and functions that are sites, and their effects before the window ends."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=20)
    instructions: _Names = ()
    calls: _Names = ()
    effects: dict[Platform, EffectOutcome] = Field(default_factory=dict)
    reason: str = ""

    @model_validator(mode="after")
    def _check(self) -> _Form:
        if not self.instructions and not self.calls:
            raise ValueError("needs instructions or calls")
        if self.name in list(Form):
            raise ValueError(f"{self.name!r} is a form of patchgen's own; choose another name")
        return self


class _Notifiers(_QuestionTable):
    """More functions that request shared or private pages, and more that notify of them."""

    requests: _Names = ()
    callbacks: _Names = ()
    constants: dict[_Name, tuple[Platform, ...]] = Field(default_factory=dict)


class Questions(_QuestionTable):
    """The content of `audit.toml`. `site` is the noun for a site, with an article: "a WBINVD"."""

    version: Literal[1] = Field(alias="schema")
    site: str = Field(default="a call of the variant's audit.toml", max_length=60)
    only: bool = False
    window: _Window = _Window()
    op: _Op | None = None
    form: tuple[_Form, ...] = ()
    notifiers: _Notifiers = _Notifiers()


def load_questions(folder: SourceFolder, tables: Tables) -> Tables:
    """Return the tables with a variant's additions.

    Raises SpecError with file, line and key.
    """
    path = folder.path / FILE_NAME
    content = folder.read(FILE_NAME)
    if content is None:
        raise SpecError(
            "the file does not exist",
            code="file-missing",
            place=ErrorPlace(str(path)),
            hint="it names the calls that the audit of a variant looks for",
        )
    text = decode_text(content, ErrorPlace(str(path)))
    questions = parse_toml(path, text, Questions)
    digest = hashlib.sha256(f"{tables.digest} {text}".encode()).hexdigest()
    return _extend(tables, questions, digest)


def _extend(tables: Tables, questions: Questions, digest: str) -> Tables:
    window, op, notifiers = questions.window, questions.op, questions.notifiers
    own = tuple(_build_forms(questions.form))
    return replace(
        tables,
        digest=digest,
        site=questions.site,
        with_changes=not questions.only or notifiers != _Notifiers(),
        entries=(*tables.entries, *window.entries),
        end=(window.end,) if window.end else tables.end,
        never=tables.never | set(window.never),
        deferred=_join(tables.deferred, window.deferred),
        member=op.member if op else tables.member,
        variable=op.variable if op else tables.variable,
        forms=own if questions.only else (*own, *tables.forms),
        calls=tuple(
            CallRule(form.name, _compile(form.calls)) for form in questions.form if form.calls
        ),
        own_effects={form.name: _list_effects(form) for form in questions.form},
        status=_extend_status(tables.status, notifiers),
    )


def _build_forms(forms: Iterable[_Form]) -> Iterator[FormRule]:
    for form in forms:
        if form.instructions:
            names = "|".join(_translate(name.lower()) for name in form.instructions)
            asm = re.compile(rf"(?<![\w$%.])(?:{names})\b")
            yield FormRule(Form.VARIANT, asm, name=form.name)


def _list_effects(form: _Form) -> dict[Platform, Effect]:
    plain = f"as {FILE_NAME} says"
    effects = dict.fromkeys(Platform, _UNKNOWN)
    for platform, outcome in form.effects.items():
        fails = outcome in (EffectOutcome.FATAL, EffectOutcome.EMULATED)
        reason = form.reason if fails and form.reason else plain
        effects[platform] = Effect(outcome, reason, source=FILE_NAME)
    return effects


def _extend_status(status: Status, notifiers: _Notifiers) -> Status:
    constants = notifiers.constants
    platforms = tuple((_compile([name]), where) for name, where in constants.items())
    return replace(
        status,
        requests=_join(status.requests, notifiers.requests),
        callbacks=_join(status.callbacks, notifiers.callbacks),
        constants=_join(status.constants, constants),
        platforms=(*status.platforms, *platforms),
    )


def _join(pattern: Pattern, names: Iterable[str]) -> Pattern:
    return re.compile("|".join([pattern.pattern, *map(_translate, names)]))


def _compile(names: Iterable[str]) -> Pattern:
    return re.compile("|".join(map(_translate, names)))


def _translate(name: str) -> str:
    """Return the pattern of a name, in which `*` is any part of a name."""
    return re.escape(name).replace(r"\*", r"\w*")
