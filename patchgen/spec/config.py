# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration files and their keys. settings.py joins them with the other sources.

The user's file is `$XDG_CONFIG_HOME/patchgen/config.toml` (`~/.config` by default).
`.patchgen.toml` or `patchgen.toml` at the top of a work tree has the same format, but only the keys
that describe a series (`SeriesConfig`). It is part of the tree, so a stranger's branch can contain
one. patchgen uses it only if the user trusts its present content in this work tree (truststore.py).
Format:

    color = "auto"                   # or "always", "never"
    pager = "less"                   # a shell command; "" or "cat" to print without a pager
    jobs = 8                         # as --jobs
    macros = "tree"                  # as --macros
    signoff = true                   # as --signoff
    outgoing = "~/outgoing"          # has the folders of mails; relative to the top of the tree

    split = "tree"                   # what --split means without a value
    max_patches = 20                 # as --max-patches

    [recipients]
    roles = "maintainers"            # as --recipients
    max = 30                         # as --max-recipients
    to = ["list@example.org"]        # get all mails
    cc = ["Bea <bea@example.org>"]
    cc_cover = ["chief@example.org"] # get the cover letter
    ignore = ["gone@example.org"]    # never get a mail
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from patchgen.addresses import is_word, parse_people
from patchgen.errors import ErrorPlace, SpecError
from patchgen.model.series import RecipientRoles
from patchgen.model.sweep import Split
from patchgen.spec.settings import TREE_NAMES, user_config_path
from patchgen.spec.toml import load_toml, locate, parse_toml
from patchgen.truststore import TrustEntry, digest_text, read_trust

_MAX_BYTES = 1 << 20


def _read_pager(value: object) -> object:
    """Read false, as git's `pager.NAME` has it, as "no pager"."""
    return "" if value in (False, "false") else value


def _expand_home(value: str) -> str:
    """Return a path with the home directory in place of ~."""
    try:
        return str(Path(value).expanduser()) if value.startswith("~") else value
    except RuntimeError as err:
        raise ValueError(str(err)) from None


def _check_macros(value: str) -> str:
    """Refuse a relative path, which would name another file in each folder."""
    value = _expand_home(value)
    if value not in ("tree", "none") and not Path(value).is_absolute():
        raise ValueError("expected tree, none, or an absolute path")
    return value


# Strict: TOML has numbers and booleans, so a string in a file is a mistake.
_Number = Annotated[int, Field(ge=1, strict=True)]
_Flag = Annotated[bool, Field(strict=True)]


class People(BaseModel):
    """The recipients of a series in addition to its maintainers, and people who never get mails."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cc_cover: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @field_validator("to", "cc", "cc_cover", "ignore")
    @classmethod
    def _check(cls, people: tuple[str, ...]) -> tuple[str, ...]:
        # An AddressError is a ValueError, for which load_toml() reports file and line. Accept any
        # word here: which aliases git send-email has depends on the repository.
        for person in people:
            parse_people(person, is_word)
        return people

    def with_more(
        self, to: tuple[str, ...] = (), cc: tuple[str, ...] = (), cc_cover: tuple[str, ...] = ()
    ) -> People:
        """Return these people, with some added."""
        return self.model_copy(
            update={
                "to": (*self.to, *to),
                "cc": (*self.cc, *cc),
                "cc_cover": (*self.cc_cover, *cc_cover),
            }
        )


class RecipientConfig(People):
    """`[recipients]`: people, which roles of MAINTAINERS get the mails, and how many at most."""

    roles: RecipientRoles | None = None
    max: _Number | None = None


class SeriesConfig(BaseModel):
    """The keys that describe a series. A tree may set only these."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    split: Split | None = None
    max_patches: _Number | None = None
    recipients: RecipientConfig = Field(default_factory=RecipientConfig)


class Config(SeriesConfig):
    """A configuration file of the user."""

    color: Literal["auto", "always", "never"] | None = None
    jobs: _Number | None = None
    macros: Annotated[str, AfterValidator(_check_macros)] | None = None
    outgoing: Annotated[str, Field(min_length=1), AfterValidator(_expand_home)] | None = None
    pager: Annotated[str, BeforeValidator(_read_pager)] | None = None
    signoff: _Flag | None = None


