"""TOML files read into models: what is wrong with one is said by file, line and key."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from patchgen.errors import Place, SpecError

_Table = TypeVar("_Table", bound=BaseModel)


def load_toml(path: Path, kind: type[_Table], *, hint: str | None = None) -> _Table:
    """Return what a TOML file says, as a model.

    Raises SpecError with file, line and key; `hint` is for a file that cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as err:
        raise SpecError(
            f"cannot be read: {err.strerror}",
            place=Place(str(path)),
            hint=hint,
        ) from None
    except UnicodeDecodeError:
        raise SpecError("is not UTF-8", place=Place(str(path))) from None
    return parse_toml(path, text, kind)


def parse_toml(path: Path, text: str, kind: type[_Table]) -> _Table:
    """Return what a file's text says, as a model. Raises SpecError with file, line and key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        _refuse_toml(path, text, str(err))
    try:
        return kind.model_validate(data)
    except ValidationError as err:
        _refuse(path, text, kind, err)


def _refuse_toml(path: Path, text: str, message: str) -> NoReturn:
    match = re.search(r" \(at line (\d+), column (\d+)\)", message)
    if match is None:
        raise SpecError(message, place=Place(str(path)))
    line, column = int(match[1]), int(match[2])
    excerpt = (text.splitlines() or [""])[min(line, len(text.splitlines())) - 1]
    raise SpecError(
        message.replace(match[0], ""), place=Place(str(path), line, column, excerpt=excerpt)
    )


def _refuse(path: Path, text: str, kind: type[BaseModel], err: ValidationError) -> NoReturn:
    # An unknown key is most often the cause of a missing one: tell of it first.
    errors = sorted(err.errors(), key=lambda error: error["type"] != "extra_forbidden")
    error = errors[0]
    where = [part for part in error["loc"] if not _is_validator(part)]
    field = _field(where)
    hint = None
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        known = _known_keys(kind, where[:-1])
        message = f"unknown key {where[-1]!r}"
        near = difflib.get_close_matches(str(where[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
    elif error["type"] == "missing":
        message = "is missing"
    line = _line_of(text, str(where[-1])) if where else None
    excerpt = text.splitlines()[line - 1] if line else None
    raise SpecError(message, place=Place(str(path), line, field=field, excerpt=excerpt), hint=hint)


def _is_validator(part: int | str) -> bool:
    return isinstance(part, str) and ("[" in part or part in {"int", "str", "bool"})


def _field(where: Sequence[int | str]) -> str:
    field = ""
    for part in where:
        field += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if field else part
    return field


def _known_keys(kind: type[BaseModel], where: Sequence[int | str]) -> list[str]:
    """Return the keys of the table at `where`, found by walking down the models' fields."""
    table: type[BaseModel] | None = kind
    for part in where:
        if table is None or not isinstance(part, str):
            continue
        field = next((f for n, f in table.model_fields.items() if part in (n, f.alias)), None)
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


def _line_of(text: str, key: str) -> int | None:
    """Return the line of a key that occurs just once in a file."""
    pattern = re.compile(rf'(^|[\s{{,.\[])"?{re.escape(key)}"?\s*[=\].]')
    lines = [number for number, line in enumerate(text.splitlines(), 1) if pattern.search(line)]
    return lines[0] if len(lines) == 1 else None
