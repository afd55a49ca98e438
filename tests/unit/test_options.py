# SPDX-License-Identifier: GPL-2.0-or-later
"""An option means the same in all commands that have it: one spelling, one value, one meaning."""

from __future__ import annotations

from collections import defaultdict

import click
import pytest

from tests.support.commands import read_commands

# What each option that several commands have is about, in a word that its help has in all of them.
MEANINGS = {
    "--backend": "backend",
    "--base": "based on",
    "--branch": "branch to create",
    "--cc": "Cc address to every mail",
    "--cc-cover": "Cc address to the cover letter",
    "--color": "colour",
    "--config": ".config",
    "--define": "variable",
    "--dry-run": "Show",
    "--fetch-missing": "partial clone",
    "--force": "mails",
    "--get-maintainer": "Run this program",
    "--html": "HTML page",
    "--jobs": "parallel processes",
    "--json": "JSON",
    "--mode": "Mode to run in",
    "--only-built": ".config",
    "--onto": "newer base",
    "--output-directory": "folder to write the mails to",
    "--quiet": "Print",
    "--rev": "commit",
    "--reroll-count": "version of the series",
    "--signoff": "Signed-off-by",
    "--strict": "Exit with 1 if",
    "--timeout": "Time limit for spatch",
    "--to": "To address to every mail",
    "--tree": "kernel's git tree",
    "--trust": "run code",
    "--variant": "variant",
    "--verbose": "all",
    "--yes": "without asking",
}
# `audit` follows one configuration. `verify` builds several, some of which have names.
DIFFERENT_VALUES = {"--config"}
ARGUMENTS_IN_ORDER = ("BRANCH", "BASE..TIP", "DIR", "MBOX")


COMMANDS = read_commands()


def long_name(option: click.Option) -> str:
    return max(option.opts, key=len)


def read_options() -> dict[str, list[click.Option]]:
    found: dict[str, list[click.Option]] = defaultdict(list)
    for command in COMMANDS.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                found[long_name(parameter)].append(parameter)
    return found


OPTIONS = read_options()
SHARED = {name: options for name, options in OPTIONS.items() if len(options) > 1}


def test_the_meaning_of_each_shared_option_is_listed():
    assert sorted(SHARED) == sorted(MEANINGS)


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_option_has_one_spelling_and_one_kind_of_value(name):
    def describe(option: click.Option) -> tuple[object, ...]:
        value = (option.metavar, option.multiple, option.type.name)
        spellings = (sorted(option.opts), sorted(option.secondary_opts), option.is_flag)
        return spellings if name in DIFFERENT_VALUES else (*spellings, *value)

    assert len({str(describe(option)) for option in SHARED[name]}) == 1


@pytest.mark.parametrize("name", SHARED)
def test_the_help_of_a_shared_option_is_about_the_same(name):
    for option in SHARED[name]:
        assert MEANINGS[name] in str(option.help)


def test_a_letter_belongs_to_one_option():
    owners = defaultdict(set)
    for name, options in OPTIONS.items():
        for option in options:
            for spelling in option.opts:
                owners[spelling].add(name)
    assert {spelling for spelling, names in owners.items() if len(names) > 1} == set()
    letters = {spelling for spelling in owners if len(spelling) == 2}
    assert letters == {"-D", "-I", "-j", "-o", "-s", "-v"}


def test_a_commit_has_one_of_four_options():
    found = {name for name, options in OPTIONS.items() if options[0].metavar == "REV"}
    assert found == {"--base", "--onto", "--rev", "--since"}


def test_a_version_is_named_in_all_commands_alike():
    """`-v` is git's --reroll-count, so --verbose has no letter."""
    assert {long_name(option) for option in OPTIONS["--reroll-count"]} == {"--reroll-count"}
    assert OPTIONS["--verbose"][0].opts == ["--verbose"]


def test_the_kinds_of_an_argument_are_listed_in_one_order():
    for command in COMMANDS.values():
        for parameter in command.params:
            kinds = str(parameter.metavar).strip("[]").split("|")
            ranked = [kind for kind in kinds if kind in ARGUMENTS_IN_ORDER]
            assert ranked == sorted(ranked, key=ARGUMENTS_IN_ORDER.index), command.name


def test_commands_that_read_a_tree_have_its_options():
    for name, command in COMMANDS.items():
        found = {
            long_name(parameter)
            for parameter in command.params
            if isinstance(parameter, click.Option)
        }
        assert ("--tree" in found) == ("--fetch-missing" in found)
        without_tree = ("completion", "doctor", "help", "show", "test", "variants")
        assert ("--tree" in found) == (name not in without_tree)
        assert ("--json" in found) == (name not in ("completion", "help"))