def list_values(config: SeriesConfig) -> Iterator[tuple[str, Any]]:
    """Yield the keys that a configuration sets, such as "recipients.to", with their values."""
    for name in sorted(config.model_fields_set):
        value = getattr(config, name)
        if isinstance(value, BaseModel):
            for inner in sorted(value.model_fields_set):
                yield f"{name}.{inner}", getattr(value, inner)
        else:
            yield name, value


def parse_value(key: str, text: str, place: ErrorPlace) -> Any:
    """Return the value of one key, from a text. For a list of people, the text is its only member.

    Raises SpecError with this place.
    """
    table, _, name = key.rpartition(".")
    kind: type[BaseModel] = RecipientConfig if table else Config
    try:
        if name in People.model_fields:
            return getattr(kind.model_validate({name: (text,)}), name)
        # Reads numbers, and booleans as git-config(1) spells them.
        return getattr(kind.model_validate_strings({name: text}), name)
    except ValidationError as err:
        message = err.errors()[0]["msg"].removeprefix("Value error, ")
        raise SpecError(f"{message}: {text!r}", code="setting-invalid", place=place) from None


@dataclass(frozen=True, slots=True)
class TreeConfig:
    """The configuration file of a work tree. `config` is set if it is trusted."""

    path: Path
    text: str
    is_trusted: bool
    config: SeriesConfig | None = None

    def parse(self) -> SeriesConfig:
        """Return its content. Raises SpecError that names file and key."""
        config = parse_toml(self.path, self.text, Config)
        for key in config.model_fields_set - SeriesConfig.model_fields.keys():
            raise SpecError(
                "a tree cannot set this",
                code="setting-invalid",
                place=ErrorPlace(str(self.path), locate(self.text, [key]), field=key),
                hint=f"it belongs in {user_config_path()}, or in `git config --global`",
            )
        return config


def find_tree_config(work_tree: Path) -> Path | None:
    """Return the path of a work tree's configuration file. Raises SpecError if it has two."""
    paths = [work_tree / name for name in TREE_NAMES if os.path.lexists(work_tree / name)]
    if len(paths) > 1:
        raise SpecError(
            f"the tree also has {paths[1].name}",
            code="setting-invalid",
            place=ErrorPlace(str(paths[0])),
            hint="remove one",
        )
    return paths[0] if paths else None


def read_tree_config(work_tree: Path | None) -> TreeConfig | None:
    """Return the configuration file of a work tree, or None.

    Raises SpecError if it is trusted and wrong, PatchgenError if the trust store cannot be used.
    """
    path = find_tree_config(work_tree) if work_tree is not None else None
    if path is None:
        return None
    text = _read_text(path)
    real_path = os.path.realpath(path.parent)
    digest = digest_text(text)
    is_trusted = any(
        entry.kind == "config" and entry.path == real_path and entry.files.get(path.name) == digest
        for entry in read_trust()
    )
    config = TreeConfig(path, text, is_trusted)
    return TreeConfig(path, text, True, config.parse()) if is_trusted else config


def config_entry(config: TreeConfig, repository: str, date: str) -> TrustEntry:
    """Return the trust entry for the present content of a configuration."""
    files = {config.path.name: digest_text(config.text)}
    return TrustEntry("config", os.path.realpath(config.path.parent), repository, "", date, files)


def load_user_config() -> Config:
    """Return the user's configuration file. Raises SpecError if it is wrong."""
    return load_toml(user_config_path(), Config)


def _read_text(path: Path) -> str:
    """Return the text of a file in a tree. Links are refused: they could lead to any file."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise SpecError("is not a regular file", code="file-kind", place=ErrorPlace(str(path)))
    if status.st_size > _MAX_BYTES:
        raise SpecError(
            f"is longer than {_MAX_BYTES} bytes", code="file-too-large", place=ErrorPlace(str(path))
        )
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise SpecError("is not UTF-8", code="not-utf8", place=ErrorPlace(str(path))) from None
    except OSError as err:
        raise SpecError(
            f"cannot be read: {err.strerror}", code="file-unreadable", place=ErrorPlace(str(path))
        ) from None
