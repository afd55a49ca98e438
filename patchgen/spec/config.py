# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's configuration for every series: `[recipients]` in a configuration file.

Two files are read, `$XDG_CONFIG_HOME/patchgen/config.toml` (`~/.config` by default) and then
`.patchgen.toml` at the top of the work tree; their lists are joined. The second file is part of the
tree, so anybody's branch can contain one. It is used only if the user trusts its present content in
this work tree (truststore.py). Format:

    [recipients]
    to = ["list@example.org"]        # get all mails
    cc = ["Bea <bea@example.org>"]
    cc_cover = ["chief@example.org"] # get the cover letter
    ignore = ["gone@example.org"]    # get no mail, whatever names them
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from patchgen.addresses import is_word, parse_people
from patchgen.errors import ErrorPlace, SpecError
from patchgen.spec.toml import load_toml, parse_toml
from patchgen.truststore import TrustEntry, digest_text, read_trust
from patchgen.userfolder import user_folder

_NAME = ".patchgen.toml"
_MAX_BYTES = 1 << 20


class People(BaseModel):
    """The recipients of a series in addition to its maintainers, and people who get no mail."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    cc_cover: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()

    @field_validator("*")
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


class Config(BaseModel):
    """A configuration file."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    recipients: People = Field(default_factory=People)


@dataclass(frozen=True, slots=True)
class TreeConfig:
    """The .patchgen.toml of a work tree. `people` is set if it is trusted."""

    path: Path
    text: str
    is_trusted: bool
    people: People | None = None

    def read_people(self) -> People:
        """Return its recipients. Raises SpecError that names file and key."""
        return parse_toml(self.path, self.text, Config).recipients


def read_tree_config(work_tree: Path | None) -> TreeConfig | None:
    """Return the configuration file of a work tree, None if it has none.

    Raises SpecError if it is trusted and wrong, PatchgenError if the trust store cannot be used.
    """
    path = work_tree / _NAME if work_tree is not None else None
    if path is None or not os.path.lexists(path):
        return None
    text = _read_text(path)
    real_path = os.path.realpath(path.parent)
    digest = digest_text(text)
    is_trusted = any(
        entry.kind == "config" and entry.path == real_path and entry.files.get(_NAME) == digest
        for entry in read_trust()
    )
    config = TreeConfig(path, text, is_trusted)
    return TreeConfig(path, text, True, config.read_people()) if is_trusted else config


def config_entry(config: TreeConfig, repository: str, date: str) -> TrustEntry:
    """Return the trust entry for the present content of a configuration."""
    files = {_NAME: digest_text(config.text)}
    return TrustEntry("config", os.path.realpath(config.path.parent), repository, "", date, files)


def load_people(work_tree: Path | None) -> People:
    """Return the people of the user's configuration and of a trusted one in the work tree.

    Raises SpecError that names file and key, and the errors of `read_tree_config`.
    """
    tree = read_tree_config(work_tree)
    configurations = [load_user_people(), *([tree.people] if tree and tree.people else [])]
    return People(
        to=_join(people.to for people in configurations),
        cc=_join(people.cc for people in configurations),
        cc_cover=_join(people.cc_cover for people in configurations),
        ignore=_join(people.ignore for people in configurations),
    )


def load_user_people() -> People:
    """Return the people of the user's configuration. Raises SpecError if the file is wrong."""
    path = user_folder("XDG_CONFIG_HOME", ".config") / "patchgen" / "config.toml"
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return People()
    except OSError as err:
        raise SpecError(f"cannot be read: {err.strerror}", place=ErrorPlace(str(path))) from None
    return load_toml(path, Config).recipients


def _join(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(person for people in lists for person in people)


def _read_text(path: Path) -> str:
    """Return the text of a file in a tree. Links are refused: they could lead to any file."""
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise SpecError("is not a regular file", place=ErrorPlace(str(path)))
    if status.st_size > _MAX_BYTES:
        raise SpecError(f"is longer than {_MAX_BYTES} bytes", place=ErrorPlace(str(path)))
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise SpecError("is not UTF-8", place=ErrorPlace(str(path))) from None
    except OSError as err:
        raise SpecError(f"cannot be read: {err.strerror}", place=ErrorPlace(str(path))) from None
