# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's settings: their values and their sources.

The first of these sources that sets a key takes effect:

1. the environment: `PATCHGEN_` and the key in capitals, such as PATCHGEN_RECIPIENTS_MAX
2. the git configuration of the repository, or of `git -c`: `patchgen.` and the key without
   underscores, such as patchgen.maxPatches or patchgen.recipients.roles
3. a trusted `.patchgen.toml` or `patchgen.toml` at the top of the work tree
4. the user's and the system's git configuration
5. the user's config.toml

The recipients of all sources are joined; the environment cannot set them. An option of the command
line overrides all sources.

A repository can be a copy of a stranger's, with its git configuration. So patchgen refuses `pager`
there, which names a program. config.py lists the keys that a tree's file may set.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from patchgen.errors import ErrorPlace, SpecError, suggest_name
from patchgen.git_environment import reading_environment
from patchgen.process import run
from patchgen.userfolder import user_folder

if TYPE_CHECKING:
    from patchgen.odb import Repository
    from patchgen.spec.config import People, SeriesConfig, TreeConfig

# A tree may have one of these files.
TREE_NAMES = (".patchgen.toml", "patchgen.toml")
# config.py has the same keys, but it imports pydantic, which takes longer than some commands.
VALUES = (
    "color",
    "jobs",
    "macros",
    "max_patches",
    "outgoing",
    "pager",
    "recipients.max",
    "recipients.roles",
    "signoff",
    "split",
)
PEOPLE = ("recipients.cc", "recipients.cc_cover", "recipients.ignore", "recipients.to")
KEYS = tuple(sorted((*VALUES, *PEOPLE)))
_TREE_KEYS = ("max_patches", "split")
_PROGRAMS = ("pager",)
_USER_SCOPES = ("system", "global")


class SettingSource(StrEnum):
    """The sources of settings, in the order in which they take effect."""

    ENVIRONMENT = "environment"
    REPOSITORY = "repository"
    TREE = "tree"
    GIT = "git"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of a key; `origin` is the variable or file that sets it."""

    key: str
    value: Any
    source: SettingSource
    origin: str


_Settings = Mapping[str, Setting]


def user_config_path() -> Path:
    """Return the path of the user's configuration file."""
    return user_folder("XDG_CONFIG_HOME", ".config") / "patchgen" / "config.toml"


def variable_of(key: str) -> str:
    """Return the environment variable of a key."""
    return f"PATCHGEN_{key.replace('.', '_').upper()}"


def git_key_of(key: str) -> str:
    """Return the name of a key in git's configuration, in git's usual spelling."""
    first, *others = key.split("_")
    return f"patchgen.{first}{''.join(map(str.capitalize, others))}"


def normalize_key(name: str) -> str | None:
    """Return the key for a name in any spelling, with or without `patchgen.`; None if unknown."""
    return _NORMALIZED.get(name.lower().replace("_", "").removeprefix("patchgen."))


_NORMALIZED = {key.replace("_", ""): key for key in KEYS}


