# SPDX-License-Identifier: GPL-2.0-or-later
"""Read TOML files into models, and report errors with file, line and key."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from patchgen.controls import escape_controls, has_controls
from patchgen.counting import count
from patchgen.errors import ErrorPlace, SpecError, suggest_name
from patchgen.sourcefolder import decode_text, read_regular

_Table = TypeVar("_Table", bound=BaseModel)
_LONGEST_EXCERPT = 500

# tomllib needs quadratic time in the length of a dotted key, and so does the search for its value.
_DEEPEST_KEY = 32
_KEY = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')[ \t]*+"""
_DEEP_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_KEY}(?:\.[ \t]*+{_KEY}){{{_DEEPEST_KEY}}}")


def load_toml(path: Path, kind: type[_Table], *, hint: str | None = None) -> _Table:
    """Return the content of a user's TOML file as a model.

    Raises SpecError with file, line and key; `hint` is added if the file cannot be read.
    """
    try:
        content = read_regular(path)
    except OSError as err:
        raise SpecError(
            f"cannot be read: {err.strerror}",
            code="file-unreadable",
            place=ErrorPlace(str(path)),
            hint=hint,
        ) from None
    return parse_toml(path, decode_text(content, ErrorPlace(str(path))), kind)


def parse_toml(path: Path, text: str, kind: type[_Table]) -> _Table:
    """Return a TOML text as a model. Raises SpecError with file, line and key."""
    data = _read(path, text)
    for error in _find_controls(path, text, data):
        raise error
    try:
        return kind.model_validate(data)
    except ValidationError as err:
        raise _describe_errors(path, text, kind, err)[0] from None


def find_toml_errors(path: Path, text: str, kind: type[BaseModel]) -> tuple[Any, list[SpecError]]:
    """Return the values of a TOML text, and all errors that parse_toml() could raise.

    The values are None if the text is not TOML.
    """
    try:
        data = _read(path, text)
    except SpecError as err:
        return None, [err]
    errors = list(_find_controls(path, text, data))
    try:
        kind.model_validate(data)
    except ValidationError as err:
        errors += _describe_errors(path, text, kind, err)
    return data, errors


