# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings: which source takes effect, what a source may set, and where an error is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from patchgen.commands.trust import trust_config
from patchgen.errors import SpecError
from patchgen.spec import KEYS, PEOPLE, Settings, git_key_of, normalize_key, variable_of
from patchgen.spec.config import Config, SeriesConfig
from patchgen.spec.settings import VALUES

# A valid value of each key, for each of two sources.
EXAMPLES: dict[str, tuple[Any, Any]] = {
    "color": ("always", "never"),
    "jobs": (3, 4),
    "macros": ("none", "tree"),
    "max_patches": (5, 6),
    "outgoing": ("here", "there"),
    "pager": ("less -S", "more"),
    "recipients.max": (7, 8),
    "recipients.roles": ("lists", "all"),
    "signoff": (True, False),
    "split": ("file", "none"),
    **{key: (["a@example.org"], ["b@example.org"]) for key in PEOPLE},
}


@pytest.fixture
def tree(tmp_path: Path, git: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty repository, whose user has an empty git configuration."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    (tmp_path / "tree").mkdir()
    git(tmp_path / "tree", "init", "-q")
    return tmp_path / "tree"


def write_user(text: str) -> Path:
    path = Path(os.environ["HOME"]) / ".config/patchgen/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def toml(key: str, value: object) -> str:
    table, _, name = key.rpartition(".")
    return (f"[{table}]\n" if table else "") + f"{name} = {json.dumps(value)}\n"


def text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def model_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from model_keys(inner, f"{name}.")
        else:
            yield prefix + name


def test_the_keys_are_those_of_a_configuration_file():
    assert sorted(model_keys(Config)) == list(KEYS)


@pytest.mark.parametrize("key", VALUES)
def test_sources_take_effect_in_the_documented_order(key, tree, git, monkeypatch):
    ours, other = EXAMPLES[key]
    in_tree = key in set(model_keys(SeriesConfig))
    sources = ["user", "git", *(["tree"] if in_tree else []), "repository", "environment"]
    if key == "pager":
        sources.remove("repository")
    for number, source in enumerate(sources):
        value = (ours, other)[number % 2]
        if source == "user":
            write_user(toml(key, value))
        elif source == "environment":
            monkeypatch.setenv(variable_of(key), text(value))
        elif source == "tree":
            (tree / "patchgen.toml").write_text(toml(key, value))
            trust_config(tree)
        else:
            scope = "--global" if source == "git" else "--local"
            git(tree, "config", scope, git_key_of(key), text(value))
        setting = Settings(tree).find(key)
        assert setting is not None
        assert (setting.source, setting.value) == (source, value)


@pytest.mark.parametrize("key", PEOPLE)
def test_the_people_of_all_sources_are_joined(key, tree, git):
    write_user(toml(key, ["user@example.org"]))
    (tree / ".patchgen.toml").write_text(toml(key, ["tree@example.org"]))
    trust_config(tree)
    for scope, people in (("--global", "git"), ("--local", "one"), ("--local", "two")):
        git(tree, "config", scope, "--add", git_key_of(key), f"{people}@example.org")
    people = getattr(Settings(tree).load_people(), key.removeprefix("recipients."))
    assert [person.partition("@")[0] for person in people] == ["user", "git", "tree", "one", "two"]


@pytest.mark.parametrize("key", KEYS)
def test_a_tree_sets_only_what_describes_a_series(key, tree):
    (tree / "patchgen.toml").write_text(f"\n{toml(key, EXAMPLES[key][0])}")
    if key in set(model_keys(SeriesConfig)):
        trust_config(tree)
        return
    with pytest.raises(SpecError, match="a tree cannot set this") as refused:
        trust_config(tree)
    assert refused.value.place is not None
    assert (refused.value.place.line, refused.value.place.field) == (2, key)


def test_only_series_keys_are_harmless_enough_for_a_tree():
    """Each other key runs a program, writes somewhere, or certifies something in a name."""
    harmless = {"split", "max_patches", "recipients.roles", "recipients.max", *PEOPLE}
    assert set(model_keys(SeriesConfig)) == harmless


@pytest.mark.parametrize("key", ["split", "max_patches", "recipients.max", "recipients.to"])
def test_a_tree_that_is_not_trusted_sets_nothing(key, tree):
    (tree / "patchgen.toml").write_text(toml(key, EXAMPLES[key][0]))
    assert Settings(tree).list_all(key) == []
    trust_config(tree)
    assert len(Settings(tree).list_all(key)) == 1
    (tree / "patchgen.toml").write_text(toml(key, EXAMPLES[key][1]))
    assert Settings(tree).list_all(key) == []


def test_a_tree_with_two_files_is_refused(tree):
    for name in (".patchgen.toml", "patchgen.toml"):
        (tree / name).write_text("")
    with pytest.raises(SpecError, match=r"also has patchgen\.toml"):
        Settings(tree).find("split")


def test_a_repository_cannot_choose_a_program(tree, git):
    git(tree, "config", "patchgen.pager", "evil")
    with pytest.raises(SpecError, match="names a program") as refused:
        Settings(tree).find("pager")
    assert refused.value.place is not None
    assert refused.value.place.file == str(tree / ".git/config")


@pytest.mark.parametrize("name", ["trust", "run.trust", "trusted", "jbos", "recipients.too"])
def test_an_unknown_key_is_an_error_in_each_source(name, tree, git):
    git(tree, "config", f"patchgen.{name}", "true")
    with pytest.raises(SpecError, match="unknown key") as refused:
        Settings(tree).find("color")
    assert f"/.git/config: patchgen.{name}: " in str(refused.value)
    git(tree, "config", "--unset", f"patchgen.{name}")
    path = write_user(toml(name, True))
    with pytest.raises(SpecError, match="unknown key") as refused:
        Settings(tree).find("color")
    assert str(refused.value).startswith(f"{path}:")


def test_a_misspelt_key_gets_a_suggestion(tree, git):
    git(tree, "config", "patchgen.maxPatchs", "2")
    with pytest.raises(SpecError) as refused:
        Settings(tree).find("color")
    assert refused.value.hint == "did you mean 'patchgen.maxPatches'?"


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        *((key, "") for key in ("color", "jobs", "max_patches", "recipients.roles", "split")),
        ("color", "blue"),
        *((key, value) for key in ("jobs", "max_patches", "recipients.max") for value in "0x"),
        ("macros", "relative.h"),
        ("outgoing", "~nobody-has-this-name/x"),
        ("signoff", "maybe"),
        ("recipients.to", "Foo x@y"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_its_place(key, wrong, tree, git, monkeypatch):
    git(tree, "config", "--global", git_key_of(key), wrong)
    with pytest.raises(SpecError) as refused:
        Settings(tree).list_all(key)
    name = git_key_of(key).lower()
    assert str(refused.value).lower().startswith(f"{tree.parent}/gitconfig: {name}: ")
    git(tree, "config", "--global", "--unset", git_key_of(key))
    path = write_user("\n" + toml(key, [wrong] if key in PEOPLE else wrong))
    with pytest.raises(SpecError) as refused:
        Settings(tree).list_all(key)
    assert str(refused.value).startswith(f"{path}:{3 if '.' in key else 2}: {key}")
    path.unlink()
    if wrong and key not in PEOPLE:
        monkeypatch.setenv(variable_of(key), wrong)
        with pytest.raises(SpecError) as refused:
            Settings(tree).find(key)
        assert str(refused.value).startswith(f"${variable_of(key)}: ")


@pytest.mark.parametrize("value", ["true", "1.5", '"x"', '"3"'])
def test_a_number_has_to_be_one(value, tree):
    write_user(f"jobs = {value}\n")
    with pytest.raises(SpecError):
        Settings(tree).find("jobs")


@pytest.mark.parametrize("value", ['"yes"', '"true"', "1", '"maybe"'])
def test_a_flag_in_a_file_has_to_be_a_boolean(value, tree):
    path = write_user(f"\nsignoff = {value}\n")
    with pytest.raises(SpecError) as refused:
        Settings(tree).find("signoff")
    assert str(refused.value).startswith(f"{path}:2: signoff: Input should be a valid boolean\n")


@pytest.mark.parametrize(
    ("text", "value"), [("yes", True), ("true", True), ("1", True), ("no", False), ("off", False)]
)
def test_a_flag_outside_of_files_is_spelt_as_git_does(text, value, tree, git, monkeypatch):
    git(tree, "config", "patchgen.signoff", text)
    setting = Settings(tree).find("signoff")
    assert setting is not None and setting.value is value
    git(tree, "config", "--unset", "patchgen.signoff")
    monkeypatch.setenv(variable_of("signoff"), text)
    setting = Settings(tree).find("signoff")
    assert setting is not None and setting.value is value


def test_gits_own_forms_of_a_value_are_read(tree, git):
    with (tree / ".git/config").open("a") as config:
        config.write("[PatchGen]\n\tSignOff\n\tMAXPATCHES = 9\n")
    git(tree, "config", "--global", "patchgen.pager", "false")
    settings = Settings(tree)
    for key, value in (("signoff", True), ("max_patches", 9), ("pager", "")):
        setting = settings.find(key)
        assert setting is not None and setting.value == value


def test_the_file_of_a_setting_is_found_from_a_folder_below(tree, git):
    git(tree, "config", "patchgen.jobs", "2")
    (tree / "a/b").mkdir(parents=True)
    setting = Settings(tree / "a/b").find("jobs")
    assert setting is not None and setting.origin == f"patchgen.jobs in {tree}/.git/config"


def test_a_configuration_that_git_cannot_read_is_reported(tree):
    Path(os.environ["GIT_CONFIG_GLOBAL"]).write_text("[patchgen\n")
    with pytest.raises(SpecError, match="bad config line 1"):
        Settings(tree).find("jobs")


def test_settings_apply_outside_of_repositories(tmp_path, git):
    write_user("jobs = 2\n")
    for folder in (tmp_path, tmp_path / "missing"):
        setting = Settings(folder).find("jobs")
        assert setting is not None and setting.value == 2


def test_a_key_has_several_spellings():
    for key in KEYS:
        for name in (key, key.upper(), git_key_of(key), git_key_of(key).lower()):
            assert normalize_key(name) == key
    assert normalize_key("patchgen.") is None