class Settings:
    """The settings that apply in a folder. A source is read when a key first needs it.

    All methods raise SpecError for an error in a source, and the errors of the trust store.
    """

    def __init__(self, tree: Path):
        self._tree = tree

    def find(self, key: str) -> Setting | None:
        """Return the setting that takes effect for a key with one value, None if it is not set."""
        for settings in self._read_sources(key):
            if key in settings:
                return settings[key]
        return None

    def list_all(self, key: str) -> list[Setting]:
        """Return the settings of all sources for a key, the one that takes effect first."""
        return [settings[key] for settings in self._read_sources(key) if key in settings]

    def load_people(self) -> People:
        """Return the people of all sources, those of the user first."""
        from patchgen.spec.config import People

        return People(
            **{
                key.removeprefix("recipients."): tuple(
                    person for setting in reversed(self.list_all(key)) for person in setting.value
                )
                for key in PEOPLE
            }
        )

    def check(self) -> None:
        """Read all sources, to raise the first error in them."""
        for key in KEYS:
            self.list_all(key)

    @cached_property
    def tree_config(self) -> TreeConfig | None:
        """The configuration file of the work tree, trusted or not."""
        # Starting git takes longer than looking for the file in all folders above.
        folder = Path(os.path.realpath(self._tree))
        names = [parent / name for parent in (folder, *folder.parents) for name in TREE_NAMES]
        if not any(map(os.path.lexists, names)):
            return None
        from patchgen.odb import Repository
        from patchgen.spec.config import read_tree_config

        repository = Repository(self._tree)
        repository.close()
        return read_tree_config(repository.work_tree)

    def _read_sources(self, key: str) -> Iterator[_Settings]:
        yield self._environment
        yield self._git[0]
        if key in _TREE_KEYS or key.startswith("recipients."):
            yield self._tree_settings
        yield self._git[1]
        yield self._user

    @cached_property
    def _environment(self) -> _Settings:
        settings = {}
        for key in VALUES:
            name = variable_of(key)
            if text := os.environ.get(name):
                value = _parse(key, text, ErrorPlace(f"${name}"))
                settings[key] = Setting(key, value, SettingSource.ENVIRONMENT, name)
        return settings

    @cached_property
    def _git(self) -> tuple[_Settings, _Settings]:
        """The settings of the repository's git configuration, and of the user's."""
        settings: tuple[dict[str, Setting], ...] = ({}, {})
        for scope, origin, name, text in _read_git_config(self._tree):
            place = ErrorPlace(_name_origin(self._tree, origin), field=name)
            key = normalize_key(name)
            if key is None:
                names = list(map(git_key_of, KEYS))
                raise SpecError(
                    f"unknown key {name!r}",
                    code="setting-invalid",
                    place=place,
                    hint=suggest_name(name, names, "keys"),
                )
            is_user = scope in _USER_SCOPES
            if key in _PROGRAMS and scope not in (*_USER_SCOPES, "command"):
                raise SpecError(
                    "a repository cannot set this, as it names a program",
                    code="setting-invalid",
                    place=place,
                    hint=f"set it with `git config --global {git_key_of(key)}`",
                )
            value = _parse(key, text, place)
            same_source = settings[is_user]
            if key in PEOPLE and key in same_source:
                value = (*same_source[key].value, *value)
            source = SettingSource.GIT if is_user else SettingSource.REPOSITORY
            same_source[key] = Setting(key, value, source, f"{git_key_of(key)} in {place.file}")
        return settings[0], settings[1]

    @cached_property
    def _tree_settings(self) -> _Settings:
        config = self.tree_config
        if config is None or config.config is None:
            return {}
        return _list_settings(config.config, SettingSource.TREE, config.path)

    @cached_property
    def _user(self) -> _Settings:
        path = user_config_path()
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as err:
            raise SpecError(
                f"cannot be read: {err.strerror}",
                code="file-unreadable",
                place=ErrorPlace(str(path)),
            ) from None
        from patchgen.spec.config import load_user_config

        return _list_settings(load_user_config(), SettingSource.USER, path)


@lru_cache(maxsize=1)
def settings_of(repository: Repository) -> Settings:
    """Return the settings that apply at the top of an opened repository, read once for it."""
    return Settings(repository.top)


def _list_settings(config: SeriesConfig, source: SettingSource, path: Path) -> _Settings:
    from patchgen.spec.config import list_values

    return {key: Setting(key, value, source, str(path)) for key, value in list_values(config)}


def _parse(key: str, text: str, place: ErrorPlace) -> Any:
    # Imported here because most runs do not have a value to check.
    from patchgen.spec.config import parse_value

    return parse_value(key, text, place)


def _read_git_config(tree: Path) -> Iterator[tuple[str, str, str, str]]:
    """Yield the scope, origin, name and value of each patchgen key in git's configuration.

    If git refuses the repository, the result is empty: a command that needs the repository reports
    the refusal. Raises SpecError if git cannot read a configuration file.
    """
    argv = ["git", "-C", str(tree), "config", "--null", "--show-scope", "--show-origin"]
    completed = run([*argv, "--get-regexp", r"^patchgen\."], env=reading_environment(), ok=None)
    if completed.returncode != 0:
        if "bad config" in completed.errors:
            raise SpecError(completed.errors.removeprefix("fatal: "), code="setting-invalid")
        return
    fields = completed.stdout.decode("utf-8", "surrogateescape").split("\0")
    for scope, origin, entry in zip(fields[0::3], fields[1::3], fields[2::3], strict=False):
        name, has_value, value = entry.partition("\n")
        # git-config(1): a name without a value is a boolean that is true.
        yield scope, origin, name, value if has_value else "true"


def _name_origin(tree: Path, origin: str) -> str:
    """Return the file of an origin that git reports, as an absolute path if it can be found."""
    kind, _, name = origin.partition(":")
    if kind != "file":
        return "git's command line" if kind == "command line" else origin
    if Path(name).is_absolute():
        return name
    # The path is relative to the top of the work tree.
    folder = Path(os.path.realpath(tree))
    paths = [parent / name for parent in (folder, *folder.parents) if (parent / name).exists()]
    return str(paths[0]) if paths else name
