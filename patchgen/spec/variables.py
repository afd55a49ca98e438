# SPDX-License-Identifier: GPL-2.0-or-later
"""The values of a variant's variables: the defaults, and the user's definitions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from patchgen.addresses import AddressError, parse_person
from patchgen.controls import has_controls
from patchgen.errors import ErrorPlace, SpecError, UsageError, suggest_name
from patchgen.model.plan import EmptyVariable
from patchgen.spec.manifest import FILE_NAME, VariableEntry
from patchgen.spec.variant import Variant, describe_variables

Value = str | int | bool

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# C11 6.4.1, and the keywords that GNU C adds.
_KEYWORD = re.compile(
    r"asm|auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if"
    r"|inline|int|long|register|restrict|return|short|signed|sizeof|static|struct|switch|typedef"
    r"|typeof|union|unsigned|void|volatile|while"
)
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?(?:/[!-;=?-~]*)?")
_LONGEST_VALUE = 80
_TRUE = frozenset({"1", "true", "yes", "on", "y"})
_FALSE = frozenset({"0", "false", "no", "off", "n"})


def bind_variables(variant: Variant, definitions: Sequence[str]) -> dict[str, Value]:
    """Return the value of each variable, given the arguments of --define (NAME=VALUE).

    Raises UsageError for an unknown name or a value of the wrong type, SpecError for a default of
    the wrong type.
    """
    return {**_read_defaults(variant), **_read_definitions(variant, definitions)}


def _read_defaults(variant: Variant) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, variable in describe_variables(variant).items():
        try:
            values[name] = check_value(variable, variable.default)
        except ValueError as err:
            raise SpecError(
                f"the default {_format_value(variable.default)} {err}",
                code="variable-value",
                place=_default_place(variant, name),
            ) from None
    return values


def _read_definitions(variant: Variant, definitions: Sequence[str]) -> dict[str, Value]:
    variables = describe_variables(variant)
    values: dict[str, Value] = {}
    for definition in definitions:
        name, equals, text = definition.partition("=")
        if not equals:
            raise UsageError(
                f"the definition {definition!r} has no value",
                code="variable-value",
                hint="expected NAME=VALUE",
                parameters=("definitions",),
            )
        if name not in variables:
            raise _refuse_unknown(variant, name, variables)
        if name in values:
            raise UsageError(
                f"the variable {name} is defined twice",
                code="variable-value",
                hint="define it once",
                parameters=("definitions",),
            )
        try:
            values[name] = check_value(variables[name], text)
        except ValueError as err:
            raise UsageError(
                f"the variable {name}: {_format_value(text)} {err}",
                code="variable-value",
                hint=f"{name}: {variables[name].help}",
                parameters=("definitions",),
            ) from None
    return values


def list_empty_variables(variant: Variant, values: Mapping[str, Any]) -> tuple[EmptyVariable, ...]:
    """Return the empty variables that have an `ask`."""
    patches = [patch for unit in variant.units for patch in unit.manifest.patch]
    trailers = [item for patch in patches for item in patch.trailers.items()]
    return tuple(
        EmptyVariable(
            name,
            variable.ask,
            tuple(dict.fromkeys(key for key, value in trailers if f"{{{name}}}" in value)),
            variable.ask_for,
        )
        for name, variable in describe_variables(variant).items()
        if variable.ask and values[name] == ""
    )


def _default_place(variant: Variant, name: str) -> ErrorPlace:
    """Return the place of a variable's default in its manifest."""
    unit = next(unit for unit in variant.units if name in unit.manifest.variables)
    return unit.place("variables", name, "default")


def _format_value(value: Value) -> str:
    """Return a value for a message. Long integers are in hex: Python may refuse to print them."""
    text = hex(value) if type(value) is int and abs(value) >= 2**64 else repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "..."


def _refuse_unknown(
    variant: Variant, name: str, variables: Mapping[str, VariableEntry]
) -> UsageError:
    hint = suggest_name(name, variables, "variables")
    return UsageError(
        f"{variant.folder / FILE_NAME} declares no variable {name!r}",
        code="definition-unknown",
        hint=hint,
    )


def check_value(variable: VariableEntry, value: Value) -> Value:
    """Return the value in its declared type. Raises ValueError that completes "the value ..."."""
    if variable.type == "boolean":
        return _boolean(value)
    if variable.type == "integer":
        return _integer(value)
    if not isinstance(value, str):
        raise ValueError("is not a string")
    if variable.type == "identifier" and (
        not _IDENTIFIER.fullmatch(value) or _KEYWORD.fullmatch(value)
    ):
        raise ValueError("is not a C identifier")
    if variable.type == "string" and not value.isprintable():
        raise ValueError("has unprintable characters, or several lines")
    if has_controls(value, allow="\n\t"):
        raise ValueError("has a control character")
    if variable.type == "choice" and value not in variable.choices:
        raise ValueError(f"is not one of {', '.join(variable.choices)}")
    if variable.type == "person" and value:
        return _person(value)
    if variable.type == "url" and value and not _URL.fullmatch(value):
        raise ValueError("is not a URL: expected https://HOST/PATH")
    return value


def _person(text: str) -> str:
    try:
        person = parse_person(text)
    except AddressError as err:
        raise ValueError(f"is not a person: {err}") from None
    if not person.name:
        raise ValueError("has no name: expected 'Name <user@host>'")
    return str(person)


def _boolean(value: Value) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in _TRUE | _FALSE:
        return str(value).lower() in _TRUE
    raise ValueError("is neither true nor false")


def _integer(value: Value) -> int:
    if isinstance(value, bool):
        raise ValueError("is not an integer")
    try:
        number = int(value) if isinstance(value, int) else int(value, 0)
    except ValueError:
        raise ValueError("is not an integer") from None
    # C's signed and unsigned integers; Python's are unbounded, and may be too long to print.
    if not -(2**63) <= number < 2**64:
        raise ValueError("is not an integer of 64 bits")
    return number
