# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands use the user's settings, and options override them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from patchgen.cli.settings import SettingOption
from patchgen.spec import KEYS, PEOPLE
from tests.unit.test_options import OPTIONS

RULE = "/// Call new()\n@r@\n@@\n-early_set_memory_decrypted\n+new_decrypted\n (...)\n"
# Settings that are not options of a command: `-o` names one folder, --no-pager has no value, and
# --color and --split read theirs when they need it.
NO_DEFAULT = {"color", "outgoing", "pager", "split"}


@pytest.fixture
def config() -> Path:
    """Return the path of the user's configuration file, in a folder that exists."""
    path = Path(os.environ["HOME"]) / ".config/patchgen/config.toml"
    path.parent.mkdir(parents=True)
    return path


def test_each_setting_is_the_default_of_an_option_whose_help_names_it():
    options = [option for same in OPTIONS.values() for option in same]
    defaults = {option.setting for option in options if isinstance(option, SettingOption)}
    assert defaults == set(KEYS) - set(PEOPLE) - NO_DEFAULT
    helps = " ".join(str(option.help) for option in options)
    for key in (*defaults, "outgoing", "split"):
        assert f"[config: {key}]" in helps


def test_a_setting_signs_off_and_an_option_overrides_it(patchgen, toy, config, git):
    config.write_text("signoff = true\n")
    for option in ([], ["--no-signoff", "--force"]):
        assert patchgen("apply", "pvops", "--tree", toy, "--quiet", *option).code == 0
        message = git(toy, "log", "-1", "--format=%B", "patchgen/pvops-v4")
        assert ("\nSigned-off-by: " in message) is not option


def test_the_mails_are_written_below_the_configured_folder(patchgen, toy, config, tmp_path):
    config.write_text('outgoing = "~/series"\n')
    result = patchgen("apply", "pvops", "--tree", toy, "--json")
    folder = Path(os.environ["HOME"]) / "series/pvops-v4"
    assert {Path(mail).parent for mail in json.loads(result.out)["mails"]} == {folder}
    result = patchgen("format", "patchgen/pvops-v4", "--tree", toy, "--json", "-o", tmp_path / "o")
    assert {Path(mail).parent for mail in json.loads(result.out)["mails"]} == {tmp_path / "o"}


def test_settings_of_a_series_do_not_make_one(patchgen, toy, config, tmp_path):
    (tmp_path / "a.cocci").write_text(RULE)
    config.write_text('signoff = true\nsplit = "file"\nmax_patches = 1\n[recipients]\nmax = 1\n')
    result = patchgen("run", tmp_path / "a.cocci", "--tree", toy)
    assert result.code == 0 and "new_decrypted(" in result.out, result.err
    result = patchgen("run", tmp_path / "a.cocci", "--tree", toy, "--signoff")
    assert result.code == 2 and "--signoff requires --split" in result.err


def test_split_without_a_value_means_the_configured_one(patchgen, toy, config, tmp_path):
    (tmp_path / "a.cocci").write_text(RULE)
    names = {}
    for value, args in (
        ("none", ["--split"]),
        ("none", ["--split", "file"]),
        ("file", ["--split"]),
    ):
        config.write_text(f'split = "{value}"\nsignoff = true\n')
        result = patchgen("run", tmp_path / "a.cocci", "--tree", toy, "--dry-run", "--json", *args)
        assert result.code == 0, result.err
        groups = [patch["group"] for patch in json.loads(result.out)["series"]["patches"]]
        names[value, len(args)] = groups
    assert names["none", 2] == names["file", 1] != names["none", 1]


def test_a_wrong_setting_ends_the_command_before_it_does_something(patchgen, toy, git):
    git(toy, "config", "patchgen.signof", "true")
    result = patchgen("apply", "pvops", "--tree", toy)
    assert result.code == 1
    assert result.err == (
        f"patchgen: {toy}/.git/config: patchgen.signof: unknown key 'patchgen.signof' "
        "[setting-invalid]\n"
        "hint: did you mean 'patchgen.signoff'?\n"
    )
    assert git(toy, "branch", "--list", "patchgen/*") == ""
    assert patchgen("apply", "--help").code == 0


def test_config_shows_each_value_and_its_source(patchgen, toy, config, git):
    config.write_text('jobs = 3\n[recipients]\ncc = ["a@example.org"]\n')
    git(toy, "config", "patchgen.recipients.cc", "b@example.org")
    (toy / "patchgen.toml").write_text("max_patches = 2\n")
    result = patchgen("config", "--tree", toy)
    assert result.code == 0
    rows = dict(line.split(maxsplit=1) for line in result.out.splitlines())
    assert rows["jobs"] == f"3  ({config})"
    assert rows["max_patches"] == "-  (default)"
    assert f"{toy}/patchgen.toml is not trusted, so it is not used" in result.err
    document = json.loads(patchgen("config", "--tree", toy, "--json").out)
    assert {entry["key"] for entry in document} == set(KEYS)
    people = [entry for entry in document if entry["key"] == "recipients.cc"]
    assert [(entry["value"], entry["source"]) for entry in people] == [
        (["a@example.org"], "user"),
        (["b@example.org"], "repository"),
    ]
    for key, value in (
        ("jobs", "3\n"),
        ("patchgen.recipients.CC", "a@example.org\nb@example.org\n"),
        ("max_patches", ""),
    ):
        assert patchgen("config", key, "--tree", toy).out == value
    result = patchgen("config", "job", "--tree", toy)
    assert result.code == 2 and "did you mean 'jobs'?" in result.err
