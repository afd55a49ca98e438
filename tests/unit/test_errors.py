# SPDX-License-Identifier: GPL-2.0-or-later
"""A refusal's text: the library says what is wrong, the command line names its own options."""

from __future__ import annotations

import click
import pytest

from patchgen.cli import main
from patchgen.errors import ErrorPlace, PatchgenError, find_misspelt, suggest_name


@click.command("toy")
@click.option("-o", "--output-directory", "output")
@click.argument("tree", required=False)
def _toy(output: str | None, tree: str | None) -> None:
    raise PatchgenError(
        "the folder exists", hint="name another", parameters=("output", "base", "tree")
    )


def test_an_error_of_the_library_names_no_option() -> None:
    error = PatchgenError("no such commit", hint="name a commit", parameters=("base",))
    assert str(error) == "no such commit\nhint: name a commit"


def test_a_hint_names_only_options_that_the_called_command_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main.patchgen, "get_command", lambda *_: _toy)
    monkeypatch.setattr("sys.argv", ["patchgen", "apply"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "patchgen: the folder exists\nhint: name another (--output-directory)\n"
    )


def test_an_alternative_is_shown_only_where_the_command_has_its_option() -> None:
    error = PatchgenError(
        "it exists", alternatives={"force": "replace it", "branch": "make another"}
    )
    assert str(error) == "it exists"
    assert error.describe({"branch": "--branch"}) == "it exists\nhint: make another (--branch)"
    both = {"force": "--force", "branch": "--branch"}
    assert error.describe(both).endswith("hint: replace it (--force); or make another (--branch)")


def test_base_is_named_only_where_it_means_the_same() -> None:
    """`reroll --base` is a commit to go to, `trailers --base` the one that the series is on."""
    error = PatchgenError("no base", alternatives={"start": "name it"}, parameters=("base",))
    for name, named in (("trailers", True), ("verify", True), ("import", True), ("reroll", False)):
        with click.Context(main.patchgen) as ctx:
            command = main.patchgen.get_command(ctx, name)
        assert command is not None
        assert ("name it (--base)" in error.describe(main._options_of(command))) is named


def test_the_mark_is_below_its_column_where_a_line_has_control_characters() -> None:
    place = ErrorPlace("a\x1b.toml", 2, 3, excerpt="\x1b[=\r")
    lines = str(PatchgenError("wrong", place=place)).split("\n")
    assert lines == ["a\\x1b.toml:2:3: wrong", "    \\x1b[=\\x0d", "         ^"]


@pytest.mark.parametrize(
    ("name", "names", "hint"),
    [
        ("whta", ["has", "what"], "did you mean 'what'?"),
        ("whta", ["has", "base"], "known names: has, base"),
        ("hsa", ["has", "base"], "did you mean 'has'?"),
        ("calle", ["callee", "has"], "did you mean 'callee'?"),
        ("limit", ["split"], "known names: split"),
        ("x", [], "known names: none"),
    ],
)
def test_only_a_similar_name_is_suggested(name: str, names: list[str], hint: str) -> None:
    assert suggest_name(name, names, "names") == hint


@pytest.mark.parametrize(
    ("name", "names", "found"),
    [
        ("PDE_DATA", ["SDIF_DATA", "IDE_DATA_REG", "DE_DATE"], None),
        ("PDE_DATA", ["SDIF_DATA", "PDE_DAT", "PDE_DATAS"], "PDE_DAT"),
        ("kfere", ["kfree", "kfre_"], "kfree"),
        ("kmaloc", ["vmalloc", "kmalloc"], "kmalloc"),
        ("old_cal", ["old_calls"], None),
        ("copy_frm_usr", ["copy_to_user", "copy_from_user"], "copy_from_user"),
        ("copy_frm_us", ["copy_from_user"], None),
        ("f", [], None),
    ],
)
def test_of_the_names_of_a_tree_only_a_misspelt_one_is_suggested(
    name: str, names: list[str], found: str | None
) -> None:
    assert find_misspelt(name, names) == found