def _read(path: Path, text: str) -> Any:
    """Return the values of a TOML text. Raises SpecError with the line."""
    if (deep_key := _DEEP_KEY.search(text)) is not None:
        line = text.count("\n", 0, deep_key.start()) + 1
        raise SpecError(
            f"has a key of more than {_DEEPEST_KEY} parts",
            code="toml-invalid",
            place=ErrorPlace(str(path), line),
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        _refuse_toml(path, text, str(err))
    except RecursionError:
        raise SpecError(
            "is nested too deeply", code="toml-invalid", place=ErrorPlace(str(path))
        ) from None
    except ValueError:
        # int() refuses more than 4,300 digits.
        raise SpecError(
            "has a number that is too long", code="toml-invalid", place=_long_number(path, text)
        ) from None


def locate(text: str, where: Sequence[int | str]) -> int | None:
    """Return the line where a value of a TOML text begins, or that of the table that lacks it.

    `where` are keys, and indices from 0. The result is None if the search would take too long. The
    search needs no second parser: it looks for the shortest part of the text, cut at the end of a
    line, that is valid TOML and has the value. This part ends with the value's statement.
    """
    while where and not _has(text, where):
        where = where[:-1]
    if not where:
        return None
    return _Prefixes(text).find(where)


# The number of characters to parse at most in a search: twenty times a text of 100 kB.
_MOST_PARSED = 1 << 21


class _Prefixes:
    """The parts of a text up to the end of each line; some of them are valid TOML."""

    def __init__(self, text: str):
        self._lines = text.splitlines(keepends=True)
        self._budget = _MOST_PARSED

    def find(self, where: Sequence[int | str]) -> int | None:
        """Return the line where a value begins, None if the search would take too long."""
        low, high, line = 0, len(self._lines), len(self._lines)
        while low < high:
            middle = (low + high) // 2
            line_count = self._first(range(middle, len(self._lines) + 1))
            if line_count is None:
                return None
            if _has("".join(self._lines[:line_count]), where):
                high, line = middle, min(line, line_count)
            else:
                low = line_count + 1
        above = self._first(range(line - 1, -1, -1))
        return None if above is None else above + 1

    def _first(self, numbers: range) -> int | None:
        """Return the first of these numbers of lines that is valid TOML."""
        for number in numbers:
            text = "".join(self._lines[:number])
            self._budget -= len(text)
            if self._budget < 0:
                return None
            if _is_toml(text):
                return number
        return None


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _has(text: str, where: Sequence[int | str]) -> bool:
    try:
        value: Any = tomllib.loads(text)
        for part in where:
            # A single value may stand for a list with one item.
            if not (part == 0 and not isinstance(value, list)):
                value = value[part]
    except (ValueError, RecursionError, LookupError, TypeError):
        return False
    return True


def _long_number(path: Path, text: str) -> ErrorPlace:
    lines = enumerate(_split(text), 1)
    found = (number for number, line in lines if re.search(r"[0-9_]{4300}", line))
    return ErrorPlace(str(path), next(found, None))


def _split(text: str) -> list[str]:
    """Return the lines of TOML, whose only line ends are LF and CRLF."""
    return re.split(r"\r?\n", text)


def _find_controls(path: Path, text: str, data: Any) -> Iterator[SpecError]:
    """Yield errors for control characters in keys and strings: TOML escapes can write all."""
    pending: list[tuple[tuple[int | str, ...], Any]] = [((), data)]
    while pending:
        where, value = pending.pop()
        if isinstance(value, dict):
            pending += [((*where, key), member) for key, member in value.items()]
        elif isinstance(value, list):
            pending += [((*where, index), member) for index, member in enumerate(value)]
        # Check the value and its key.
        for string in (value, *where[-1:]):
            if isinstance(string, str) and has_controls(string, allow="\n\t"):
                yield SpecError(
                    f"has a control character: {escape_controls(string)[:80]}",
                    code="control-characters",
                    place=ErrorPlace(
                        str(path), locate(text, where), field=escape_controls(name_value(where))
                    ),
                )


def _refuse_toml(path: Path, text: str, message: str) -> NoReturn:
    match = re.search(r" \(at line (\d+), column (\d+)\)", message)
    if match is None:
        raise SpecError(message, code="toml-invalid", place=ErrorPlace(str(path)))
    line, column = int(match[1]), int(match[2])
    lines = _split(text)
    excerpt = lines[min(line, len(lines)) - 1][:_LONGEST_EXCERPT]
    raise SpecError(
        message.replace(match[0], ""),
        code="toml-invalid",
        place=ErrorPlace(str(path), line, column, excerpt=excerpt),
    )


def _describe_errors(
    path: Path, text: str, kind: type[BaseModel], err: ValidationError
) -> list[SpecError]:
    """Return one error for each wrong value.

    A misspelt key is often the cause of a missing one, so unknown keys come first.
    """
    errors = sorted(err.errors(), key=lambda error: error["type"] != "extra_forbidden")
    wrong = {error["loc"][:-1] for error in errors}
    # A list is too short without its wrong members.
    errors = [
        error for error in errors if error["type"] != "too_short" or error["loc"] not in wrong
    ]
    described: dict[str, SpecError] = {}
    for error in errors:
        # Of a value that may have several types, there is an error for each type.
        spec_error = _describe_error(path, text, kind, error)
        described.setdefault(str(spec_error.place), spec_error)
    return list(described.values())


def _describe_error(path: Path, text: str, kind: type[BaseModel], error: ErrorDetails) -> SpecError:
    where = [part for part in error["loc"] if not _is_validator(part)]
    field = name_value(where)
    hint = None
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        valid_keys = _known_keys(kind, where[:-1])
        message = f"unknown key {where[-1]!r}"
        hint = suggest_name(str(where[-1]), valid_keys, "keys")
    elif error["type"] == "missing":
        message = "is missing"
    elif error["type"] == "too_short":
        message = f"needs at least {count(error['ctx']['min_length'], 'member')}"
    line = locate(text, where)
    excerpt = _split(text)[line - 1][:_LONGEST_EXCERPT] if line else None
    return SpecError(
        message,
        code="toml-invalid",
        place=ErrorPlace(str(path), line, field=field, excerpt=excerpt),
        hint=hint,
    )


def _is_validator(part: int | str) -> bool:
    return isinstance(part, str) and ("[" in part or part in {"int", "str", "bool"})


def name_value(where: Sequence[int | str]) -> str:
    """Return the name of a value in messages, such as "patch[1].when"; `where` as for locate()."""
    field = ""
    for part in where:
        field += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if field else part
    return field


def _known_keys(kind: type[BaseModel], where: Sequence[int | str]) -> list[str]:
    """Return the valid keys of the table at `where`, from the fields of the models."""
    table: type[BaseModel] | None = kind
    for part in where:
        if table is None or not isinstance(part, str):
            continue
        fields = table.model_fields.items()
        field = next((field for name, field in fields if part in (name, field.alias)), None)
        table = _table_in(field.annotation) if field else table
    if table is None:
        return []
    return sorted(field.alias or name for name, field in table.model_fields.items())


def _table_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if (found := _table_in(inner)) is not None:
            return found
    return None
